import FunctionCore
import Glibc
import TestSupport
import Testing

/// Figures that must not rise by accident, kept in a file beside this one.
enum Threshold {
    private static let file = "Tests/Thresholds/thresholds.json"
    private static var path: String { "\(Installed.project)/\(file)" }

    /// Compares figures to what is kept, or, with THRESHOLDS=update, keeps them with a tenth and `slack` on top.
    static func check(_ figures: [(name: String, value: Double)], slack: Double) throws {
        let text = try #require(Text.read(path), "\(file) cannot be read")
        var kept = try #require(try JSON.parse(Bytes(text)).objectValue, "\(file) is no JSON object")
        if getenv("THRESHOLDS").map({ String(cString: $0) }) == "update" {
            for figure in figures {
                kept[figure.name] = [
                    "measured": .number(rounded(figure.value)),
                    "atMost": .number(rounded(figure.value * 1.1 + slack)),
                ]
            }
            let lines = kept.map { "  \(JSON.string($0.key).text): \($0.value.text)" }.sorted()
            return Text.write("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8, to: path)
        }
        for figure in figures {
            let limit = kept[figure.name]?.objectValue?["atMost"]?.doubleValue
            #expect(
                figure.value <= limit ?? -1,
                """
                \(figure.name): \(rounded(figure.value)), and \(file) allows \(limit.map { "\($0)" } ?? "none"). \
                If the rise is meant, say why in the commit and run \
                THRESHOLDS=update swift test --filter '^Thresholds\\.'
                """
            )
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
