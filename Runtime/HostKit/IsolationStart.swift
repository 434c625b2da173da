import FunctionCore
import Isolation
import Processes
import Settings

extension Configuration {
    /// What is to isolate workers.
    func isolation(_ problems: Problems) -> WorkerIsolation.Settings {
        var settings = WorkerIsolation.Settings()
        word("workers.sandbox", ["on", "off"], problems)
        word("workers.cgroups", ["on", "off"], problems)
        word("workers.template", ["on", "off"], problems)
        settings.sandbox = self["workers.sandbox"] != "off"
        settings.controlGroups = self["workers.cgroups"] != "off"
        if self["workers.users"] != "off" {
            settings.firstUser = UInt32(number("workers.users", 1000...2_000_000_000, problems))
        }
        return settings
    }
}

extension Telemetry {
    /// Says in one line what isolates workers on this machine, and what does not and why.
    func note(_ isolation: WorkerIsolation) {
        note(.info, "isolation of workers", isolation.features.map { ($0.name, .string($0.text)) })
    }
}

extension WorkerIsolation {
    /// Closes on a thread of its own.
    func closed() async {
        await withCheckedContinuation { continuation in
            startThread("isolation") {
                self.close()
                continuation.resume()
            }
        }
    }

    /// As the admin port shows it.
    var json: JSON {
        .object(
            features.reduce(into: JSONObject()) { object, feature in
                object[feature.name] = [
                    "on": .bool(feature.isOn), "detail": .string(feature.detail),
                ]
            }
        )
    }
}

extension WorkerIsolation.Feature {
    /// `on` or `off`, and how far or why.
    package var text: String { "\(isOn ? "on" : "off"): \(detail)" }
}
