import FunctionCore

/// The Redis streams and lists that functions read.
package struct StreamsView: Sendable {
    package struct Row: Sendable {
        package var key: String
        package var kind: String
        package var length: Int?
        package var functions: [String]

        package init(key: String, kind: String, length: Int?, functions: [String]) {
            self.key = key
            self.kind = kind
            self.length = length
            self.functions = functions
        }
    }

    package var rows: [Row]

    package init(rows: [Row]) {
        self.rows = rows
    }

    package var page: Page {
        Page("Streams", .streams, live: Address("/console/live/streams")) {
            tag("h1") { "Streams" }
            tag("p", .class("lead")) { "What functions read in Redis." }
            for part in parts { part.placed() }
        }
    }

    package var parts: [Part] {
        [
            Part("streams") {
                table(
                    "Redis streams and lists",
                    ["Key", "Kind", .number("Entries"), "Read by"],
                    rows.map { row in
                        [
                            tag("a", .href(Address("/console/streams/one").with("key", row.key))) { row.key },
                            HTML(row.kind), HTML(row.length.map { String($0) } ?? "–"),
                            HTML(row.functions.joined(separator: ", ")),
                        ]
                    },
                    empty: "No function reads a stream or a list: a redis trigger in its function.yaml does."
                )
            }
        ]
    }
}

/// One stream: its groups and its last entries.
package struct StreamView: Sendable {
    package struct Group: Sendable {
        package var name: String
        package var consumers: Int
        package var pending: Int
        package var lag: Int?
        package var last: String

        package init(name: String, consumers: Int, pending: Int, lag: Int?, last: String) {
            self.name = name
            self.consumers = consumers
            self.pending = pending
            self.lag = lag
            self.last = last
        }
    }

    package var key: String
    package var length: Int
    package var groups: [Group]
    package var entries: [(id: String, text: String)]

    package init(key: String, length: Int, groups: [Group], entries: [(id: String, text: String)]) {
        self.key = key
        self.length = length
        self.groups = groups
        self.entries = entries
    }

    package var page: Page {
        Page(key, .streams) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/streams"))) { "Streams" } }
            tag("h1") { key }
            tag("p", .class("lead")) { counted(length, "entry", "entries") }
            tag("h2") { "Groups" }
            table(
                "Consumer groups",
                ["Group", .number("Consumers"), .number("Under way"), .number("To read"), "Read to"],
                groups.map { group in
                    [
                        HTML(group.name), HTML(String(group.consumers)), HTML(String(group.pending)),
                        HTML(group.lag.map { String($0) } ?? "–"), tag("code") { group.last },
                    ]
                },
                empty: "It has no group."
            )
            tag("h2") { "Latest entries" }
            table(
                "Latest entries",
                ["Entry", "Fields"],
                entries.map { entry in [tag("code") { entry.id }, tag("code") { entry.text }] },
                empty: "It is empty."
            )
        }
    }
}
