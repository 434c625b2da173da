import FunctionCore
import Glibc

/// Zones of the compiled tz database, read once, and again when their files have changed.
///
/// A file is looked at every `recheck` at most, when its zone is asked for. One that has become unreadable
/// (a package is being replaced) leaves the rules as they were, until it is looked at again.
package struct TimeZoneDatabase: Sendable {
    /// How long what was read counts, by the real clock.
    package static let recheck: Duration = .seconds(60)

    private struct Known {
        var rules: TimeZoneRules
        var mark: Mark?
        var checked: Monotonic
    }

    /// What `stat` says of a file; a rename in its place shows as another inode.
    private struct Mark: Hashable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var info = stat()
            guard stat(path, &info) == 0 else { return nil }
            inode = UInt64(info.st_ino)
            size = Int64(info.st_size)
            seconds = info.st_mtim.tv_sec
            nanoseconds = info.st_mtim.tv_nsec
        }
    }

    private let directory: String
    private var zones: [String: Known] = [:]

    package init(directory: String = TimeZoneRules.systemDirectory) {
        self.directory = directory
    }

    /// A zone's rules, as fresh as `recheck` says; may block for one small file.
    ///
    /// - Throws: `zone_unknown` or `zone_unreadable` for a zone that was never read.
    package mutating func zone(_ name: String, now: Monotonic) throws(SchedulingError) -> TimeZoneRules {
        guard var known = zones[name] else {
            // The mark is older than what is read, so that a change between the two is seen the next time.
            let mark = Mark("\(directory)/\(name)")
            let rules = try TimeZoneRules.load(name, from: directory)
            zones[name] = Known(rules: rules, mark: mark, checked: now)
            return rules
        }
        guard now - known.checked >= TimeZoneDatabase.recheck else { return known.rules }
        known.checked = now
        let mark = Mark("\(directory)/\(name)")
        if mark != known.mark, let rules = try? TimeZoneRules.load(name, from: directory) {
            known.rules = rules
            known.mark = mark
        }
        zones[name] = known
        return known.rules
    }

    /// The release of the database, such as `2025b`, from the files that packages put beside the zones; nil
    /// where there is none.
    package static func version(of directory: String = TimeZoneRules.systemDirectory) -> String? {
        for file in ["+VERSION", "tzdata.zi"] {
            guard let line = firstLine("\(directory)/\(file)") else { continue }
            let word = line.split(separator: " ").last.map(String.init) ?? ""
            if word.utf8.count >= 5, word.prefix(4).allSatisfy(\.isNumber) { return word }
        }
        return nil
    }

    private static func firstLine(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

extension TimeZoneRules {
    /// What tells these rules from others: the database's release, or where it is not known a hash of the
    /// rules themselves.
    package func version(in directory: String = systemDirectory) -> String {
        if let release = TimeZoneDatabase.version(of: directory) { return release }
        // FNV-1a: the same in every process, which Swift's own hashes are not.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for number in steps + offsets.map({ Int64($0) }) {
            for shift in stride(from: 0, to: 64, by: 8) {
                hash = (hash ^ UInt64(truncatingIfNeeded: number >> Int64(shift)) & 0xFF) &* 0x100_0000_01B3
            }
        }
        return "content-" + String(hash, radix: 16)
    }
}
