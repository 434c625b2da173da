import FunctionCore

/// Makes up prices: one bar for each minute of a session, the same for the same seed, symbol and session, on
/// every machine.
///
/// A walk over the days gives the price at which each session opens and closes, so that any session can be
/// made without those before it. Inside a session the price trends up, trends down or wavers, changing its
/// mind about every sixty minutes, so that a rule which follows trends can earn something after costs. Only
/// additions and multiplications of doubles are used, as their results are the same everywhere.
package struct MarketGenerator: Sendable {
    /// The day on which every walk begins: 2020-01-01, in days since 1970.
    private static let firstDay: Int64 = 18_262
    /// The walk is not followed further than this; later days repeat its last price.
    ///
    /// About 137 years.
    private static let mostDays: Int64 = 50_000

    private let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// All bars of a session, oldest first.
    package func bars(_ symbol: String, in session: MarketSession) -> [Bar] {
        let count = session.minutes
        guard count > 0 else { return [] }
        let day = MarketGenerator.day(session.open)
        let (opening, closing) = dayPrices(symbol, day)
        var random = SplitMix64(state: key(symbol, 1 << 40 ^ UInt64(bitPattern: day)))
        let path = minutePath(count, &random)
        // The walk inside the session is tilted so that it ends where the walk over days says.
        let tilt = (closing / opening - 1 - path[count]) / Double(count)
        var bars: [Bar] = []
        bars.reserveCapacity(count)
        var last = MarketGenerator.cents(opening)
        for minute in 0..<count {
            let close = MarketGenerator.cents(opening * (1 + path[minute + 1] + tilt * Double(minute + 1)))
            let reach = Double(max(last, close)) * 0.0004
            bars.append(
                Bar(
                    time: session.open + .seconds(60 * minute),
                    open: last,
                    high: max(last, close) + Int64(reach * random.unit()),
                    low: max(1, min(last, close) - Int64(reach * random.unit())),
                    close: close,
                    volume: MarketGenerator.volume(minute, of: count, random.unit())
                )
            )
            last = close
        }
        return bars
    }

    /// The relative change since the opening after each minute; the first is 0.
    private func minutePath(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        var path = [0.0]
        path.reserveCapacity(count + 1)
        var trend = random.trend()
        var previous = 0.0
        for _ in 0..<count {
            if random.unit() < 1.0 / 60 { trend = random.trend() }
            // A mild momentum on top of the trend: a tenth of the last minute's change goes on.
            let change = trend + 0.1 * previous + 0.0007 * random.bell()
            previous = change
            path.append((path.last ?? 0) + change)
        }
        return path
    }

    /// The price before the first trade of a day and after its last, in minor units.
    private func dayPrices(_ symbol: String, _ day: Int64) -> (opening: Double, closing: Double) {
        var names = SplitMix64(state: key(symbol, 0))
        let base = 4_000 + 26_000 * names.unit()
        var price = base
        let last = min(day, MarketGenerator.firstDay + MarketGenerator.mostDays)
        var step = MarketGenerator.firstDay
        while step < last {
            price = next(price, base, symbol, step)
            step += 1
        }
        return (price, day <= MarketGenerator.firstDay ? price : next(price, base, symbol, last))
    }

    /// The price a day later.
    ///
    /// Weekends change nothing; a pull towards the base keeps a century of walking in bounds.
    private func next(_ price: Double, _ base: Double, _ symbol: String, _ day: Int64) -> Double {
        let weekday = (day + 4) % 7
        guard weekday != 0, weekday != 6 else { return price }
        var random = SplitMix64(state: key(symbol, UInt64(bitPattern: day)))
        let change = 0.012 * random.bell() - 0.004 * (price / base - 1)
        return min(max(price * (1 + change), base / 5), base * 5)
    }

    /// A stream of its own for each symbol and purpose.
    private func key(_ symbol: String, _ salt: UInt64) -> UInt64 {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in symbol.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        var mixer = SplitMix64(state: seed ^ hash)
        return mixer.next() ^ (salt &* 0x9E37_79B9_7F4A_7C15)
    }

    private static func cents(_ price: Double) -> Int64 { max(1, Int64(price.rounded())) }

    /// More is traded near the opening and the close.
    private static func volume(_ minute: Int, of count: Int, _ unit: Double) -> Int64 {
        let place = Double(2 * minute - count) / Double(count)
        return 200 + Int64(1_800 * place * place) + Int64(600 * unit)
    }

    /// The day of an instant in UTC; sessions of XNYS lie inside one.
    private static func day(_ instant: Instant) -> Int64 {
        let seconds = instant.seconds
        return seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }
}

/// Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): small, quick and good enough for prices.
struct SplitMix64: Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to 1, exclusive.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// About normal, with mean 0 and deviation 1: twelve uniform numbers, as logarithms differ between
    /// machines.
    mutating func bell() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit() }
        return sum
    }

    /// The drift of a minute until the next change of mind: up, down, or none.
    mutating func trend() -> Double {
        switch next() % 5 {
        case 0, 1: 0.0002
        case 2, 3: -0.0002
        default: 0
        }
    }
}
