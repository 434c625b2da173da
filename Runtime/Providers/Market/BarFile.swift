import FunctionCore

/// Why a file of bars cannot be used.
package struct BarFileError: Error, Sendable, CustomStringConvertible {
    /// Where, for messages: the file's name.
    package var file: String
    /// The line, from 1.
    package var line: Int
    package var message: String

    package var description: String { "\(file):\(line): \(message)" }
}

/// Reads bars from CSV: a header `time,open,high,low,close,volume`, then one bar a line, oldest first, prices
/// in minor units.
package enum BarFile {
    private static let header = "time,open,high,low,close,volume"
    /// About ten years of minutes; the bars are held in memory, at 48 bytes each.
    private static let mostBars = 1_000_000
    /// Beyond this sums of prices could leave 64 bits.
    private static let highestPrice: Int64 = 10_000_000_000

    /// - Throws: `BarFileError`, naming the first line that breaks a rule.
    package static func bars(_ text: String, file: String) throws(BarFileError) -> [Bar] {
        var bars: [Bar] = []
        var number = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            number += 1
            if number == 1 {
                guard line.filter({ !$0.isWhitespace && $0 != "\u{FEFF}" }).lowercased() == header else {
                    throw BarFileError(file: file, line: 1, message: "the first line must be \(header)")
                }
                continue
            }
            if line.allSatisfy(\.isWhitespace) { continue }
            do throws(BarRuleError) {
                let bar = try bar(line)
                if let last = bars.last, bar.time < last.time + .seconds(60) {
                    throw BarRuleError("time must be at least a minute after the bar before")
                }
                bars.append(bar)
            } catch {
                throw BarFileError(file: file, line: number, message: error.message)
            }
            guard bars.count <= mostBars else {
                throw BarFileError(
                    file: file,
                    line: number,
                    message: "a file may have \(mostBars) bars at most"
                )
            }
        }
        guard !bars.isEmpty else {
            throw BarFileError(file: file, line: max(1, number), message: "there are no bars")
        }
        return bars
    }

    private static func bar(_ line: Substring) throws(BarRuleError) -> Bar {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
            String(field.filter { !$0.isWhitespace })
        }
        guard fields.count == 6 else { throw BarRuleError("a bar has 6 fields; here are \(fields.count)") }
        guard let time = Instant(rfc3339: fields[0]) else {
            throw BarRuleError("time must be like 2026-11-20T14:30:00Z; it is \(fields[0].prefix(40))")
        }
        let names = ["open", "high", "low", "close"]
        var prices: [Int64] = []
        for (name, field) in zip(names, fields[1...4]) {
            guard let price = Int64(field), (1...highestPrice).contains(price) else {
                throw BarRuleError("\(name) must be a whole number of minor units from 1 to \(highestPrice)")
            }
            prices.append(price)
        }
        guard let volume = Int64(fields[5]), volume >= 0 else {
            throw BarRuleError("volume must be a whole number from 0")
        }
        let (open, high, low, close) = (prices[0], prices[1], prices[2], prices[3])
        guard low <= min(open, close), high >= max(open, close) else {
            throw BarRuleError("low and high must enclose open and close")
        }
        return Bar(time: time, open: open, high: high, low: low, close: close, volume: volume)
    }
}

/// A rule that one line breaks.
private struct BarRuleError: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}
