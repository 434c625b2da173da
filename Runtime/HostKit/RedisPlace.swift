import Glibc

/// Where the embedded Redis of a data directory keeps its things.
struct RedisPlace: Sendable {
    let directory: String
    let socket: String
    /// Where the socket lies if the usual place has too long a name.
    private let shortDirectory: String?

    var pidfile: String { "\(directory)/redis.pid" }
    var log: String { "\(directory)/redis.log" }

    /// Makes the directories, for their owner alone.
    init(dataDirectory: String) throws(EmbeddedRedisError) {
        let path = "\(dataDirectory)/redis"
        try RedisPlace.make(dataDirectory)
        try RedisPlace.make(path)
        guard let resolved = realpath(path, nil) else {
            throw EmbeddedRedisError(
                code: .directory,
                message: "\(path) cannot be resolved; check its rights"
            )
        }
        directory = String(cString: resolved)
        free(resolved)
        let usual = "\(directory)/redis.sock"
        // sockaddr_un holds 108 bytes with the final zero.
        if usual.utf8.count < 108 {
            socket = usual
            shortDirectory = nil
        } else {
            let short = "/tmp/swiftlet-\(getuid())-\(RedisPlace.hash(directory))"
            try RedisPlace.make(short)
            socket = "\(short)/redis.sock"
            shortDirectory = short
        }
    }

    func arguments(port: Int) -> [String] {
        [
            "--bind", "127.0.0.1", "--port", "\(port)", "--unixsocket", socket, "--unixsocketperm", "700",
            "--dir", directory, "--pidfile", pidfile, "--logfile", log, "--daemonize", "no",
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy",
            "noeviction",
        ]
    }

    /// The server that still runs here, by the pidfile; nil where that process is gone, a zombie, or
    /// something else.
    ///
    /// A Redis server works in its data's directory, and names itself: both must fit, as a pid may have
    /// passed to a stranger.
    var leftover: pid_t? {
        guard
            let pid = RedisPlace.read(pidfile, limit: 32).flatMap({ pid_t($0.prefix { $0.isNumber }) }),
            pid > 1,
            RedisPlace.read("/proc/\(pid)/comm", limit: 64)?.hasPrefix("redis-server") == true
        else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(pid)/cwd", &buffer, buffer.count)
        guard count > 0 else { return nil }
        let working = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return working == directory ? pid : nil
    }

    /// Leaves nothing in /tmp; a directory with a socket in it, of a newer server, stays.
    func removeShortDirectory() {
        if let shortDirectory { rmdir(shortDirectory) }
    }

    /// The end of the server's log on one line, for a message.
    var logTail: String {
        let text = RedisPlace.read(log, limit: 1 << 20) ?? "(there is no log)"
        return text.split(separator: "\n").suffix(3).joined(separator: " | ")
    }

    /// A directory that is ours and only ours: in /tmp somebody else may have been there first.
    private static func make(_ path: String) throws(EmbeddedRedisError) {
        if mkdir(path, 0o700) == 0 { return }
        var info = stat()
        guard errno == EEXIST, lstat(path, &info) == 0 else {
            let reason = String(cString: strerror(errno))
            throw EmbeddedRedisError(code: .directory, message: "\(path) cannot be made: \(reason)")
        }
        guard
            !path.hasPrefix("/tmp/swiftlet-") || (info.st_uid == getuid() && info.st_mode & S_IFMT == S_IFDIR)
        else {
            throw EmbeddedRedisError(
                code: .directory,
                message: "\(path) belongs to somebody else; remove it, or choose a shorter data directory"
            )
        }
    }

    private static func read(_ path: String, limit: Int) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = Glibc.read(descriptor, &buffer, limit)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// FNV-1a, so that a directory has the same short name at every start.
    private static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return String(value, radix: 36)
    }
}
