import Builds
import Console
import FunctionCore
import HTTPTrigger

/// What all pages of the console tell of the host.
extension ConsoleRoutes {
    /// How long a build that succeeded is told of.
    private static let newsAge = Duration.seconds(10)
    /// How many of a build's errors are shown.
    private static let errorMax = 8

    func frame(_ request: EndpointRequest) -> Page.Frame {
        Page.Frame(
            now: host.clock.now.spoken,
            isVirtual: host.clock.isVirtual,
            degraded: host.degraded,
            hasSession: !access.token.isEmpty,
            notice: request.query["done"].flatMap(ConsoleNotice.init(rawValue:))?.text,
            build: build
        )
    }

    private var build: BuildStrip? {
        let (state, age) = host.build.standing
        switch state {
        case .idle: return nil
        case .building: return .building(since: age)
        case .failed(let errors, let time):
            let shown = errors.prefix(ConsoleRoutes.errorMax).map {
                BuildStrip.Fault(
                    place: $0.file.isEmpty ? "" : "\($0.file):\($0.line):\($0.column)",
                    message: $0.message
                )
            }
            return .failed(shown, leftOut: errors.count - shown.count, after: time)
        case .done(let functions, let time):
            return age < ConsoleRoutes.newsAge ? .done(functions: functions, after: time) : nil
        }
    }
}

/// What a form did, said on the page that it led to.
enum ConsoleNotice: String {
    case paused, resumed, triggered, clock, retried, cancelled, redriven, purged, replayed, differed

    var text: String {
        switch self {
        case .paused: "The schedule is paused."
        case .resumed: "The schedule runs again."
        case .triggered: "The schedule has a run."
        case .clock: "The clock is set."
        case .retried: "The job is queued again."
        case .cancelled: "The job is cancelled."
        case .redriven: "The dead letters are queued again."
        case .purged: "The dead letters are gone."
        case .replayed: "It ran again, and everything was the same."
        case .differed: "It ran again, and not everything was the same."
        }
    }
}
