import FunctionCore
import Glibc
import Scheduling

// Times the search for nominal times within one process: a JSON object a line as `swiftlet cron next --batch`
// reads them, answered by the nanoseconds an occurrence took, how many there were, and the last of them.

func measure(_ request: JSON, _ zones: inout [String: TimeZoneRules]) throws -> JSON {
    guard let text = request["expr"]?.stringValue, let name = request["zone"]?.stringValue,
        let from = request["from"]?.stringValue.flatMap({ Instant(rfc3339: $0) }),
        let count = request["count"]?.intValue
    else { return ["error": "write expr, zone, from and count"] }
    let zone = try zones[name] ?? TimeZoneRules.load(name)
    zones[name] = zone
    let cron = try CronExpression(text)
    var instant = from
    var found: Int64 = 0
    let begin = Monotonic.now
    while found < count, let next = cron.next(after: instant, zone: zone) {
        instant = next
        found += 1
    }
    let spent = (Monotonic.now - begin).nanoseconds
    return [
        "nanoseconds": .number(Double(spent) / Double(max(found, 1))), "occurrences": .integer(found),
        "last": .string(instant.rfc3339),
    ]
}

/// Written at once: whoever asks waits for each line.
func answer(_ answer: JSON) {
    let line = answer.text + "\n"
    _ = write(1, line, line.utf8.count)
}

var zones: [String: TimeZoneRules] = [:]
while let line = readLine() {
    do {
        answer(try measure(JSON.parse(Bytes(line)), &zones))
    } catch {
        answer(["error": .string("\(error)")])
    }
}
