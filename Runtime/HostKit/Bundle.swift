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

    package init(executable: String, hash: String, functions: [String]) {
        self.executable = executable
        self.hash = hash
        self.functions = functions
    }

    /// Copies a bundle into the data directory and asks it what it has.
    ///
    /// `keeping` are the hashes of bundles that still run, whose copies must stay.
    package static func load(
        _ path: String,
        into directory: String,
        keeping: Set<String> = []
    ) async throws(HostError) -> Bundle {
        // Some megabytes to read, hash and write: not on a thread that others wait for.
        let copied = await withCheckedContinuation { continuation in
            startThread("bundle") {
                continuation.resume(returning: copy(path, into: directory, keeping: keeping))
            }
        }
        let (executable, hash) = try copied.get()
        return Bundle(executable: executable, hash: hash, functions: try await describe(executable))
    }

    private static func copy(
        _ path: String,
        into directory: String,
        keeping: Set<String>
    ) -> Result<(executable: String, hash: String), HostError> {
        guard let content = readFile(path) else {
            let remedy = "build it with `make build`, or name it with --bundle"
            return .failure(HostError(.configuration, "there is no bundle at \(path); \(remedy)"))
        }
        let hash = hexadecimal(SHA256.hash(content))
        let home = "\(directory)/\(hash.prefix(16))"
        let executable = "\(home)/functions"
        if access(executable, X_OK) != 0 {
            guard DataDirectory.make(home), copy(content, to: executable) else {
                let reason = String(cString: strerror(errno))
                return .failure(
                    HostError(.dataDirectory, "the bundle cannot be copied to \(home): \(reason)")
                )
            }
        }
        prune(directory, keep: keeping.union([hash]))
        return .success((executable, hash))
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

    /// Removes all copies but the newest three and those of `keep`: workers of a host that was killed may
    /// still run from them.
    private static func prune(_ directory: String, keep: Set<String>) {
        let kept = keep.map { String($0.prefix(16)) }
        let copies = listDirectory(directory).filter { !kept.contains($0) }.map { "\(directory)/\($0)" }
        let dated = copies.map { path -> (String, Int) in
            var status = stat()
            return (path, stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0)
        }
        for (path, _) in dated.sorted(by: { $0.1 > $1.1 }).dropFirst(3) {
            unlink("\(path)/functions")
            rmdir(path)
        }
    }
}
