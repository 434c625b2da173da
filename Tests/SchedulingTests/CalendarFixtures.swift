import FunctionCore
import Scheduling

/// Calendars told date by date, as tests of windows change them.
extension CalendarRules {
    init(
        name: String,
        zone: String,
        open: TimeOfDay,
        close: TimeOfDay,
        holidays: [Holiday],
        earlyCloses: [SpecialTime],
        years: ClosedRange<Int>
    ) {
        self.init(
            name: name,
            zone: zone,
            years: years,
            hours: [Hours(open: SessionTime(open), close: SessionTime(close))],
            holidays: holidays,
            earlyCloses: earlyCloses
        )
    }

    var open: TimeOfDay { hours[0].open.time }
    var close: TimeOfDay { hours[0].close.time }
}

extension CalendarRules.Holiday {
    init(date: CivilDate, name: String) {
        self.init(name: name, day: DayRule(.dates([date])))
    }

    var date: CivilDate { day.onlyDate }
}

extension CalendarRules.SpecialTime {
    init(date: CivilDate, close: TimeOfDay, name: String) {
        self.init(name: name, day: DayRule(.dates([date])), time: SessionTime(close))
    }

    var date: CivilDate { day.onlyDate }
}

extension DayRule {
    fileprivate var onlyDate: CivilDate {
        guard case .dates(let dates) = anchor, let date = dates.first else {
            preconditionFailure("these fixtures are told date by date")
        }
        return date
    }
}
