import FunctionCore
import Glibc
import Recordings

/// An invocation that a host has kept: a file of `swiftlet export`, which has no secrets in it.
///
///     let failed = try RecordedInvocation(file: "Tests/FunctionsTests/failure.json")
///     #expect(try await test.replay(failed).differences == [])
public struct RecordedInvocation: Sendable {
    let recording: Recording

    /// Reads a file; a relative path begins where the tests run, in the package's folder.
    /// - Throws: 404 where it cannot be read, 422 where it is no recording.
    public init(file path: String) throws(FunctionError) {
        guard let bytes = RecordedInvocation.contents(of: path) else {
            let reason = String(cString: strerror(errno))
            let remedy =
                "write it by `swiftlet export ID > \(path)`, and run the tests in the package's folder"
            throw .notFound("\(path) cannot be read: \(reason); \(remedy)")
        }
        try self.init(bytes)
    }

    /// Reads the bytes of such a file.
    /// - Throws: 422 where they are no recording.
    public init(_ bytes: Bytes) throws(FunctionError) {
        do {
            recording = try Recording(bytes)
        } catch {
            throw FunctionError(describing: error)
        }
    }

    /// The invocation's id.
    public var id: String { recording.id }
    /// The function's name.
    public var function: String { recording.function }
    /// What it was invoked with; of a batch the first of `events`.
    public var event: Event { events.first ?? recording.event.event }
    /// The events of a batch; else the one.
    public var events: [Event] { (recording.event.events ?? [recording.event]).map(\.event) }
    /// What it failed with; nil where it replied.
    public var error: FunctionError? { recording.outcome.error?.error }
    /// What it replied, as far as it had begun, the first MiB of it.
    public var reply: TestReply? {
        recording.reply.map { reply in
            TestReply(status: reply.status, headers: reply.headers.map(\.header), pieces: [reply.body.bytes])
        }
    }

    private static func contents(of path: String) -> Bytes? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            guard count > 0 else { return Bytes(all) }
            all += buffer[..<count]
        }
    }
}
