import FunctionCore

/// What several markets have to be doing for a time to count.
package indirect enum CalendarExpression: Sendable, Hashable {
    /// A market by its calendar's name, and what it has to be doing.
    case market(String, while: PhaseCondition)
    case anyOf([CalendarExpression])
    case allOf([CalendarExpression])
    case noneOf([CalendarExpression])

    /// The names of all calendars in it, in their order, each once.
    package var names: [String] {
        switch self {
        case .market(let name, _): return [name]
        case .anyOf(let parts), .allOf(let parts), .noneOf(let parts):
            var names: [String] = []
            for name in parts.flatMap(\.names) where !names.contains(name) { names.append(name) }
            return names
        }
    }

    /// When it holds, for as long as all of its calendars know.
    ///
    /// Throws what `calendar` throws: it finds a calendar by its name. An empty list of parts is refused.
    package func spans(
        _ calendar: (String) throws(SchedulingError) -> MarketCalendar
    ) throws(SchedulingError) -> TimeSpans {
        switch self {
        case .market(let name, let condition): return try calendar(name).spans(while: condition)
        case .anyOf(let parts): return try fold(parts, calendar) { $0.union($1) }
        case .allOf(let parts): return try fold(parts, calendar) { $0.intersection($1) }
        case .noneOf(let parts): return try fold(parts, calendar) { $0.union($1) }.inverted
        }
    }

    private func fold(
        _ parts: [CalendarExpression],
        _ calendar: (String) throws(SchedulingError) -> MarketCalendar,
        _ combine: (TimeSpans, TimeSpans) -> TimeSpans
    ) throws(SchedulingError) -> TimeSpans {
        var result: TimeSpans?
        for part in parts {
            let spans = try part.spans(calendar)
            result = result.map { combine($0, spans) } ?? spans
        }
        guard let result else {
            throw SchedulingError(.calendarInvalid, "an empty list of calendars: name one at least")
        }
        return result
    }
}
