import FunctionCore
import Glibc
import Storage

/// What each function's code is, told from the objects that a bundle is linked from.
///
/// A function's print covers its own module and all that functions share: the runtime's modules and other targets of
/// the package. The catalogue and the program's first file are left out, as they only list functions: a new one
/// among them changes no other. Objects rather than sources, since only the build knows what a change reaches.
package struct ObjectPrints: Sendable {
    /// By module: the hash of its objects.
    private let modules: [String: [UInt8]]
    /// When the newest of their Swift sources was written, in nanoseconds since 1970.
    package let newestSource: Int64

    /// Reads and hashes the objects of a link; nil where the list or one of them cannot be read.
    ///
    /// Blocks, for some tens of milliseconds.
    package init?(list path: String) {
        guard let list = try? ObjectPrints.content(path) else { return nil }
        var hashes: [String: [UInt8]] = [:]
        var folders: Set<String> = []
        for line in list.split(separator: 10) {
            let file = String(decoding: line, as: UTF8.self).filter { $0 != "'" && $0 != "\"" }
            let parts = file.split(separator: "/")
            // The module's own interface is in it a second time, for the debugger.
            guard parts.count > 1, !file.hasSuffix(".swiftmodule.o"),
                let folder = parts.last(where: { $0.hasSuffix(".build") })
            else { continue }
            guard let object = try? ObjectPrints.content(file) else { return nil }
            folders.insert(parent(of: file))
            let module = String(folder.dropLast(".build".count))
            hashes[module, default: []] += SHA256.hash(object)
        }
        modules = hashes.mapValues { SHA256.hash($0) }
        let lists = folders.compactMap { try? ObjectPrints.content("\($0)/sources") }
        let sources = lists.flatMap { $0.split(separator: 10) }.map { String(decoding: $0, as: UTF8.self) }
        newestSource = sources.compactMap { SourceTree.Mark($0)?.changed }.max() ?? 0
    }

    package init(modules: [String: [UInt8]], newestSource: Int64 = 0) {
        self.modules = modules
        self.newestSource = newestSource
    }

    /// The functions' prints, of modules by function; `listing` are the modules that only list functions.
    package func prints(of functions: [String: String], listing: Set<String>) -> [String: String] {
        let own = Set(functions.values)
        let shared = modules.filter { !own.contains($0.key) && !listing.contains($0.key) }
        let common = shared.sorted { $0.key < $1.key }.flatMap { Array($0.key.utf8) + $0.value }
        return functions.compactMapValues { module in
            guard let hash = modules[module] else { return nil }
            return hexadecimal(SHA256.hash(hash + common))
        }
    }

    private static func content(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, let size = fileSize(path) else { throw fileError("open", path) }
        defer { close(descriptor) }
        return try readAt(descriptor, 0, limit: size, path: path)
    }
}
