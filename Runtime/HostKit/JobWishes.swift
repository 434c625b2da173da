import FunctionCore
import Invocations
import Journal
import Settings

/// What a request says of the job that it asks for: when, how urgently, beside which others.
package struct JobWishes: Sendable, Hashable {
    package var runAt: Instant?
    package var priority = 0
    package var key: String?
    package var unique: UniqueWish?
    package var expires: Instant?

    /// The longest key in bytes.
    package static let keyLimit = 256

    package init() {}

    /// Reads them; `name` turns a wish's name, such as `run-at`, into that of the field it comes in, and
    /// `value` looks such a field up.
    /// - Throws: `FunctionError` 422 with all faults.
    package init(
        now: Instant,
        name: (String) -> String,
        value: (String) -> String?
    ) throws(FunctionError) {
        var faults: [Fault] = []
        func read<Value>(_ wish: String, _ rule: String, _ parse: (String) -> Value?) -> Value? {
            guard let text = value(name(wish)) else { return nil }
            if let found = parse(text) { return found }
            faults.append(Fault(name(wish), "form", "`\(name(wish))` must be \(rule)"))
            return nil
        }
        let key = { (text: String) -> String? in
            (1...JobWishes.keyLimit).contains(text.utf8.count) ? text : nil
        }
        let duration = "a duration such as 250ms, 30s, 5m, 1h or 7d"
        let delay = read("delay", duration, parseDuration)
        runAt = read("run-at", "an instant such as 2026-11-20T14:25:00Z", Instant.init(rfc3339:))
        if let delay {
            if runAt == nil {
                runAt = now + delay
            } else {
                let both = "send `\(name("delay"))` or `\(name("run-at"))`, not both"
                faults.append(Fault(name("delay"), "exclusive", both))
            }
        }
        let digits = "a whole number from 0 to 9; the higher runs first"
        priority = read("priority", digits) { Int($0).flatMap { (0...9).contains($0) ? $0 : nil } } ?? 0
        self.key = read("key", "a text of 1 to \(JobWishes.keyLimit) bytes", key)
        let period = read("unique-for", duration, parseDuration)
        if let text = read("unique", "a text of 1 to \(JobWishes.keyLimit) bytes", key) {
            unique = UniqueWish(key: text, period: period)
        } else if period != nil {
            let alone = "`\(name("unique-for"))` goes with `\(name("unique"))`, the key that is to be unique"
            faults.append(Fault(name("unique-for"), "required", alone))
        }
        expires = read("expires-in", duration, parseDuration).map { (runAt ?? now) + $0 }
        guard faults.isEmpty else { throw FunctionError.invalid(faults) }
    }

    /// Those of an HTTP request, in fields such as `Job-Run-At`.
    package static func headers(_ headers: [Header], now: Instant) throws(FunctionError) -> JobWishes {
        guard headers.contains(where: { $0.name.utf8.count > 4 && $0.name.lowercased().hasPrefix("job-") })
        else { return JobWishes() }
        return try JobWishes(now: now, name: { "job-\($0)" }, value: { headers.first($0) })
    }

    /// Those of the admin API, in a query such as `run_at=…`.
    package static func query(_ query: [String: String], now: Instant) throws(FunctionError) -> JobWishes {
        try JobWishes(
            now: now,
            name: { String($0.map { $0 == "-" ? "_" : $0 }) },
            value: { name in query[name].flatMap { $0.isEmpty ? nil : $0 } }
        )
    }
}

extension NewJob {
    /// What the request says of its job; before `follow`, which leaves it so.
    mutating func heed(_ wishes: JobWishes) {
        runAt = wishes.runAt
        key = wishes.key ?? ""
        priority = wishes.priority
        unique = wishes.unique
        expires = wishes.expires
    }
}
