import FunctionCore
import Invocations

extension ManifestReader {
    /// Reads one entry of `rateLimits`.
    static func readRate(_ node: SettingsNode) -> Manifest.RateLimit? {
        let members = node.members(["per", "header", "rate", "burst"])
        let partitions = ["key", "user", "address", "function"]
        guard let word = (members["per"] ?? node.missing("per", "user"))?.word(partitions),
            let rate = members["rate"] ?? node.missing("rate", "10/s"),
            let text = rate.string()
        else { return nil }
        guard let (count, window) = parseRate(text) else {
            rate.wrong("`\(text)` is no rate", hint: "such as 10/s, 100/m or 5/30s")
            return nil
        }
        let interval = window.nanoseconds / 1000 / Int64(count)
        guard interval >= 100, window <= .seconds(7 * 86_400) else {
            rate.wrong("`\(text)` is out of range", hint: "at most 10000/s, in at most 7d")
            return nil
        }
        if let header = members["header"], word != "key" {
            header.wrong("`header` goes with `per: key` alone", hint: "remove it, or count per key")
        }
        let burst = members["burst"]?.integer(1...100_000) ?? min(count, 100_000)
        // What a bucket is reckoned with must stay exact, also in Redis's floating point.
        guard interval * Int64(burst) <= 366 * 86_400_000_000 else {
            let hint = "an empty bucket must be full again within a year"
            (members["burst"] ?? rate).wrong("a burst of \(burst) is too much for \(text)", hint: hint)
            return nil
        }
        return Manifest.RateLimit(
            per: partition(word, members["header"]),
            count: count,
            window: window,
            burst: burst,
            line: node.line
        )
    }

    private static func partition(_ word: String, _ header: SettingsNode?) -> Manifest.RateLimit.Partition {
        switch word {
        case "user": return .user
        case "address": return .address
        case "function": return .function
        default:
            let name = header?.string() ?? "x-api-key"
            let marks: Set<UInt8> = [33, 35, 36, 37, 38, 39, 42, 43, 45, 46, 94, 95, 96, 124, 126]
            let isName =
                !name.isEmpty
                && name.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                        || marks.contains(byte)
                }
            if !isName { header?.wrong("`\(name)` is no header's name", hint: "such as x-api-key") }
            return .key(header: name.lowercased())
        }
    }

    /// `10/s`, `100/m`, `5/30s`: how many in which time.
    static func parseRate(_ text: String) -> (count: Int, window: Duration)? {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000).contains(count) else { return nil }
        let window = parseDuration(parts[1]) ?? parseDuration("1\(parts[1])")
        guard let window, window > .zero else { return nil }
        return (count, window)
    }
}
