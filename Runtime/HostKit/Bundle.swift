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

    /// Copies a bundle into the data directory and asks it what it has.
    package static func load(_ path: String, into directory: String) async throws(HostError) -> Bundle {
        guard let content = readFile(path) else {
            throw HostError(
                .configuration,
                "there is no bundle at \(path); build it with `make build`, or name it with --bundle"
            )
        }
        let hash = hexadecimal(SHA256.hash(content))
        let home = "\(directory)/\(hash.prefix(16))"
        let executable = "\(home)/functions"
        if access(executable, X_OK) != 0 {
            guard DataDirectory.make(home), copy(content, to: executable) else {
                throw HostError(
                    .dataDirectory,
                    "the bundle cannot be copied to \(home): \(String(cString: strerror(errno)))"
                )
            }
        }
        prune(directory, keep: home)
        return Bundle(executable: executable, hash: hash, functions: try await describe(executable))
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

    /// Removes all copies but the newest three and this one: workers of a host that was killed may still run
    /// from them.
    private static func prune(_ directory: String, keep: String) {
        let copies = listDirectory(directory).map { "\(directory)/\($0)" }.filter { $0 != keep }
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
