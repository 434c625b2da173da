import FunctionCore
import Invocations
import Storage

/// The binding `progress`: how far the invocation's job is.
///
/// For an invocation that is no job the report is taken and dropped, so that one function serves both.
package struct ProgressService: BindingService {
    package let binding = "progress"
    private let jobs: any JobEngine
    private let clock: any HostClock

    package init(_ jobs: any JobEngine, clock: any HostClock) {
        self.jobs = jobs
        self.clock = clock
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "set" else { throw call.unknownMethod(of: binding) }
        let report = try call.decode(ProgressReport.self)
        guard report.stage.utf8.count <= 200 else {
            let message =
                "stage has \(report.stage.utf8.count) bytes and must have 200 at most; choose a shorter word"
            throw FunctionError.invalid("stage", "length", message)
        }
        do {
            let id = call.origin.invocation
            try await jobs.progress(id, stage: report.stage, percent: report.percent, now: clock.now)
        } catch let error as StorageError {
            throw error.functionError
        }
        try answer.send(encoding: Nothing())
    }
}
