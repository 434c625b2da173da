import FunctionCore
import Scheduling
import Settings

/// Cron expressions, with their zone, dialect and policy.
extension ScheduleReader {
    mutating func cron(_ node: SettingsNode, _ members: [String: SettingsNode]) -> ScheduleEntry.Kind? {
        let dialect = word(members["dialect"], CronDialect.self)
        let daylight = word(members["dst"], CronDaylightPolicy.self)
        guard let text = node.string() else { return nil }
        let explicit = members["zone"]?.string()
        do throws(SchedulingError) {
            let cron = try CronExpression(text, dialect: dialect ?? .vixie, daylight: daylight ?? .cron)
            let name = try cron.zoneName(agreeingWith: explicit)
            if cron.isReboot {
                let hint = "write a time; for a worker from the start on, scale: {min: 1} in the manifest"
                node.wrong("`@reboot` names no time, and a start of the host begins no run", hint: hint)
                return nil
            }
            if let warning = cron.warning { node.warn(warning, hint: "correct it, or take the schedule out") }
            let place = explicit == nil ? node : members["zone"] ?? node
            return zone(name, at: place).map { .cron(cron, zone: $0) }
        } catch {
            if let place = members["zone"] { _ = zone(place) }
            node.wrong(
                error.message,
                hint: dialect == .quartz
                    ? "second minute hour day month weekday, such as 0 30 9 ? * 2-6"
                    : "minute hour day month weekday, such as 30 9 * * 1-5"
            )
            return nil
        }
    }

    private func word<Word: RawRepresentable & CaseIterable>(
        _ node: SettingsNode?,
        _ words: Word.Type
    ) -> Word?
    where Word.RawValue == String {
        node?.word(words.allCases.map(\.rawValue)).flatMap { Word(rawValue: $0) }
    }
}
