import FunctionCore

/// A function as the console shows it.
package struct FunctionView: Sendable {
    package struct Trigger: Sendable {
        /// `HTTP`, `stream`, `schedule`.
        package var kind: String
        package var text: String
        package var operation: String

        package init(_ kind: String, _ text: String, _ operation: String = "") {
            self.kind = kind
            self.text = text
            self.operation = operation
        }
    }

    /// An event to try it with, as the document that `swiftlet invoke` sends, too.
    package struct Sample: Sendable {
        package var title: String
        package var event: String

        package init(title: String, event: String) {
            self.title = title
            self.event = event
        }
    }

    package struct Standing: Sendable {
        package var workers = 0
        package var idle = 0
        package var running = 0
        package var waiting = 0
        package var wanted: String?

        package init() {}
    }

    package var name: String
    package var summary = ""
    package var file = ""
    package var triggers: [Trigger] = []
    package var settings: [(name: String, value: String)] = []
    package var bindings: [String] = []
    package var standing = Standing()
    package var samples: [Sample] = []
    package var reading = RateBook.Reading()

    package init(name: String) {
        self.name = name
    }

    var address: Address { Address("/console/functions", name) }

    fileprivate var state: HTML {
        if standing.running > 0 { return pill("\(standing.running) running", .blue) }
        return standing.workers > 0 ? pill("ready", .good) : pill("no worker")
    }
}

extension [FunctionView] {
    /// All functions.
    package var page: Page {
        Page("Functions", .functions, live: Address("/console/live/functions")) {
            tag("h1") { "Functions" }
            tag("p", .class("lead")) { "What there is to run, what starts it, and how it stands." }
            for part in parts { part.placed() }
        }
    }

    package var parts: [Part] {
        [
            Part("functions") {
                if isEmpty { tag("p", .class("empty")) { noFunctions } }
                tag("ul", .class("cards")) {
                    for function in self { tag("li", .class("card")) { function.card } }
                }
            }
        ]
    }
}

extension FunctionView {
    @HTMLBuilder
    fileprivate var card: HTML {
        tag("div", .class("actions")) {
            tag("h2", .class("h3")) { tag("a", .href(address)) { name } }
            state
        }
        tag("p", .class("quiet small")) { summary }
        tag("dl", .class("counts")) {
            for (name, count) in [
                ("workers", standing.workers), ("idle", standing.idle), ("in flight", standing.running),
                ("waiting", standing.waiting),
            ] {
                tag("div") {
                    tag("dt") { name }
                    tag("dd") { String(count) }
                }
            }
        }
        tag("ul", .class("plain-list small")) {
            for trigger in triggers.prefix(4) { tag("li") { triggerText(trigger) } }
            if triggers.count > 4 { tag("li", .class("quiet")) { "and \(triggers.count - 4) more" } }
        }
    }

    @HTMLBuilder
    private func triggerText(_ trigger: Trigger) -> HTML {
        tag("span", .class("quiet")) { "\(trigger.kind) " }
        tag("code") { trigger.text }
    }

    /// One function, with the form to try it; `reply` where the form was sent without a script.
    package func page(reply: ReplyView? = nil) -> Page {
        Page(name, .functions, live: Address("/console/live/functions", name)) {
            tag("p", .class("trail")) { tag("a", .href(Address("/console/functions"))) { "Functions" } }
            tag("h1") { name }
            tag("p", .class("lead")) { summary.isEmpty ? "It has no summary." : summary }
            for part in parts { part.placed() }
            tag("div", .class("columns")) {
                tag("section") {
                    tag("h2") { "Try it" }
                    form(reply)
                }
                tag("section") {
                    tag("h2") { "Reply" }
                    ReplyView.place(reply)
                    if reply == nil {
                        tag("p", .class("empty"), .id("no-reply")) {
                            "Nothing was tried yet. What it replies is shown here as it comes."
                        }
                    }
                }
            }
            tag("div", .class("columns")) {
                tag("section") {
                    tag("h2") { "Triggers" }
                    table(
                        "Triggers",
                        ["What", "Where or when", "Operation"],
                        triggers.map { trigger in
                            [HTML(trigger.kind), tag("code") { trigger.text }, HTML(trigger.operation)]
                        },
                        empty: "None: it runs by hand. Triggers stand in its function.yaml."
                    )
                }
                tag("section") {
                    tag("h2") { "Settings" }
                    tag("div", .class("card")) {
                        facts(settings.map { ($0.name, HTML($0.value)) } + [("file", tag("code") { file })])
                    }
                    if !bindings.isEmpty {
                        tag("h2") { "Bindings" }
                        tag("p", .class("actions")) { for binding in bindings { pill(binding) } }
                    }
                }
            }
        }
    }

    package var parts: [Part] {
        [
            Part("standing") {
                tag("dl", .class("tiles")) {
                    tile("Rate", reading.rateText, "a second, in a minute")
                    tile("Errors", reading.errorText, counted(reading.failed, "failure"))
                    tile("Median", reading.latency(0.5), "95 % below \(reading.latency(0.95))")
                    tile("Workers", String(standing.workers), "\(standing.idle) idle")
                    tile("Under way", String(standing.running), "\(standing.waiting) waiting")
                }
                if let wanted = standing.wanted { tag("p", .class("quiet small")) { wanted } }
                tag("p") {
                    tag("a", .href(Address("/console/invocations").with("function", name))) {
                        "Its invocations"
                    }
                }
            }
        ]
    }

    private func tile(_ name: String, _ value: String, _ aside: String) -> HTML {
        tag("div") {
            tag("dt") { name }
            tag("dd") {
                value
                tag("span", .class("sub")) { aside }
            }
        }
    }

    private func form(_ reply: ReplyView?) -> HTML {
        tag(
            "form",
            .id("try"),
            .class("stack"),
            .set("method", "post"),
            .action(Address("/console/invoke", name))
        ) {
            if samples.count > 1 {
                tag("div") {
                    tag("label", .set("for", "sample")) { "Sample event" }
                    tag("select", .id("sample"), .name("sample")) {
                        for sample in samples {
                            tag("option", .set("data-event", sample.event)) { sample.title }
                        }
                    }
                }
            }
            tag("div") {
                tag("label", .set("for", "event")) { "Event, as JSON" }
                tag(
                    "textarea",
                    .id("event"),
                    .name("event"),
                    .class("mono"),
                    .set("rows", "16"),
                    .set("spellcheck", "false"),
                    .set("aria-describedby", "event-hint")
                ) {
                    reply?.event ?? samples.first?.event ?? "{}"
                }
            }
            tag("div", .class("actions")) {
                tag("button", .type("submit")) { "Invoke" }
                tag("button", .type("button"), .id("stop"), .class("plain"), .flag("disabled")) { "Stop" }
                tag("span", .id("event-hint"), .class("quiet small")) { "Ctrl+Enter invokes, too." }
            }
            tag("p", .class("quiet small")) {
                "The event is what swiftlet invoke --sample prints; an object without a kind is a plain event’s."
            }
        }
    }
}

/// What a function replied to the form.
package struct ReplyView: Sendable {
    package var status: Int
    package var type: String
    /// What of it is text.
    package var text: String
    package var error: String?
    package var took: Duration
    package var invocation: String
    package var event: String

    package init(
        status: Int,
        type: String,
        text: String,
        error: String?,
        took: Duration,
        invocation: String,
        event: String
    ) {
        self.status = status
        self.type = type
        self.text = text
        self.error = error
        self.took = took
        self.invocation = invocation
        self.event = event
    }
}

extension ReplyView {
    /// Whether what has that content type is shown as text.
    package static func isText(_ type: String) -> Bool {
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        return name.isEmpty || name.hasPrefix("text/")
            || ["json", "xml", "yaml", "javascript", "urlencoded"].contains { name.hasSuffix($0) }
    }

    /// The place of a reply, empty until there is one.
    static func place(_ reply: ReplyView?) -> HTML {
        tag("div", .id("reply"), .class("reply"), .flag("hidden", reply == nil)) {
            tag("p", .class("actions"), .set("aria-live", "polite")) {
                tag("span", .id("reply-status"), .class(reply?.look ?? "pill")) {
                    reply.map { $0.error.map { "\(reply?.status ?? 0) \($0)" } ?? String($0.status) } ?? ""
                }
                tag("span", .id("reply-facts"), .class("quiet small")) {
                    reply.map { "\($0.type) · \(spoken($0.took))" } ?? ""
                }
                tag(
                    "a",
                    .id("reply-link"),
                    .class("small"),
                    .href(Address("/console/invocations", reply?.invocation ?? "")),
                    .flag("hidden", reply == nil)
                ) { "Look at it" }
                tag("a", .id("reply-file"), .class("small"), .set("download", "reply"), .flag("hidden")) {
                    "Download"
                }
            }
            tag("details", .id("reply-head"), .class("small"), .flag("hidden")) {
                tag("summary") { "Headers" }
                tag(
                    "pre",
                    .id("reply-headers"),
                    .set("tabindex", "0"),
                    .set("role", "group"),
                    .label("Headers")
                )
            }
            tag("div", .id("reply-media"), .class("preview"), .flag("hidden"))
            tag(
                "pre",
                .id("reply-text"),
                .set("tabindex", "0"),
                .set("role", "group"),
                .label("The reply’s body")
            ) {
                reply?.text ?? ""
            }
        }
    }

    private var look: String { status < 400 && error == nil ? "pill good" : "pill bad" }
}
