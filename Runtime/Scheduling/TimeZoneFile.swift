import FunctionCore
import Glibc

extension TimeZoneRules {
    /// Where Debian and most others keep the compiled tz database.
    package static let systemDirectory = "/usr/share/zoneinfo"

    /// A zone file has a few kilobytes; what is larger than this is none.
    private static let sizeLimit = 256 * 1_024

    /// Reads a zone from the tz database; blocks for one small file.
    ///
    /// - Parameters:
    ///   - name: The zone's name, such as `America/New_York`; `UTC` needs no file.
    ///   - directory: The root of the compiled database.
    /// - Returns: The zone's rules.
    /// - Throws: `zone_unknown` or `zone_unreadable`, with the zone's name and the remedy.
    package static func load(
        _ name: String,
        from directory: String = systemDirectory
    ) throws(SchedulingError) -> TimeZoneRules {
        if name == "UTC" || name == "Etc/UTC" { return .utc }
        guard isPlausible(name) else {
            throw SchedulingError(
                .zoneUnknown,
                "time zone \"\(name)\" is no name of the tz database: write one like America/New_York or UTC"
            )
        }
        let bytes = try read(zone: name, path: "\(directory)/\(name)", directory: directory)
        guard var reader = TimeZoneFileReader(bytes), let rules = reader.rules(name: name) else {
            throw SchedulingError(
                .zoneUnreadable,
                "time zone \(name): its file in \(directory) is no TZif file of version 2 or later: "
                    + "reinstall the package tzdata"
            )
        }
        return rules
    }

    /// Letters, digits and `_+-` in parts set apart by `/`, so that no name leads out of the database.
    private static func isPlausible(_ name: String) -> Bool {
        guard name.utf8.count <= 64 else { return false }
        return name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                        UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }

    private static func read(
        zone name: String,
        path: String,
        directory: String
    ) throws(SchedulingError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SchedulingError(
                .zoneUnknown,
                "time zone \(name): \(directory) has no such zone: check the spelling, "
                    + "or install the package tzdata"
            )
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit + 1)
        var length = 0
        while length < bytes.count {
            // SAFETY: the call writes at most the buffer's count into it and does not keep the pointer.
            let count = bytes[length...].withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 && errno == EINTR { continue }
            // A directory such as `America` opens but cannot be read: it is no zone either.
            guard count >= 0 else {
                throw SchedulingError(
                    .zoneUnreadable,
                    "time zone \(name): its file in \(directory) cannot be read: check that it names a zone "
                        + "and not a region, and the file's permissions"
                )
            }
            if count == 0 { break }
            length += count
        }
        guard length <= sizeLimit else {
            throw SchedulingError(
                .zoneUnreadable,
                "time zone \(name): its file in \(directory) is larger than \(sizeLimit) bytes: "
                    + "reinstall the package tzdata"
            )
        }
        return Array(bytes[..<length])
    }
}

/// Reads the second, 64-bit block of a TZif file (RFC 8536) and its footer.
///
/// Every count is checked against the length of the file before anything is read by it. A file that counts
/// leap seconds (the `right/` tree) is refused, as an `Instant` does not.
struct TimeZoneFileReader {
    private struct Header {
        let version: UInt8
        let isUTCCount, isStandardCount, leapCount, transitionCount, typeCount, designationCount: Int

        /// The length of the block behind the header, where a time takes `timeSize` bytes.
        func blockLength(timeSize: Int) -> Int {
            transitionCount * (timeSize + 1) + typeCount * 6 + designationCount
                + leapCount * (timeSize + 4) + isStandardCount + isUTCCount
        }
    }

    private let bytes: [UInt8]
    private var position: Int
    private let header: Header

    init?(_ bytes: [UInt8]) {
        guard let first = TimeZoneFileReader.header(bytes, at: 0), first.version >= UInt8(ascii: "2") else {
            return nil
        }
        let second = 44 + first.blockLength(timeSize: 4)
        guard let header = TimeZoneFileReader.header(bytes, at: second), header.typeCount > 0,
            header.typeCount <= 256, header.leapCount == 0,
            second + 44 + header.blockLength(timeSize: 8) <= bytes.count
        else { return nil }
        self.bytes = bytes
        self.header = header
        position = second + 44
    }

    mutating func rules(name: String) -> TimeZoneRules? {
        var times: [Int64] = []
        for _ in 0..<header.transitionCount {
            times.append(Int64(bitPattern: number(size: 8)))
        }
        let types = bytes[position..<position + header.transitionCount]
        position += header.transitionCount
        var offsets: [Int32] = []
        for _ in 0..<header.typeCount {
            offsets.append(Int32(truncatingIfNeeded: number(size: 4)))
            position += 2
        }
        position += header.designationCount + header.isStandardCount + header.isUTCCount
        guard offsets.allSatisfy({ abs(Int($0)) <= 93_600 }), types.allSatisfy({ $0 < header.typeCount }),
            zip(times, times.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        var transitions = zip(times, types).map { (at: $0, offset: offsets[Int($1)]) }
        guard let footer = footer() else { return nil }
        if !footer.isEmpty {
            guard let rule = PosixZoneRule(footer) else { return nil }
            transitions += rule.transitions(after: times.last)
        }
        return TimeZoneRules(name: name, initialOffset: offsets[0], transitions: transitions)
    }

    /// The text between the two line feeds behind the block; empty if the file promises nothing further.
    private func footer() -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\n"),
            let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        return String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
    }

    private mutating func number(size: Int) -> UInt64 {
        defer { position += size }
        return TimeZoneFileReader.number(bytes, at: position, size: size)
    }

    private static func header(_ bytes: [UInt8], at start: Int) -> Header? {
        guard start + 44 <= bytes.count, Array(bytes[start..<start + 4]) == Array("TZif".utf8) else {
            return nil
        }
        func count(_ index: Int) -> Int { Int(number(bytes, at: start + 20 + index * 4, size: 4)) }
        return Header(
            version: bytes[start + 4],
            isUTCCount: count(0),
            isStandardCount: count(1),
            leapCount: count(2),
            transitionCount: count(3),
            typeCount: count(4),
            designationCount: count(5)
        )
    }

    private static func number(_ bytes: [UInt8], at start: Int, size: Int) -> UInt64 {
        bytes[start..<start + size].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
