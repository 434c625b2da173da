import FunctionCore

/// What functions have stored: blobs, documents, users' shards.
///
/// Nothing is changed here.
package struct DataView: Sendable {
    package struct Blob: Sendable {
        package var key: String
        package var size: Int
        package var type: String

        package init(key: String, size: Int, type: String) {
            self.key = key
            self.size = size
            self.type = type
        }
    }

    package var prefix: String
    package var blobs: [Blob]
    /// The key behind which the next page begins.
    package var next: String?
    package var used: Int
    package var users: [(user: Int, count: Int)]
    package var collections: [(name: String, count: Int)]

    package init(
        prefix: String,
        blobs: [Blob],
        next: String?,
        used: Int,
        users: [(user: Int, count: Int)],
        collections: [(name: String, count: Int)]
    ) {
        self.prefix = prefix
        self.blobs = blobs
        self.next = next
        self.used = used
        self.users = users
        self.collections = collections
    }

    package var page: Page {
        Page("Data", .data) {
            tag("h1") { "Data" }
            tag("p", .class("lead")) { "What functions have stored, to look at." }
            usersAndDocuments
            blobList
        }
    }

    private var usersAndDocuments: HTML {
        tag("div", .class("columns")) {
            tag("section") {
                tag("h2") { "Users" }
                tag("form", .class("bar"), .set("method", "get"), .action(Address("/console/users"))) {
                    tag("div") {
                        tag("label", .set("for", "user")) { "User, a number from 1" }
                        void(
                            "input",
                            .id("user"),
                            .name("user"),
                            .set("inputmode", "numeric"),
                            .set("pattern", "[0-9]+"),
                            .flag("required")
                        )
                    }
                    tag("button") { "Open the shard" }
                }
                table(
                    "Users",
                    ["User", .number("Records")],
                    users.map { user in
                        let address = Address("/console/users").with("user", String(user.user))
                        return [
                            tag("a", .href(address)) { "User \(user.user)" }, HTML(String(user.count)),
                        ]
                    },
                    empty: "No user has records: functions write them by bindings.users."
                )
            }
            tag("section") {
                tag("h2") { "Documents" }
                table(
                    "Collections of documents",
                    ["Collection", .number("Documents")],
                    collections.map { collection in
                        [
                            tag(
                                "a",
                                .href(Address("/console/documents").with("collection", collection.name))
                            ) {
                                collection.name
                            }, HTML(String(collection.count)),
                        ]
                    },
                    empty: "There is none: functions write them by bindings.documents."
                )
            }
        }
    }

    @HTMLBuilder
    private var blobList: HTML {
        tag("h2") { "Blobs" }
        tag("form", .class("bar"), .set("method", "get"), .action(Address("/console/data"))) {
            tag("div", .class("wide")) {
                tag("label", .set("for", "prefix")) { "Keys that begin with" }
                void("input", .id("prefix"), .name("prefix"), .value(prefix))
            }
            tag("button") { "Show" }
        }
        table(
            "Blobs",
            ["Key", "Type", .number("Size")],
            blobs.map { blob in
                [
                    tag("a", .href(Address("/console/blob").with("key", blob.key))) { blob.key },
                    HTML(blob.type),
                    HTML(spoken(bytes: blob.size)),
                ]
            },
            empty: prefix.isEmpty
                ? "There is none: functions put them by bindings.blobs." : "No key begins so."
        )
        tag("p", .class("quiet small")) { "\(spoken(bytes: used)) are stored in all." }
        if let next {
            tag("p", .class("more")) {
                tag("a", .href(Address("/console/data").with("prefix", prefix).with("after", next))) {
                    "More"
                }
            }
        }
    }
}

/// One blob with a preview.
package struct BlobView: Sendable {
    package var blob: DataView.Blob
    package var sha256: String
    /// The beginning of what is text.
    package var text: String?

    package init(blob: DataView.Blob, sha256: String, text: String?) {
        self.blob = blob
        self.sha256 = sha256
        self.text = text
    }

    /// What a browser may show of its own: pictures, sound and film, none of which can act.
    package static func isShown(_ type: String) -> Bool {
        ["image/", "audio/", "video/"].contains { type.hasPrefix($0) } && !type.hasPrefix("image/svg")
    }

    package var page: Page {
        let content = Address("/console/blob/content").with("key", blob.key)
        return Page(blob.key, .data) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/data"))) { "Data" } }
            tag("h1") { blob.key }
            tag("p", .class("lead")) { "\(blob.type), \(spoken(bytes: blob.size))" }
            tag("div", .class("preview")) {
                if BlobView.isShown(blob.type) {
                    if blob.type.hasPrefix("image/") {
                        void("img", .src(content), .set("alt", "The picture \(blob.key)"))
                    } else if blob.type.hasPrefix("video/") {
                        tag(
                            "video",
                            .src(content),
                            .flag("controls"),
                            .set("preload", "metadata"),
                            .label(blob.key)
                        )
                    } else {
                        tag(
                            "audio",
                            .src(content),
                            .flag("controls"),
                            .set("preload", "metadata"),
                            .label(blob.key)
                        )
                    }
                } else if let text {
                    tag(
                        "pre",
                        .set("tabindex", "0"),
                        .set("role", "group"),
                        .label("The beginning of the blob")
                    ) { text }
                } else {
                    tag("p", .class("empty")) { "There is no preview of this type." }
                }
            }
            tag("p") {
                tag("a", .href(content.with("save", "1")), .set("download", blob.key)) { "Download" }
            }
            tag("h2") { "Facts" }
            facts([("SHA-256", tag("code") { sha256 }), ("bytes", HTML(String(blob.size)))])
        }
    }
}

/// Records of a user, or documents of a collection.
package struct RecordsView: Sendable {
    package struct Record: Sendable {
        package var id: String
        package var version: Int
        package var updated: Instant
        package var value: String

        package init(id: String, version: Int, updated: Instant, value: String) {
            self.id = id
            self.version = version
            self.updated = updated
            self.value = value
        }
    }

    package var now: Instant
    package var title: String
    package var aside: String
    /// The user whose records they are; nil for documents.
    package var user: Int?
    package var collections: [(name: String, count: Int)]
    package var collection: String?
    package var records: [Record]

    package init(
        now: Instant,
        title: String,
        aside: String,
        user: Int?,
        collections: [(name: String, count: Int)],
        collection: String?,
        records: [Record]
    ) {
        self.now = now
        self.title = title
        self.aside = aside
        self.user = user
        self.collections = collections
        self.collection = collection
        self.records = records
    }

    private func address(_ collection: String) -> Address {
        let base =
            user.map { Address("/console/users").with("user", String($0)) } ?? Address("/console/documents")
        return base.with("collection", collection)
    }

    package var page: Page {
        Page(title, .data) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/data"))) { "Data" } }
            tag("h1") { title }
            tag("p", .class("lead")) { aside }
            table(
                "Collections",
                ["Collection", .number("Records")],
                collections.map { collection in
                    [
                        tag("a", .href(address(collection.name))) { collection.name },
                        HTML(String(collection.count)),
                    ]
                },
                empty: "There is nothing stored."
            )
            if let collection {
                tag("h2") { collection }
                for record in records {
                    tag("section", .class("card record")) {
                        tag("h3") { record.id }
                        tag("p", .class("quiet small")) {
                            "version \(record.version), changed "
                            record.updated.written(now: now)
                        }
                        tag(
                            "pre",
                            .set("tabindex", "0"),
                            .set("role", "group"),
                            .label("The value of \(record.id)")
                        ) {
                            record.value
                        }
                    }
                }
            }
        }
    }
}
