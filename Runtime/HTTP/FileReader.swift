import FunctionCore
import Glibc
import NIOPosix

/// Reads a file in pieces on threads of its own, as a disk may block where a socket does not.
///
/// Holds the file open for as long as it lives.
package final class FileReader: Sendable {
    /// A piece is what a slow client holds in memory of a large file.
    static let piece = 128 * 1024
    /// Two threads: more would only queue at the disk.
    static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    /// The file cannot be read, or is shorter than was said.
    struct Failure: Error {
        var code: Int32
    }

    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    // Not in a job for the threads: a cancelled task's jobs may never run, and closing what was only read
    // does not wait.
    deinit {
        Glibc.close(descriptor)
    }

    /// Opens a regular file.
    static func open(_ path: String) async throws -> FileReader {
        try await threads.runIfActive {
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else { throw Failure(code: errno) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                Glibc.close(descriptor)
                throw Failure(code: EINVAL)
            }
            return FileReader(descriptor: descriptor)
        }
    }

    /// Gives `length` bytes from `offset` to `take`, which is waited for.
    /// - Throws: `Failure` at an early end.
    func read(from offset: Int64, length: Int64, take: @Sendable (Bytes) async throws -> Void) async throws {
        var position = offset
        let end = offset + length
        while position < end {
            let bytes = try await read(at: position, count: Int(min(Int64(Self.piece), end - position)))
            position += Int64(bytes.count)
            try await take(bytes)
        }
    }

    /// All of a part that is one piece at most.
    func all(from offset: Int64, length: Int64) async throws -> Bytes {
        if length == 0 { return Bytes() }
        let bytes = try await read(at: offset, count: Int(length))
        guard bytes.count == length else { throw Failure(code: ENODATA) }
        return bytes
    }

    private func read(at offset: Int64, count: Int) async throws -> Bytes {
        let descriptor = descriptor
        return try await Self.threads.runIfActive {
            // SAFETY: pread writes at most `count` bytes into the buffer, and its result is what is kept.
            let array = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let result = pread(descriptor, buffer.baseAddress, count, Int(offset))
                guard result > 0 else { throw Failure(code: result == 0 ? ENODATA : errno) }
                filled = result
            }
            return Bytes(array)
        }
    }
}
