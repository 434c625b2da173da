import Foundation
import FunctionCore
import Scheduling
import Testing

@Suite("TimeZoneDatabase", .timeLimit(.minutes(1)))
struct TimeZoneDatabaseTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Puts a zone's file in the place of another as packages do: written beside it, and renamed.
    private func put(_ zone: String, as name: String) throws {
        let source = URL(fileURLWithPath: "\(TimeZoneRules.systemDirectory)/\(zone)")
        try Data(contentsOf: source).write(to: folder.appendingPathComponent(name), options: .atomic)
    }

    private func seconds(_ seconds: Int64) -> Monotonic { Monotonic(nanoseconds: seconds * 1_000_000_000) }

    @Test(
        "a changed file is seen when a minute has passed, and not before; one that vanished changes nothing"
    )
    func changes() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try put("Asia/Tokyo", as: "Here")
        var database = TimeZoneDatabase(directory: folder.path)
        let tokyo = try database.zone("Here", now: seconds(0))
        #expect(tokyo.offset(at: at("2026-01-01T00:00:00Z")) == 32_400)
        try put("Asia/Kathmandu", as: "Here")
        #expect(try database.zone("Here", now: seconds(59)) == tokyo)
        let kathmandu = try database.zone("Here", now: seconds(60))
        #expect(kathmandu.offset(at: at("2026-01-01T00:00:00Z")) == 20_700)
        try FileManager.default.removeItem(at: folder.appendingPathComponent("Here"))
        #expect(try database.zone("Here", now: seconds(180)) == kathmandu)
        try Data("half a file".utf8).write(to: folder.appendingPathComponent("Here"))
        #expect(try database.zone("Here", now: seconds(300)) == kathmandu)
        try put("Asia/Tokyo", as: "Here")
        #expect(try database.zone("Here", now: seconds(420)) == tokyo)
        #expect(throws: SchedulingError.self) { try database.zone("There", now: seconds(420)) }
    }

    @Test("the release is read from the files beside the zones, and is else a hash of the rules")
    func version() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try put("Asia/Tokyo", as: "Here")
        let tokyo = try TimeZoneRules.load("Here", from: folder.path)
        #expect(TimeZoneDatabase.version(of: folder.path) == nil)
        let hash = tokyo.version(in: folder.path)
        #expect(hash.hasPrefix("content-") && hash == tokyo.version(in: folder.path))
        #expect(TimeZoneRules.utc.version(in: folder.path) != hash)
        try Data("# version 2031c\n# more".utf8).write(to: folder.appendingPathComponent("tzdata.zi"))
        #expect(TimeZoneDatabase.version(of: folder.path) == "2031c")
        #expect(tokyo.version(in: folder.path) == "2031c")
        try Data("2032a\n".utf8).write(to: folder.appendingPathComponent("+VERSION"))
        #expect(TimeZoneDatabase.version(of: folder.path) == "2032a")
    }

    @Test(
        "an instant is read as RFC 3339 or as a zone's clock shows it, of two the first",
        arguments: [
            ("2026-11-27T14:25:00Z", "2026-11-27T14:25:00Z"),
            ("2026-11-27T09:25:00-05:00", "2026-11-27T14:25:00Z"),
            ("2026-11-27 09:25 America/New_York", "2026-11-27T14:25:00Z"),
            ("2026-11-27T09:25:30 America/New_York", "2026-11-27T14:25:30Z"),
            ("2026-11-01 01:30 America/New_York", "2026-11-01T05:30:00Z"),
            ("2026-11-27 09:25 UTC", "2026-11-27T09:25:00Z"),
        ]
    )
    func texts(text: String, expected: String) throws {
        let instant = try Instant(text: text) { name throws(SchedulingError) in try .load(name) }
        #expect(instant == at(expected))
    }

    @Test(
        "a text that names no instant is refused with what is allowed",
        arguments: [
            ("2026-11-27 09:25", "write one like"), ("2026-11-27", "write one like"), ("", "write one like"),
            ("09:25 America/New_York", "write one like"), ("2026-02-30 09:25 UTC", "write one like"),
            ("2026-11-27 09:25 Mars/Olympus", "Mars/Olympus"), ("2026-11-27 25:00 UTC", "write one like"),
            ("2026-03-08 02:30 America/New_York", "write 2026-03-08T03:00:00"),
        ]
    )
    func refusals(text: String, hint: String) {
        let error = #expect(throws: SchedulingError.self) {
            try Instant(text: text) { name throws(SchedulingError) in try .load(name) }
        }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }
}
