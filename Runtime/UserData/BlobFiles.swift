import Glibc
import Invocations
import Storage

/// The blobs' files.
///
/// Each has a name of its own that is never used again, so that a file is whole or not there, and a new
/// version of a blob never changes what somebody is reading. All of it blocks: call it on a `BlockingLane`.
struct BlobFiles: Sendable {
    /// A file that is on the disk, and not yet in the index.
    struct Stored: Sendable {
        /// Under `objects/`: two digits of the hash, a slash, more of it, a unique part.
        var name: String
        var sha256: String
        var size: Int
    }

    /// How much is read or hashed at once.
    static let piece = 64 * 1024

    private let root: String
    private var incoming: String { root + "/incoming" }

    init(root: String) {
        self.root = root
    }

    /// Makes the directories, and clears what a crash has left half-written.
    func prepare() throws {
        try makeDirectory(root + "/objects")
        try makeDirectory(incoming)
        for name in try names(in: incoming) { unlink("\(incoming)/\(name)") }
    }

    func path(_ name: String) -> String { "\(root)/objects/\(name)" }

    /// Stores bytes.
    ///
    /// When this returns, file and name are durable.
    func store(_ bytes: [UInt8], suffix: String) throws -> Stored {
        let path = "\(incoming)/\(InvocationID.next())"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fileError("open", path) }
        defer { Glibc.close(descriptor) }
        do {
            try writeAll(descriptor, bytes, path: path)
            guard fsync(descriptor) == 0 else { throw fileError("fsync", path) }
            return try publish(path, hexadecimal(SHA256.hash(bytes)), bytes.count, suffix)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Takes a file over; it is gone from its place afterwards.
    ///
    /// A file of another file system is copied first.
    func adopt(_ source: String, suffix: String) throws -> Stored {
        let path = "\(incoming)/\(InvocationID.next())"
        if rename(source, path) != 0 {
            guard errno == EXDEV else { throw fileError("rename", source) }
            try copy(source, to: path)
            unlink(source)
        }
        do {
            // A link would lead out of the store, so it is not followed.
            let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0, fileSize(path) != nil else { throw fileError("open", source) }
            defer { Glibc.close(descriptor) }
            fchmod(descriptor, 0o600)
            let hash = SHA256()
            var size = 0
            while true {
                let piece = try readAt(descriptor, size, limit: Self.piece, path: path)
                if piece.isEmpty { break }
                hash.update(piece)
                size += piece.count
            }
            guard fsync(descriptor) == 0 else { throw fileError("fsync", path) }
            return try publish(path, hexadecimal(hash.finish()), size, suffix)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Opens a file for reading, or nil where it has gone.
    func descriptor(_ name: String) throws -> Int32? {
        let path = path(name)
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        if descriptor >= 0 { return descriptor }
        if errno == ENOENT { return nil }
        throw fileError("open", path)
    }

    /// Removes files.
    ///
    /// One that stays is an orphan, which `check` finds.
    func remove(_ names: [String]) {
        for name in names { unlink(path(name)) }
    }

    /// All files with their sizes.
    func all() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for directory in try names(in: root + "/objects") {
            for file in try names(in: "\(root)/objects/\(directory)") {
                let name = "\(directory)/\(file)"
                found[name] = fileSize(path(name)) ?? 0
            }
        }
        return found
    }

    private func publish(_ path: String, _ sha256: String, _ size: Int, _ suffix: String) throws -> Stored {
        let directory = String(sha256.prefix(2))
        let name = "\(directory)/\(sha256.prefix(32))-\(InvocationID.next())\(suffix)"
        if mkdir(self.path(directory), 0o700) == 0 {
            try syncDirectory(root + "/objects")
        } else if errno != EEXIST {
            throw fileError("mkdir", self.path(directory))
        }
        guard rename(path, self.path(name)) == 0 else { throw fileError("rename", self.path(name)) }
        try syncDirectory(self.path(directory))
        return Stored(name: name, sha256: sha256, size: size)
    }

    private func copy(_ source: String, to path: String) throws {
        let from = open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard from >= 0 else { throw fileError("open", source) }
        defer { Glibc.close(from) }
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw fileError("open", path) }
        defer { Glibc.close(target) }
        var offset = 0
        while true {
            let piece = try readAt(from, offset, limit: Self.piece, path: source)
            if piece.isEmpty { return }
            try writeAll(target, piece, path: path)
            offset += piece.count
        }
    }
}
