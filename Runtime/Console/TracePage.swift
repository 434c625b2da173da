import FunctionCore

/// One trace as a waterfall: each piece of work below what caused it, at its place on one line of time.
package struct TraceView: Sendable {
    package struct Row: Sendable {
        package enum Look: String, Sendable { case attempt, queue, start, run, call, event, failed, missing }

        package var name: String
        package var depth: Int
        package var look: Look
        package var offset = Duration.zero
        package var duration = Duration.zero
        /// The code of what went wrong.
        package var error: String?
        /// The invocation that it is an attempt of.
        package var invocation: String?
        package var facts: [(name: String, value: String)] = []

        package init(name: String, depth: Int, look: Look) {
            self.name = name
            self.depth = depth
            self.look = look
        }
    }

    package var now: Instant
    package var id: String
    package var began: Instant
    package var duration: Duration
    package var rows: [Row]
    /// How many parents are not known, and how many spans are no longer kept.
    package var missing: Int
    package var leftOut: Int

    package init(
        now: Instant,
        id: String,
        began: Instant,
        duration: Duration,
        rows: [Row],
        missing: Int,
        leftOut: Int
    ) {
        self.now = now
        self.id = id
        self.began = began
        self.duration = duration
        self.rows = rows
        self.missing = missing
        self.leftOut = leftOut
    }

    package var page: Page {
        Page("Trace \(id.prefix(8))", .invocations) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/invocations"))) { "Invocations" } }
            tag("h1") { "Trace" }
            tag("p", .class("lead actions")) {
                tag("code") { id }
                pill(spoken(duration), .blue)
                pill(counted(rows.count { $0.look != .missing }, "span"))
                if missing == 0, leftOut == 0 { pill("complete", .good) }
                let failed = rows.count { $0.error != nil }
                if failed > 0 { pill("\(failed) failed", .bad) }
                began.written(now: now)
            }
            if missing > 0 {
                tag("p", .class("note warn")) {
                    "\(counted(missing, "parent")) not known: what it began still runs, or is no longer kept."
                }
            }
            if leftOut > 0 { tag("p", .class("note")) { "\(counted(leftOut, "span")) more are not kept." } }
            legend
            tag("ol", .class("waterfall")) {
                for row in rows { html(row) }
            }
        }
    }

    private var legend: HTML {
        let looks: [(Row.Look, String)] = [
            (.attempt, "invocation"), (.queue, "queue"), (.start, "cold start"), (.run, "run"),
            (.call, "call"),
            (.event, "event, job, delivery"), (.failed, "failed"),
        ]
        return tag("ul", .class("legend")) {
            for (look, word) in looks {
                tag("li") {
                    tag("svg", .set("viewBox", "0 0 16 11"), .set("aria-hidden", "true")) {
                        tag("rect", .class("span-\(look)"), .number("width", 16), .number("height", 11))
                    }
                    word
                }
            }
        }
    }

    private func html(_ row: Row) -> HTML {
        guard row.look != .missing else {
            return tag("li", .class("gap deep-\(min(row.depth, 12))")) {
                tag("span", .class("span-name")) { row.name }
            }
        }
        let look = row.look == .attempt ? " attempt" : ""
        return tag("li", .class("deep-\(min(row.depth, 12))\(look)")) {
            tag("details") {
                tag("summary") {
                    tag("span", .class("span-name")) {
                        row.name
                        if let error = row.error { tag("span", .class("span-error")) { " \(error)" } }
                    }
                    bar(row)
                    tag("span", .class("number")) { spoken(row.duration) }
                }
                facts(details(row))
            }
        }
    }

    private func details(_ row: Row) -> [(name: String, value: HTML)] {
        var all: [(String, HTML)] = [("began after", HTML(spoken(row.offset)))]
        if let invocation = row.invocation {
            let address = Address("/console/invocations", invocation)
            all.append(("invocation", tag("a", .class("mono"), .href(address)) { invocation }))
        }
        return all + row.facts.map { ($0.name, HTML($0.value)) }
    }

    /// Stretched over whatever width there is.
    private func bar(_ row: Row) -> HTML {
        let total = max(duration.milliseconds, 0.001)
        let start = min(row.offset.milliseconds / total * 1000, 996)
        return tag(
            "svg",
            .class("span-bar"),
            .set("viewBox", "0 0 1000 12"),
            .set("preserveAspectRatio", "none"),
            .set("aria-hidden", "true")
        ) {
            tag(
                "rect",
                .class("span-\(row.error == nil ? row.look : .failed)"),
                .number("x", start),
                .number("width", min(max(row.duration.milliseconds / total * 1000, 4), 1000 - start)),
                .number("height", 12)
            )
        }
    }
}

extension Stylesheet {
    /// The waterfall; a style of its own for each depth, as the content policy knows no styles in elements.
    static let traces =
        """
        .waterfall { list-style: none; margin: .9rem 0 0; padding: 0; background: var(--paper);
          border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; }
        .waterfall li { border-top: 1px solid var(--line); }
        .waterfall li:first-child { border-top: 0; }
        .waterfall summary { display: grid; grid-template-columns: minmax(10rem, 22rem) minmax(0, 1fr) 5rem;
          gap: .25rem 1rem; align-items: center; padding: .3rem .9rem; cursor: pointer; list-style: none; }
        .waterfall summary::-webkit-details-marker { display: none; }
        .waterfall summary:hover { background: var(--sunk); }
        .waterfall summary:focus-visible { outline-offset: -2px; }
        .waterfall .number { text-align: right; white-space: nowrap; color: var(--quiet); }
        .waterfall .facts { padding: .5rem .9rem .9rem 2rem; font-size: .87rem; }
        .waterfall .gap { padding: .3rem .9rem; color: var(--warn); }
        .span-name { overflow-wrap: anywhere; min-width: 0; color: var(--ink); }
        .attempt .span-name { font-weight: 600; }
        .waterfall summary .span-name::before { content: "▸" / ""; margin-right: .4rem; color: var(--quiet); }
        .waterfall [open] .span-name::before { content: "▾" / ""; }
        .span-error { color: var(--bad); }
        .span-bar { width: 100%; height: .75rem; background: var(--sunk); border-radius: 3px; }
        .span-attempt { fill: var(--blue); }
        .span-queue { fill: var(--strong-line); }
        .span-start { fill: var(--warn); }
        .span-run { fill: var(--blue); opacity: .6; }
        .span-call { fill: var(--accent); }
        .span-event { fill: var(--good); }
        .span-failed { fill: var(--bad); }

        """
        + (1...12).map { ".deep-\($0) .span-name { padding-left: \(Double($0) * 0.85)rem; }\n" }.joined()
            + """
            @media (max-width: 42rem) {
              .waterfall summary { grid-template-columns: minmax(0, 1fr) max-content; }
              .waterfall .span-bar { grid-column: 1 / -1; grid-row: 2; }
            }

            """
}
