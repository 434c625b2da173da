import Activity
import FunctionCore
import Journal

extension Scheduler {
    /// The beginning of the trace of a job that a schedule's time has made.
    func note(_ run: ScheduleLedger.RunJob, since began: Monotonic) {
        telemetry.enter(
            SpanPlace(run.job.trace),
            "schedule \(run.schedule)",
            .internal,
            function: run.job.function,
            since: began,
            [
                SpanAttribute("swiftlet.job", .string(run.job.id)),
                SpanAttribute("swiftlet.nominal", .string(run.nominal.rfc3339)),
            ]
        )
    }
}
