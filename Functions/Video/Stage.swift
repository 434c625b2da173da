import FunctionCore

/// The stages of a film's job, in their order, each with the share of the work that it ends at.
enum Stage: String, CaseIterable, Sendable {
    case validate, narrate, compose, finalize

    /// The percent at which the stage begins and ends.
    ///
    /// The last is 99: only the job's end says 100, when the film is stored and told of.
    var percent: ClosedRange<Int> {
        switch self {
        case .validate: 0...2
        case .narrate: 2...35
        case .compose: 35...90
        case .finalize: 90...99
        }
    }

    /// The code of a failure that names none itself.
    private var code: String {
        switch self {
        case .validate: "validate_failed"
        case .narrate: "speech_failed"
        case .compose: "render_failed"
        case .finalize: "storage_failed"
        }
    }

    /// `error` with the stage in front of its message, so that whoever reads a failed job knows how far it
    /// came.
    func naming(_ error: any Error) -> any Error {
        if error is CancellationError { return error }
        guard var failure = error as? FunctionError else {
            return FunctionError(status: 502, code: code, message: "\(rawValue): \(error)")
        }
        failure.message = "\(rawValue): \(failure.message)"
        return failure
    }
}

/// Tells the job how far the film is.
///
/// What is told never falls, and is told only when it changes.
actor ProgressMeter {
    private let bindings: Bindings
    private let log: Logger
    private var told: (stage: Stage, percent: Int)?

    init(_ context: Context) {
        bindings = context.bindings
        log = context.log
    }

    /// Tells that `fraction`, 0 to 1, of `stage` is done.
    ///
    /// A report that fails is logged and forgotten: the film matters more than the news of it.
    func report(_ stage: Stage, _ fraction: Double) async {
        let range = stage.percent
        let fraction = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        let reached = range.lowerBound + Int(Double(range.count - 1) * fraction)
        let percent = max(reached, told?.percent ?? 0)
        guard told?.stage != stage || told?.percent != percent else { return }
        told = (stage, percent)
        do {
            try await bindings.progress(stage: stage.rawValue, percent: percent)
        } catch {
            log.warning("progress was not taken", ["error": "\(error)"])
        }
    }
}
