import Dispatch
import FunctionCore
import Glibc

/// Directories for intermediate files, each removed with all that is in it when its work is over, however it
/// ends.
///
/// Files are touched on a queue of their own: a slow disk must not hold a thread of Swift's pool.
package struct Scratch: Sendable {
    private static let queue = DispatchQueue(label: "scratch-files")
    private let parent: String

    /// Directories are made below `parent`, which is made where it is missing.
    package init(below parent: String) {
        self.parent = parent
    }

    /// Runs `body` with a new directory, which is gone when the call returns or throws.
    func with<Value: Sendable>(_ body: (ScratchDirectory) async throws -> Value) async throws -> Value {
        let parent = parent
        let directory = try await Scratch.onFiles { try ScratchDirectory(below: parent) }
        do {
            let value = try await body(directory)
            await directory.remove()
            return value
        } catch {
            await directory.remove()
            throw error
        }
    }

    /// Runs blocking file work off Swift's pool.
    static func onFiles<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}

/// One such directory.
///
/// Names are plain, without a slash.
struct ScratchDirectory: Sendable {
    let path: String

    fileprivate init(below parent: String) throws {
        try ScratchDirectory.make(parent)
        var template = Array("\(parent)/work-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ScratchDirectory.failed("make a directory below") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String) async throws {
        let path = path(name)
        try await Scratch.onFiles {
            guard let file = fopen(path, "we") else { throw ScratchDirectory.failed("write to") }
            let bytes = Array(text.utf8)
            let written = fwrite(bytes, 1, bytes.count, file)
            guard fclose(file) == 0, written == bytes.count else { throw ScratchDirectory.failed("write to") }
        }
    }

    /// Gives a file from elsewhere a name here.
    func link(_ target: String, as name: String) async throws {
        let path = path(name)
        try await Scratch.onFiles {
            guard symlink(target, path) == 0 else { throw ScratchDirectory.failed("link into") }
        }
    }

    /// The first bytes of a file, at most `limit`.
    static func read(_ path: String, limit: Int) async throws -> Bytes {
        try await Scratch.onFiles {
            guard let file = fopen(path, "re") else { throw ScratchDirectory.failed("read from") }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: limit)
            let count = fread(&bytes, 1, limit, file)
            return Bytes(Array(bytes[..<count]))
        }
    }

    fileprivate func remove() async {
        let path = path
        // What cannot be removed now is removed with the host's scratch directory at its next start.
        try? await Scratch.onFiles { ScratchDirectory.removeTree(path) }
    }

    static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                // SAFETY: the name is a terminated string within the entry, copied before the next one is
                // read.
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                let child = "\(path)/\(name)"
                if unlink(child) != 0 { removeTree(child) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    private static func make(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw failed("make") }
        }
    }

    /// No path in the message: it goes to callers.
    private static func failed(_ what: String) -> FunctionError {
        FunctionError(
            status: 503,
            code: "scratch_failed",
            message: "cannot \(what) the scratch directory: \(String(cString: strerror(errno)))"
        )
    }
}
