import Glibc

/// What a Redis server answered; asked over a Unix socket, one command a connection.
package indirect enum RedisAnswer: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case list([RedisAnswer])
    case error(String)
    case nothing

    package var list: [RedisAnswer] {
        if case .list(let items) = self { return items }
        return []
    }

    package var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    /// Entries of a stream as `XRANGE` gives them: each its fields.
    package var entries: [[String: String]] {
        list.map { entry in
            let words = (entry.list.last?.list ?? []).map { $0.text ?? "" }
            let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
            return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Blocks: call it on a thread of its own.
    static func ask(_ socket: String, _ words: [String]) throws -> RedisAnswer {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(socket.utf8.prefix(107))) }
        // SAFETY: the address lives through the call, which is told its size.
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw DevHost.Failure("no Redis at \(socket): errno \(errno)") }
        let command = words.reduce("*\(words.count)\r\n") { $0 + "$\($1.utf8.count)\r\n\($1)\r\n" }
        // A server that is gone is an error here, and no signal.
        guard
            send(descriptor, command, command.utf8.count, Int32(MSG_NOSIGNAL)) == command.utf8.count
        else {
            throw DevHost.Failure("Redis takes no command: errno \(errno)")
        }
        var reader = Reader(descriptor: descriptor)
        return try reader.answer()
    }

    private struct Reader {
        let descriptor: Int32
        var buffered: [UInt8] = []
        var start = 0

        mutating func answer() throws -> RedisAnswer {
            let line = try line()
            let rest = String(line.dropFirst())
            switch line.first {
            case "+": return .text(rest)
            case "-": return .error(rest)
            case ":": return .integer(Int(rest) ?? 0)
            case "$":
                guard let count = Int(rest), count >= 0 else { return .nothing }
                let bytes = try take(count + 2)
                return .text(String(decoding: bytes.dropLast(2), as: UTF8.self))
            case "*":
                guard let count = Int(rest), count >= 0 else { return .nothing }
                return .list(try (0..<count).map { _ in try answer() })
            default: throw DevHost.Failure("Redis said \(line)")
            }
        }

        private mutating func line() throws -> String {
            var bytes: [UInt8] = []
            while bytes.last != 10 { bytes += try take(1) }
            return String(decoding: bytes.dropLast(2), as: UTF8.self)
        }

        private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
            while buffered.count - start < count {
                var piece = [UInt8](repeating: 0, count: 65_536)
                let got = read(descriptor, &piece, piece.count)
                guard got > 0 else { throw DevHost.Failure("Redis closed the connection") }
                buffered += piece[..<got]
            }
            defer { start += count }
            return buffered[start..<(start + count)]
        }
    }
}
