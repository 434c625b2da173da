import FunctionCore

/// How the build of the sources stands, at the head of every page.
package enum BuildStrip: Sendable {
    /// What the compiler says of a place in a source; the place is empty where it names none.
    package struct Fault: Sendable {
        package var place: String
        package var message: String

        package init(place: String, message: String) {
            self.place = place
            self.message = message
        }
    }

    case building(since: Duration)
    /// The first errors, and how many there are beside them.
    case failed([Fault], leftOut: Int, after: Duration)
    /// `functions` are those that got new workers.
    case done(functions: [String], after: Duration)

    @HTMLBuilder
    var html: HTML {
        switch self {
        case .building(let time):
            tag("p", .class("note blue working")) {
                "Building. What was built before serves on."
                // Told once, not every second, to who listens to the page.
                tag("span", .class("number"), .set("aria-hidden", "true")) { " \(time.components.seconds) s" }
            }
        case .failed(let faults, let leftOut, let time):
            tag("div", .class("note bad")) {
                tag("p") {
                    tag("strong") { "The build failed" }
                    " after \(spoken(time)). What was built before serves on."
                }
                tag("ul", .class("plain-list")) {
                    for fault in faults {
                        tag("li") {
                            if !fault.place.isEmpty {
                                tag("code") { fault.place }
                                " "
                            }
                            fault.message
                        }
                    }
                    if leftOut > 0 { tag("li") { "and \(counted(leftOut, "error")) more" } }
                }
            }
        case .done(let functions, let time):
            tag("p", .class("note good")) {
                "Built in \(spoken(time)). "
                functions.isEmpty
                    ? "No function has changed."
                    : "New workers for \(functions.joined(separator: ", "))."
            }
        }
    }
}
