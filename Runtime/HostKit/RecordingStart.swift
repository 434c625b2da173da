import FunctionCore
import Invocations
import Observe
import Recordings
import WorkerPool

extension HostStarter {
    /// The recordings of the data directory.
    func makeRecordings(_ premises: Premises) -> RecordingStore {
        let named = configuration["record.redact"].split(separator: ",").map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        let secrets = configuration.secrets
        let manifests = premises.manifests
        var rule = RecordingRule(rawValue: configuration["record.rule"])
        if rule == nil { rule = options.isDevelopment ? .failures : .off }
        return RecordingStore(
            at: "\(premises.directory.path)/recordings",
            rule: rule ?? .off,
            sizeMax: premises.settings.recordingsMax,
            telemetry: premises.telemetry,
            scrubber: {
                let granted = manifests.all.values.flatMap { $0.secrets(named) }
                let redactor = Redactor(secrets: secrets + granted)
                return Scrubber(named) { redactor.clean($0) }
            }
        )
    }

    /// What a request's headers ask for beyond its reply: in development alone.
    var trials: @Sendable ([Header]) throws(FunctionError) -> Trial? {
        let isDevelopment = options.isDevelopment
        return { (headers) throws(FunctionError) in
            let asked = headers.filter { sameName($0.name, "x-swiftlet-fault") }.map(\.value)
            let faults = asked.isEmpty ? nil : asked.joined(separator: ",")
            guard isDevelopment else {
                guard faults == nil else {
                    let message = "x-swiftlet-fault is for `swiftlet dev`; this host is one of `serve`"
                    throw .badRequest("faults_refused", message)
                }
                return nil
            }
            let record = headers.first("x-swiftlet-record")
            guard record == nil || record == "1" else {
                let message = "x-swiftlet-record must be 1, or left out, not `\(record ?? "")`"
                throw .badRequest("unknown_record", message)
            }
            let isRecorded = record != nil
            guard isRecorded || faults != nil else { return nil }
            return Trial(isRecorded: isRecorded, faults: try InjectedFault.read(faults ?? ""))
        }
    }
}

extension Manifest {
    /// The values of environment entries whose names say that they are secret, or that are named.
    fileprivate func secrets(_ named: [String]) -> [String] {
        environment.filter { Scrubber.isSecret($0.key, named) }.map(\.value)
    }
}
