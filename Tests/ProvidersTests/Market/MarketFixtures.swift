import FunctionCore
import Invocations
import Providers
import Synchronization

/// A clock that stands until it is set.
final class StandingClock: HostClock {
    private let instant: Mutex<Instant>

    init(_ text: String) {
        instant = Mutex(Instant(rfc3339: text) ?? Instant(seconds: 0))
    }

    var now: Instant { instant.withLock { $0 } }

    func set(_ now: Instant) { instant.withLock { $0 = now } }

    func advance(_ duration: Duration) { instant.withLock { $0 = $0 + duration } }
}

/// Sessions from 14:30 to 21:00 UTC on weekdays from 2026-01-01; Thanksgiving's Friday ends at 18:00.
struct WeekdaySessions: SessionSource {
    private static let first: Int64 = 20_454

    func session(containingOrBefore instant: Instant) -> MarketSession? {
        var day = instant.seconds / 86_400
        while day >= WeekdaySessions.first {
            if let session = session(on: day), session.open <= instant { return session }
            day -= 1
        }
        return nil
    }

    private func session(on day: Int64) -> MarketSession? {
        let weekday = (day + 4) % 7
        guard weekday != 0, weekday != 6 else { return nil }
        let midnight = Instant(seconds: day * 86_400)
        let hours: Int64 = midnight == Instant(rfc3339: "2026-11-27T00:00:00Z") ? 18 : 21
        return MarketSession(open: midnight + .seconds(52_200), close: midnight + .seconds(hours * 3600))
    }
}

/// A book in memory; can fail once before or after it has written.
final class MemoryLog: FillLog {
    enum Fault {
        case none, beforeWriting, afterWriting
    }

    private struct State {
        var entries: [(id: String, value: JSON)] = []
        var fault = Fault.none
    }

    private let state = Mutex(State())

    func fail(_ fault: Fault) { state.withLock { $0.fault = fault } }

    var count: Int { state.withLock { $0.entries.count } }

    func append(id: String, value: JSON) async throws -> JSON? {
        try state.withLock { state -> JSON? in
            let fault = state.fault
            state.fault = .none
            if fault == .beforeWriting { throw FunctionError(code: "disk_full", message: "m") }
            if let found = state.entries.first(where: { $0.id == id }) { return found.value }
            state.entries.append((id, value))
            if fault == .afterWriting { throw FunctionError(code: "connection_lost", message: "m") }
            return JSON?.none
        }
    }

    func all() async throws -> [JSON] { state.withLock { $0.entries.map(\.value) } }
}

/// Prices that a test sets.
final class SetPrices: PriceSource {
    private let closes: Mutex<[String: Int64]>

    init(_ closes: [String: Int64]) { self.closes = Mutex(closes) }

    func set(_ symbol: String, _ close: Int64) { closes.withLock { $0[symbol] = close } }

    func close(_ symbol: String) -> Int64 { closes.withLock { $0[symbol] ?? 0 } }

    func lastBar(_ symbol: String) async throws -> Bar? {
        guard let close = closes.withLock({ $0[symbol] }) else {
            throw FunctionError(status: 422, code: "unknown_symbol", message: "symbol is not known")
        }
        return Bar(time: Instant(seconds: 0), open: close, high: close, low: close, close: close, volume: 1)
    }
}

/// Takes down what a service answers.
final class AnswerRecorder: BindingAnswering {
    private let values = Mutex<[Bytes]>([])

    var value: Bytes { values.withLock { $0.first ?? Bytes() } }

    func send(_ value: Bytes) throws { values.withLock { $0.append(value) } }

    func write(_ piece: Bytes) async throws {}
}

/// A small seeded generator for tests.
struct MarketRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}
