import FunctionCore
import HostKit
import Isolation
import Invocations
import Scheduling

/// What a newcomer sees when the emulator is up.
enum Banner {
    static func show(_ host: Host) {
        var lines = [
            "",
            "  gateway   \(host.gatewayURL)",
            "  admin     \(host.adminURL)",
            "  console   \(host.adminURL)/console",
            "  data      \(host.directory)",
            "  redis     \(host.redis)\(host.redisPort.map { "  (redis-cli -p \($0))" } ?? "")",
            "  provider  \(host.provider)",
            "  isolation \(isolation(host))",
        ]
        if let clock = host.virtualClock { lines.append("  clock     \(clock)") }
        lines.append("")
        for manifest in host.project.manifests {
            var triggers = manifest.routes.map { "\($0.method) \($0.path)\($0.async ? " (job)" : "")" }
            triggers += manifest.webSockets.map { "websocket \($0.path)" }
            triggers += manifest.streams.map { "stream \($0.stream)" }
            triggers += host.project.book.entries.filter { $0.function == manifest.name }.map(\.kind.text)
            lines.append("  " + padded(manifest.name, 15) + (triggers.first ?? "by `swiftlet invoke` alone"))
            lines += triggers.dropFirst().map { "  " + padded("", 15) + $0 }
        }
        lines += ["", "  next"]
        for run in host.next.upcoming {
            let window = run.window.map { "  window \($0)" } ?? ""
            lines.append("  " + padded(run.function, 15) + run.instant.rfc3339 + window)
        }
        lines += ["", "  `make demo` in a second terminal drives them all. Ctrl-C ends everything.", ""]
        writeOut(Bytes(lines.joined(separator: "\n") + "\n"))
    }

    /// What is on, and what is off and why.
    private static func isolation(_ host: Host) -> String {
        let on = host.isolation.filter(\.isOn).map(\.name).joined(separator: " ")
        let off = host.isolation.filter { !$0.isOn }.map { "\n            \($0.name) off: \($0.detail)" }
        return on + off.joined()
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
