import FunctionCore
import Journal
import Providers
import Scheduling
import Synchronization
import UserData

/// The sessions of the calendar in force, for prices and the broker; none where there is no calendar.
///
/// Threading: any. They are those by which the trading function's window opens; without one New York's, or what the
/// project has.
package final class CalendarSessions: SessionSource {
    private let calendar: Mutex<MarketCalendar?>

    package init(_ book: ScheduleBook) {
        calendar = Mutex(CalendarSessions.calendar(of: book))
    }

    /// Goes by another project's calendar from now on.
    func replace(_ book: ScheduleBook) {
        let other = CalendarSessions.calendar(of: book)
        calendar.withLock { $0 = other }
    }

    private static func calendar(of book: ScheduleBook) -> MarketCalendar? {
        let rotation = book.rotations.first { $0.id == book.rotationOf["trading"] }
        return rotation?.calendar ?? book.calendars["XNYS"]
            ?? book.calendars.min { $0.key < $1.key }?.value
    }

    package func session(containingOrBefore instant: Instant) -> MarketSession? {
        guard let sessions = calendar.withLock({ $0?.sessions }) else { return nil }
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
