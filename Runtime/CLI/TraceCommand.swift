import ArgumentParser
import FunctionCore
import HostKit

/// `swiftlet trace`.
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws a trace of late: every invocation, call, event and delivery below what caused it.",
        discussion: """
            The id is what replies carry as x-trace-id; its first eight digits will do. With --otlp it is \
            printed as OpenTelemetry's protocol has it in JSON, to be sent to a collector's /v1/traces.
            """
    )

    @Argument(help: "The trace's id, or how it begins.") var id: String?
    @Flag(help: "The trace with the newest invocation.") var last = false
    @Flag(help: "As an ExportTraceServiceRequest of OpenTelemetry's protocol.") var otlp = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func validate() throws {
        guard (id == nil) == last else { throw ValidationError("name a trace, or say --last") }
    }

    func run() {
        let client = HostClient(base: address.urls().admin)
        let newest = { client.value("GET", "/v1/traces?limit=1")["traces"]?[0]?["trace"]?.stringValue }
        guard let id = id ?? newest() else { leave(1, "nothing has been invoked yet") }
        let path = "/v1/traces/\(encoded(id))"
        if otlp { return print(client.value("GET", path + "?format=otlp").text) }
        let tree = client.value("GET", path)
        if output.json { return print(tree.text) }
        print(TraceDrawing(tree).text, terminator: "")
    }
}

/// A trace as lines: who is below whom, when each began and how long it took.
struct TraceDrawing {
    private let tree: JSON
    private let spans: [JSON]

    private static let barWidth = 24

    init(_ tree: JSON) {
        self.tree = tree
        spans = tree["spans"]?.arrayValue ?? []
    }

    var text: String {
        let total = tree["duration_ms"]?.doubleValue ?? 0
        var lines = ["trace \(tree["trace"]?.stringValue ?? "")  \(tree["began"]?.stringValue ?? "")"]
        let branches = TraceDrawing.branches(spans.map { $0["depth"]?.intValue ?? 0 })
        let names = zip(branches, spans).map { $0 + name($1) }
        let width = min(names.map(\.count).max() ?? 0, 64)
        for (span, name) in zip(spans, names) {
            guard let offset = span["offset_ms"]?.doubleValue, let took = span["duration_ms"]?.doubleValue
            else {
                lines.append(name)
                continue
            }
            let bar = TraceDrawing.bar(offset, took, of: total)
            let cells = [Banner.padded(name, width + 1), TraceDrawing.time(took, width: 10), bar, note(span)]
            lines.append(cells.filter { !$0.isEmpty }.joined(separator: " "))
        }
        let count = spans.count { $0["missing"] == nil }
        var end = "\(count) spans in \(TraceDrawing.time(total))"
        if tree["complete"]?.boolValue == true { end += ", complete" }
        if let missing = tree["missing"]?.intValue, missing > 0 {
            end += ", \(missing) of their parents not known: they still run, or are no longer kept"
        }
        if let leftOut = tree["left_out"]?.intValue, leftOut > 0 { end += ", \(leftOut) not kept" }
        lines.append(end)
        return lines.joined(separator: "\n") + "\n"
    }

    private func name(_ span: JSON) -> String {
        guard span["missing"] == nil else { return "(missing parent \(span["span"]?.stringValue ?? ""))" }
        return span["name"]?.stringValue ?? ""
    }

    /// What there is to know beside the times.
    private func note(_ span: JSON) -> String {
        let attributes = span["attributes"]
        var words: [String] = []
        if let attempt = attributes?["swiftlet.attempt"]?.intValue, attempt > 1 {
            words.append("attempt \(attempt)")
        }
        if let status = attributes?["http.response.status_code"]?.intValue { words.append("\(status)") }
        if let input = attributes?["gen_ai.usage.input_tokens"]?.intValue,
            let output = attributes?["gen_ai.usage.output_tokens"]?.intValue
        {
            words.append("\(input) + \(output) tokens")
        }
        if let times = attributes?["swiftlet.times"]?.intValue { words.append("\(times) times") }
        if let code = span["code"]?.stringValue { words.append(code) }
        if span["status"]?.stringValue == "unanswered" { words.append("unanswered") }
        return words.joined(separator: " ")
    }

    /// The lines that lead to each row, by the depths of all.
    static func branches(_ depths: [Int]) -> [String] {
        // From below: at each depth, whether another row hangs there further down.
        var goesOn: [Bool] = []
        var branches: [String] = []
        for depth in depths.reversed() {
            let above = (1..<max(depth, 1)).map { goesOn.count > $0 && goesOn[$0] ? "│ " : "  " }
            let isLast = !(goesOn.count > depth && goesOn[depth])
            branches.append(depth == 0 ? "" : above.joined() + (isLast ? "└ " : "├ "))
            goesOn = Array(goesOn.prefix(depth + 1))
            goesOn += Array(repeating: false, count: depth + 1 - goesOn.count)
            goesOn[depth] = true
        }
        return branches.reversed()
    }

    /// Where in the whole time it lies.
    static func bar(_ offset: Double, _ took: Double, of total: Double) -> String {
        guard total > 0 else { return "" }
        let scale = Double(barWidth) / total
        let start = min(max(Int(offset * scale), 0), barWidth - 1)
        let end = min(max(Int(((offset + took) * scale).rounded(.up)), start + 1), barWidth)
        let blank = String(repeating: "·", count: start)
        return blank + String(repeating: "█", count: end - start)
            + String(repeating: "·", count: barWidth - end)
    }

    static func time(_ milliseconds: Double, width: Int = 0) -> String {
        let hundredths = (milliseconds * 100).rounded() / 100
        let text = (milliseconds < 10 ? "\(hundredths)" : "\(Int(milliseconds.rounded()))") + " ms"
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
