import FunctionCore
import Journal
import Providers
import Scheduling
import UserData

/// The sessions of a calendar, for prices and the broker.
struct CalendarSessions: SessionSource {
    let calendar: MarketCalendar

    func session(containingOrBefore instant: Instant) -> MarketSession? {
        let sessions = calendar.sessions
        var low = 0
        var high = sessions.count
        while low < high {
            let middle = (low + high) / 2
            if sessions[middle].open <= instant { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return MarketSession(open: sessions[low - 1].open, close: sessions[low - 1].close)
    }
}

/// No calendar, no session.
struct NoSessions: SessionSource {
    func session(containingOrBefore instant: Instant) -> MarketSession? { nil }
}

/// The broker's book in the journal.
struct JournalFills: FillLog {
    let log: KeyedLog
    private let name = "broker"

    init(log: KeyedLog) {
        self.log = log
    }

    func append(id: String, value: JSON) async throws -> JSON? {
        switch try await log.append(name, id: id, value) {
        case .appended: nil
        case .exists(let entry): entry.value
        }
    }

    func all() async throws -> [JSON] {
        var all: [JSON] = []
        var after: Int64 = 0
        while true {
            let entries = try await log.entries(name, after: after, limit: 1000)
            guard let last = entries.last else { return all }
            all += entries.map(\.value)
            after = last.sequence
        }
    }
}

extension BlobStore: MediaStore {}
