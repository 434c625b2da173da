import Fetch
import FunctionCore
import Glibc
import Invocations
import Processes
import Synchronization

@testable import Providers

/// Keeps what a service answers.
final class RecordedAnswer: BindingAnswering {
    private let state = Mutex<(value: Bytes, pieces: [Bytes])>((Bytes("{}"), []))
    private let onPiece: @Sendable (Int) throws -> Void

    init(onPiece: @escaping @Sendable (Int) throws -> Void = { _ in }) {
        self.onPiece = onPiece
    }

    func send(_ value: Bytes) throws { state.withLock { $0.value = value } }

    func write(_ piece: Bytes) async throws {
        let count = state.withLock { state in
            state.pieces.append(piece)
            return state.pieces.count
        }
        try onPiece(count)
    }

    var value: Bytes { state.withLock { $0.value } }
    var pieces: [Bytes] { state.withLock { $0.pieces } }
    var body: Bytes { Bytes(pieces.flatMap(\.array)) }
}

/// Blobs as files of one directory.
final class FileMedia: MediaStore {
    let directory: String

    init() {
        var template = Array("/tmp/media-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "mkdtemp")
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        ScratchDirectory.removeTree(directory)
    }

    func path(_ key: String) -> String {
        directory + "/" + String(key.map { $0 == "/" ? "_" : $0 })
    }

    func localPath(forReading key: String) async throws -> String {
        guard access(path(key), R_OK) == 0 else { throw FunctionError.notFound("no blob \(key)") }
        return path(key)
    }

    func adopt(file path: String, as key: String, contentType: String) async throws -> BlobReference {
        precondition(rename(path, self.path(key)) == 0, "rename")
        var info = stat()
        stat(self.path(key), &info)
        return BlobReference(key: key, sha256: "", size: Int(info.st_size), contentType: contentType)
    }

    func put(_ key: String, _ bytes: Bytes) {
        let file = fopen(path(key), "w")
        fwrite(bytes.array, 1, bytes.count, file)
        fclose(file)
    }
}

func callOf(
    _ method: String,
    _ arguments: some Encodable,
    body: Bytes = Bytes(),
    time: Duration = .seconds(30)
) throws -> BindingCall {
    BindingCall(
        method: method,
        arguments: try JSONCoder.encode(arguments),
        body: body,
        origin: CallOrigin(invocation: "test", function: "test", deadline: .now + time)
    )
}

/// A client of a tiny server.
///
/// It never sleeps; `waits` hears how long it would have.
func client(
    _ server: TinyServer,
    key: String? = "sk-secret-of-the-test",
    imageModel: String = "gpt-image-1",
    waits: @escaping @Sendable (Duration) -> Void = { _ in }
) throws -> ProviderClient {
    let allow = try AllowList(["127.0.0.1:\(server.port)"])
    return ProviderClient(
        ProviderEndpoint(baseURL: server.url("/v1"), apiKey: key, model: "offline-1", imageModel: imageModel),
        fetcher: try Fetcher(Fetcher.Settings(allow: allow)),
        sleep: { waits($0) },
        spread: { 0 }
    )
}

/// The `FunctionError` that `body` throws, or nil.
func failure(_ body: () async throws -> Void) async -> FunctionError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? FunctionError
    }
}

/// Runs what blocks on a thread that may.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        startThread("test") { continuation.resume(with: Result { try body() }) }
    }
}

/// What `eventually` throws: a thread that polls cannot be ended by the suite's time limit.
struct NeverCame: Error {}

/// Waits until a peer on another thread has got so far, 20 s at most.
func eventually(_ condition: @escaping @Sendable () -> Bool) async throws {
    try await onThread {
        let deadline = Monotonic.now + .seconds(20)
        while !condition() {
            if Monotonic.now > deadline { throw NeverCame() }
            usleep(2_000)
        }
    }
}
