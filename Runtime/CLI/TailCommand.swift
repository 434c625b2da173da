import ArgumentParser
import Fetch
import FunctionCore
import Glibc

/// `swiftlet tail`.
struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows invocations of the running host as they end, with their log lines.",
        discussion: """
            Also workers that come and go, reloads and builds, where --all is given. In colours on a terminal, \
            plain lines elsewhere. Ends with the host, or by Ctrl-C.
            """
    )

    @Argument(help: "Only this function's.") var name: String?
    @Flag(help: "Workers, reloads and builds as well.") var all = false
    @Flag(help: "Only what did not succeed.") var failed = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() throws {
        let base = address.urls().admin
        if let name, let known = address.functions(), !known.contains(name) {
            leave(64, "there is no function `\(name)`; there are \(known.joined(separator: ", "))")
        }
        let kinds = all ? "invocation,log,worker,reload,build" : "invocation,log"
        let request = OutboundRequest(
            method: "GET",
            url: "\(base)/v1/events?kinds=\(kinds)",
            timeout: .seconds(86_400 * 365),
            responseLimit: .max
        )
        var reader = EventReader()
        let view = TailView(isTerminal: isatty(1) == 1)
        do {
            try BlockingFetch.stream(request) { head in
                guard head.status == 200 else { leave(69, "\(base) answers \(head.status) to /v1/events") }
            } onPiece: { piece in
                for (kind, data) in reader.take(piece) where isWanted(kind, data) {
                    guard let line = output.json ? data.text : view.line(kind, data) else { continue }
                    print(line)
                    fflush(nil)
                }
            }
        } catch {
            leave(69, "\(base) does not answer (\(error)); is the host still running?")
        }
    }

    private func isWanted(_ kind: String, _ data: JSON) -> Bool {
        if let name, let function = data["function"]?.stringValue, function != name { return false }
        if name != nil, data["function"] == nil, kind == "log" { return false }
        guard failed else { return true }
        switch kind {
        case "invocation": return (data["status"]?.intValue ?? 0) >= 400 || data["error"] != nil
        case "log": return ["warning", "error"].contains(data["level"]?.stringValue)
        default: return true
        }
    }
}

/// Server-sent events, out of pieces that end anywhere.
struct EventReader {
    private var pending: [UInt8] = []

    mutating func take(_ piece: Bytes) -> [(kind: String, data: JSON)] {
        pending += piece.array
        var events: [(String, JSON)] = []
        while let end = pending.firstRange(of: [10, 10]) {
            var (kind, data) = ("message", "")
            for line in String(decoding: pending[..<end.lowerBound], as: UTF8.self).split(separator: "\n") {
                if line.hasPrefix("event: ") { kind = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { data += line.dropFirst(6) }
            }
            pending.removeSubrange(..<end.upperBound)
            if !data.isEmpty, let json = try? JSON.parse(Bytes(data)) { events.append((kind, json)) }
        }
        return events
    }
}

/// An event as a line for people.
struct TailView {
    let isTerminal: Bool

    /// Nil for what nobody needs to see.
    func line(_ kind: String, _ data: JSON) -> String? {
        func text(_ key: String) -> String { data[key]?.stringValue ?? data[key]?.text ?? "" }
        let time = String((data["ended"] ?? data["time"])?.stringValue?.dropFirst(11).prefix(12) ?? "")
        let function = Banner.padded(text("function"), 15)
        switch kind {
        case "invocation":
            let status = data["status"]?.intValue ?? 0
            let isWell = data["error"] == nil && status < 400
            var parts = [
                paint(time, .dim), function,
                paint(Banner.padded(text("outcome"), 10), isWell ? .green : .red),
                Banner.padded(status == 0 ? "-" : "\(status)", 4),
                Banner.padded("\(text("duration_ms")) ms", 12), Banner.padded(text("trigger"), 9),
            ]
            if text("start") == "cold" { parts.append(paint("cold", .yellow)) }
            if let attempt = data["attempt"]?.intValue, attempt > 1 { parts.append("attempt \(attempt)") }
            if let calls = data["calls"]?.intValue, calls > 0 { parts.append("\(calls) calls") }
            parts.append(paint(text("id"), .dim))
            if data["error"] != nil { parts.append(paint("\(text("code")): \(text("error"))", .red)) }
            return parts.joined(separator: " ")
        case "log":
            guard data["source"]?.stringValue != "host" else { return nil }
            let level = text("level")
            let colour: Colour = level == "error" ? .red : level == "warning" ? .yellow : .dim
            return "\(paint(time, .dim)) \(function)   \(paint(level, colour)) \(text("message"))"
        case "worker":
            let reason = data["reason"].map { " \($0.stringValue ?? $0.text)" } ?? ""
            return "\(paint(time, .dim)) \(function) worker \(text("worker")) \(text("state"))\(reason)"
        case "build":
            let errors = (data["errors"]?.arrayValue ?? []).map { error in
                let place = error["file"]?.stringValue.map { "\($0):\(error["line"]?.intValue ?? 0): " } ?? ""
                return "\n  " + paint(place + (error["message"]?.stringValue ?? ""), .red)
            }
            return "build \(text("state"))" + errors.joined()
        case "lost": return paint("\(text("lost")) events came too fast and are not shown", .yellow)
        default: return "\(kind) \(data.text)"
        }
    }

    private enum Colour: String { case red = "31", green = "32", yellow = "33", dim = "2" }

    private func paint(_ text: String, _ colour: Colour) -> String {
        isTerminal && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
