import Builds
import FunctionCore
import Glibc
import Processes
import Storage

/// A bundle of functions, as the host runs it: a copy of its own, named by the hash of its content.
package struct Bundle: Sendable {
    /// The copy's path.
    package let executable: String
    /// SHA-256 of its content.
    package let hash: String
    /// The functions it has, as it says itself.
    package let functions: [String]
    /// What each function's code is, where a build has told.
    package var prints: [String: String] = [:]
    /// The file that it is a copy of, as it was then.
    private let origin: Origin?
    private let hold: BundleHold?

    private struct Origin: Sendable, Hashable {
        var path: String
        var mark: SourceTree.Mark?
    }

    package init(executable: String, hash: String, functions: [String], prints: [String: String] = [:]) {
        self.init(executable: executable, hash: hash, functions: functions, origin: nil, hold: nil)
        self.prints = prints
    }

    private init(executable: String, hash: String, functions: [String], origin: Origin?, hold: BundleHold?) {
        self.executable = executable
        self.hash = hash
        self.functions = functions
        self.origin = origin
        self.hold = hold
    }

    /// Whether it is a copy of what lies there now.
    package func isCopy(of path: String) -> Bool {
        origin?.mark != nil && origin == Origin(path: path, mark: SourceTree.Mark(path))
    }

    /// Whether a function's code is the same in both.
    package func hasSameCode(_ function: String, as other: Bundle) -> Bool {
        if hash == other.hash { return true }
        guard let print = prints[function] else { return false }
        return print == other.prints[function]
    }

    /// Copies a bundle into the data directory and asks it what it has.
    ///
    /// The copy stays for as long as any host has the bundle.
    package static func load(_ path: String, into directory: String) async throws(HostError) -> Bundle {
        // Marked before it is read: what is written meanwhile makes it another file.
        let origin = Origin(path: path, mark: SourceTree.Mark(path))
        // Some megabytes to read, hash and write: not on a thread that others wait for.
        let copied = await withCheckedContinuation { continuation in
            startThread("bundle") {
                continuation.resume(returning: copy(path, into: directory))
            }
        }
        let bundle = try copied.get()
        let functions = try await describe(bundle.executable)
        return Bundle(
            executable: bundle.executable,
            hash: bundle.hash,
            functions: functions,
            origin: origin,
            hold: bundle.hold
        )
    }

    private static func copy(_ path: String, into directory: String) -> Result<Bundle, HostError> {
        guard let content = readFile(path) else {
            let remedy =
                "build it with `make build`, in a package of your own with `swift build -c release "
                + "--static-swift-stdlib`, or name it with --bundle"
            return .failure(HostError(.configuration, "there is no bundle at \(path); \(remedy)"))
        }
        let hash = hexadecimal(SHA256.hash(content))
        let home = "\(directory)/\(hash.prefix(16))"
        let executable = "\(home)/functions"
        guard let hold = BundleHold(home),
            access(executable, X_OK) == 0 || copy(content, to: executable)
        else {
            let reason = String(cString: strerror(errno))
            return .failure(HostError(.dataDirectory, "the bundle cannot be copied to \(home): \(reason)"))
        }
        prune(directory)
        return .success(Bundle(executable: executable, hash: hash, functions: [], origin: nil, hold: hold))
    }

    private static func copy(_ content: [UInt8], to path: String) -> Bool {
        let draft = "\(path).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700)
        guard descriptor >= 0 else { return false }
        var start = 0
        while start < content.count {
            let count = content.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + start }, content.count - start)
            }
            guard count > 0 else { break }
            start += count
        }
        close(descriptor)
        return start == content.count && rename(draft, path) == 0
    }

    /// Asks a bundle for its functions.
    package static func describe(_ executable: String) async throws(HostError) -> [String] {
        let output: ChildOutput
        do {
            output = try await ChildProcess.run(ChildSpec(executable, ["--describe"]), timeout: .seconds(10))
        } catch {
            throw HostError(.configuration, "\(error)")
        }
        guard output.status.succeeded else {
            throw HostError(
                .configuration,
                "\(executable) --describe ended with \(output.status): \(output.errors.text)"
            )
        }
        return output.output.text.split(separator: "\n").compactMap { line in
            (try? JSON.parse(Bytes(String(line))))?["name"]?.stringValue
        }
    }

    /// Removes all copies but the newest four and those that somebody holds: workers of a host that was
    /// killed may still run from them.
    private static func prune(_ directory: String) {
        let dated = listDirectory(directory).map { name -> (String, Int) in
            var status = stat()
            let path = "\(directory)/\(name)"
            guard stat(path, &status) == 0 else { return (path, 0) }
            return (path, status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec)
        }
        for (path, _) in dated.sorted(by: { $0.1 > $1.1 }).dropFirst(4) {
            BundleHold.removeUnlessHeld(path)
        }
    }
}

/// Keeps a bundle's copy in its place: a shared lock on its folder, which every host that runs from it has.
private final class BundleHold: Sendable {
    private let descriptor: Int32

    /// Makes the folder where it is missing, and holds it; nil where it cannot, as `errno` tells.
    init?(_ folder: String) {
        // Twice at most: somebody may remove it between the two calls.
        for _ in 0..<3 {
            guard DataDirectory.make(folder) else { return nil }
            let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard opened >= 0 else { continue }
            if flock(opened, LOCK_SH) == 0, BundleHold.isStill(folder, opened) {
                descriptor = opened
                return
            }
            close(opened)
        }
        return nil
    }

    deinit {
        close(descriptor)
    }

    static func removeUnlessHeld(_ folder: String) {
        let opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { return }
        defer { close(opened) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else { return }
        unlink("\(folder)/functions")
        rmdir(folder)
    }

    private static func isStill(_ folder: String, _ descriptor: Int32) -> Bool {
        var (named, held) = (stat(), stat())
        return stat(folder, &named) == 0 && fstat(descriptor, &held) == 0 && named.st_ino == held.st_ino
    }
}
