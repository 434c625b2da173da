/// A page of the console in its frame.
package struct Page: Sendable {
    /// The places that the navigation leads to.
    package enum Place: String, Sendable, CaseIterable {
        case overview = "Overview"
        case functions = "Functions"
        case invocations = "Invocations"
        case schedules = "Schedules"
        case queues = "Queues"
        case workers = "Workers"
        case streams = "Streams"
        case data = "Data"

        package var address: Address {
            switch self {
            case .overview: Address("/console")
            case .functions: Address("/console/functions")
            case .invocations: Address("/console/invocations")
            case .schedules: Address("/console/schedules")
            case .queues: Address("/console/queues")
            case .workers: Address("/console/workers")
            case .streams: Address("/console/streams")
            case .data: Address("/console/data")
            }
        }
    }

    /// What the frame says of the host on every page.
    package struct Frame: Sendable {
        package var now: String
        package var isVirtual: Bool
        package var degraded: [String]
        /// Whether there is a session to leave.
        package var hasSession: Bool
        /// What was done by the form that led here.
        package var notice: String?
        package var build: BuildStrip?

        package init(
            now: String,
            isVirtual: Bool = false,
            degraded: [String] = [],
            hasSession: Bool = false,
            notice: String? = nil,
            build: BuildStrip? = nil
        ) {
            self.now = now
            self.isVirtual = isVirtual
            self.degraded = degraded
            self.hasSession = hasSession
            self.notice = notice
            self.build = build
        }

        /// What of the frame changes by itself.
        package var parts: [Part] { [clock, health, building] }

        fileprivate var clock: Part {
            Part("clock") {
                tag("span", .class("quiet")) { isVirtual ? "virtual clock" : "UTC" }
                tag("time", .class("mono")) { now }
            }
        }

        fileprivate var health: Part {
            Part("health") { for text in degraded { tag("p", .class("note warn")) { text } } }
        }

        fileprivate var building: Part { Part("build") { build?.html ?? .nothing } }
    }

    package var title: String
    package var place: Place?
    package var body: HTML
    /// Where the page's parts come from as they change; by default that is the frame alone.
    package var live: Address

    package init(
        _ title: String,
        _ place: Place?,
        live: Address = Address("/console/live/frame"),
        @HTMLBuilder body: () -> HTML
    ) {
        self.title = title
        self.place = place
        self.live = live
        self.body = body()
    }

    /// The whole document.
    package func document(_ frame: Frame) -> String {
        HTML.document(
            tag("html", .set("lang", "en")) {
                head
                tag("body") {
                    tag("a", .class("skip"), .href(.place("main"))) { "Skip to the content" }
                    header(frame)
                    tag(
                        "main",
                        .id("main"),
                        .set("tabindex", "-1"),
                        .set("data-live", live.text)
                    ) {
                        notes(frame)
                        body
                    }
                }
            }
        ).markup
    }

    private var head: HTML {
        tag("head") {
            void("meta", .set("charset", "utf-8"))
            void("meta", .name("viewport"), .set("content", "width=device-width, initial-scale=1"))
            void("meta", .name("color-scheme"), .set("content", "light dark"))
            tag("title") { "\(title) · Swiftlet" }
            void("link", .set("rel", "icon"), .href(Asset.icon.address))
            void("link", .set("rel", "stylesheet"), .href(Asset.stylesheet.address))
            tag("script", .src(Asset.script.address), .flag("defer"))
        }
    }

    private func header(_ frame: Frame) -> HTML {
        tag("header", .class("side")) {
            tag("p", .class("brand")) { tag("a", .href(Address("/console"))) { "Swiftlet" } }
            tag("nav", .label("Console")) {
                tag("ul") {
                    for place in Place.allCases {
                        tag("li") {
                            tag(
                                "a",
                                .href(place.address),
                                place == self.place ? .set("aria-current", "page") : nil
                            ) {
                                place.rawValue
                            }
                        }
                    }
                }
            }
            tag("div", .class("status")) {
                frame.clock.placed()
                tag("p", .id("live"), .class("live"), .set("role", "status")) { "not live" }
                if frame.hasSession {
                    tag("form", .set("method", "post"), .action(Address("/console/logout"))) {
                        tag("button", .class("plain")) { "Sign out" }
                    }
                }
            }
        }
    }

    @HTMLBuilder
    private func notes(_ frame: Frame) -> HTML {
        if let notice = frame.notice {
            tag("p", .class("note good"), .set("role", "status")) { notice }
        }
        frame.building.placed(.set("aria-live", "polite"))
        frame.health.placed(.set("aria-live", "polite"))
    }
}

extension Page {
    /// What went wrong, in the frame of the other pages.
    package static func failure(_ title: String, _ message: String, back: Address) -> Page {
        Page(title, nil) {
            tag("h1") { title }
            tag("p", .class("note bad"), .set("role", "alert")) { message }
            tag("p") { tag("a", .href(back)) { "Back" } }
        }
    }

    /// Where a browser shows the token.
    package static func login(isWrong: Bool) -> String {
        HTML.document(
            tag("html", .set("lang", "en")) {
                Page("Sign in", nil) { .nothing }.head
                tag("body", .class("login")) {
                    tag("main", .id("main")) {
                        tag("h1") { "Swiftlet" }
                        if isWrong {
                            tag("p", .class("note bad"), .id("wrong"), .set("role", "alert")) {
                                "That is not the host’s token."
                            }
                        }
                        tag("form", .set("method", "post"), .action(Address("/console/login"))) {
                            tag("label", .set("for", "token")) { "Token" }
                            // For who keeps passwords, who wants a name beside each.
                            void(
                                "input",
                                .type("text"),
                                .name("user"),
                                .value("console"),
                                .set("autocomplete", "username"),
                                .flag("hidden")
                            )
                            void(
                                "input",
                                .type("password"),
                                .id("token"),
                                .name("token"),
                                .set("autocomplete", "current-password"),
                                isWrong ? .set("aria-describedby", "wrong") : nil,
                                .flag("required")
                            )
                            tag("button") { "Sign in" }
                            tag("p", .class("quiet")) {
                                "The value of admin.token in the host’s configuration."
                            }
                        }
                    }
                }
            }
        ).markup
    }
}
