import FunctionCore

extension CivilDate {
    /// Easter Sunday of the Gregorian church year, by way of the ecclesiastical full moon.
    static func easter(_ year: Int) -> CivilDate {
        let (century, golden) = (year / 100, year % 19)
        // The moon's age on 22 March, corrected for the dropped leap days and for the drift of the lunar cycle.
        let age = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30
        // The last epact falls back a day, and in late years of the cycle the one before it too.
        let moon = age - (age / 28) * (1 - (29 / (age + 1)) * ((21 - golden) / 11))
        let weekday = (year + year / 4 + moon + 2 - century + century / 4) % 7
        let march28 = Gregorian.days(year: year, month: 3, day: 28)
        return CivilDate(daysSinceEpoch: march28 + Int64(moon - weekday))
    }
}
