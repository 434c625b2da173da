import FunctionCore
import Glibc
import NIOPosix
import Observe
import Recordings
import Storage
import Synchronization
import WorkerPool

/// The recordings of a host: a file each in `recordings/` of the data directory, readable by its owner alone.
///
/// Bounds: `countMax` files and `sizeMax` bytes, the oldest go; `pendingMax` are being written, those beyond are
/// left out with a line in the log. Nothing is on disk that has not been through the scrubber. Threading: any.
package final class RecordingStore: Sendable {
    /// A recording by its file's name, `ID.ATTEMPT.OUTCOME.FUNCTION.json`: a list reads no file.
    struct Entry: Sendable {
        var id: String
        var attempt: Int
        var outcome: String
        var function: String
        var recorded: Instant
        var size: Int
        var file: String
    }

    static let countMax = 1000
    static let pendingMax = 64

    let rule: RecordingRule
    private let directory: String
    private let sizeMax: Int
    private let makeScrubber: @Sendable () -> Scrubber
    private let telemetry: Telemetry
    private let pending = Atomic<Int>(0)
    /// Held while the folder is cleared up.
    private let clearing = Mutex<Void>(())

    /// What is kept at `path`; `scrubber` knows the secrets of the moment.
    init(
        at path: String,
        rule: RecordingRule,
        sizeMax: Int,
        telemetry: Telemetry,
        scrubber: @escaping @Sendable () -> Scrubber
    ) {
        directory = path
        self.rule = rule
        self.sizeMax = sizeMax
        self.telemetry = telemetry
        makeScrubber = scrubber
        // What a host that was killed was writing: it would count for nothing and stay for ever.
        for name in listDirectory(path) where name.hasPrefix(".") { unlink("\(path)/\(name)") }
    }

    var scrubber: Scrubber { makeScrubber() }

    // MARK: Keeping

    func keep(_ recording: Recording) {
        let name = ("invocation", JSON.string(recording.id))
        guard pending.add(1, ordering: .relaxed).newValue <= RecordingStore.pendingMax else {
            pending.subtract(1, ordering: .relaxed)
            telemetry.metrics.add("swiftlet_recordings_total", ["given_up"])
            return telemetry.note(.warning, "invocation not recorded: too many at once", [name])
        }
        NIOThreadPool.singleton.submit { _ in
            defer { self.pending.subtract(1, ordering: .relaxed) }
            do {
                try self.write(recording)
                self.telemetry.metrics.add("swiftlet_recordings_total", ["kept"])
                self.telemetry.note(.debug, "invocation recorded", function: recording.function, [name])
            } catch {
                let why = ("reason", JSON.string("\(error)"))
                self.telemetry.metrics.add("swiftlet_recordings_total", ["given_up"])
                self.telemetry.note(.warning, "invocation not recorded", [name, why])
            }
        }
    }

    private func write(_ recording: Recording) throws {
        let bytes = try JSONCoder.encode(scrubber.clean(recording))
        mkdir(directory, 0o700)
        let outcome = recording.outcome.label
        let name = "\(recording.id).\(recording.attempt).\(outcome).\(recording.function).json"
        let new = "\(directory)/.\(name).\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RecordingStore.fault("made") }
        do {
            defer { close(descriptor) }
            try writeAll(descriptor, bytes.array, path: name)
        } catch {
            unlink(new)
            throw error
        }
        guard rename(new, "\(directory)/\(name)") == 0 else {
            let fault = RecordingStore.fault("written")
            unlink(new)
            throw fault
        }
        clear()
    }

    private static func fault(_ what: String) -> HostError {
        HostError(.failed, "the file cannot be \(what): \(String(cString: strerror(errno)))")
    }

    /// Removes the oldest where there is more than is kept.
    private func clear() {
        clearing.withLock { _ in
            var size = 0
            for (index, entry) in entries().enumerated() {
                size += entry.size
                // The newest stays, however large it is.
                if index > 0, index >= RecordingStore.countMax || size > sizeMax { unlink(entry.file) }
            }
        }
    }

    // MARK: Looking

    /// All that are kept, newest first.
    func list() async -> [Entry] {
        await onPool { self.entries() }
    }

    /// The file of an invocation's recording: of an attempt, or of the last one that is kept.
    /// - Throws: 404.
    func bytes(of id: String, attempt: Int?) async throws -> Bytes {
        let found = await onPool { () -> Bytes? in
            let attempts = self.entries().filter { $0.id == id && (attempt == nil || $0.attempt == attempt) }
            let last = attempts.max { $0.attempt < $1.attempt }
            return last.flatMap { readFile($0.file) }.map { Bytes($0) }
        }
        guard let found else {
            let which = attempt.map { " of attempt \($0)" } ?? ""
            throw FunctionError.notFound(
                "no recording\(which) of \(id) is kept; `swiftlet recordings` lists them, and "
                    + "`record.rule` or the header x-swiftlet-record says which there are"
            )
        }
        return found
    }

    private func onPool<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in continuation.resume(returning: body()) }
        }
    }

    private func entries() -> [Entry] {
        let found = listDirectory(directory).compactMap { name -> Entry? in
            let parts = name.split(separator: ".", maxSplits: 3)
            guard name.hasSuffix(".json"), !name.hasPrefix("."), parts.count == 4, let attempt = Int(parts[1])
            else { return nil }
            let file = "\(directory)/\(name)"
            var status = stat()
            guard stat(file, &status) == 0 else { return nil }
            let time = Instant(seconds: Int64(status.st_mtim.tv_sec)) + .nanoseconds(status.st_mtim.tv_nsec)
            return Entry(
                id: String(parts[0]),
                attempt: attempt,
                outcome: String(parts[2]),
                function: String(parts[3].dropLast(5)),
                recorded: time,
                size: Int(status.st_size),
                file: file
            )
        }
        return found.sorted { ($0.recorded, $0.id) > ($1.recorded, $1.id) }
    }
}

extension RecordingStore.Entry {
    var json: JSON {
        [
            "id": .string(id), "attempt": .integer(Int64(attempt)), "function": .string(function),
            "outcome": .string(outcome), "recorded": .string(recorded.rfc3339),
            "bytes": .integer(Int64(size)),
        ]
    }
}
