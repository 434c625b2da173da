import FunctionCore
import Glibc
import Invocations
import LambdaAPI
import Storage

/// The files of a function that a foreign runtime runs: with them its code changes.
enum ForeignFiles {
    /// How many are looked at; a folder that holds more is not watched beyond them.
    private static let most = 2000

    /// All files below the folders of foreign functions, but hidden ones and what tools put there.
    static func below(_ functions: String) -> [String] {
        listDirectory(functions).map { "\(functions)/\($0)" }
            .filter { isForeign("\($0)/function.yaml") }
            .flatMap { files(in: $0) }
    }

    /// A short text that is another once a file below the folder is.
    static func mark(of folder: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for file in files(in: folder) where !file.hasSuffix("/function.yaml") {
            var info = stat()
            guard stat(file, &info) == 0 else { continue }
            let words =
                "\(file) \(info.st_ino) \(info.st_size) \(info.st_mtim.tv_sec) \(info.st_mtim.tv_nsec);"
            for byte in words.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return String(hash, radix: 16)
    }

    /// What GetFunction tells of a folder: the files' bytes together, the mark's hash, the latest change.
    static func code(in folder: String) -> FunctionDescription.Code {
        var code = FunctionDescription.Code(
            bytes: 0,
            hash: SHA256.hash(Array(mark(of: folder).utf8)),
            changed: Instant(nanoseconds: 0)
        )
        for file in files(in: folder) {
            var info = stat()
            guard stat(file, &info) == 0 else { continue }
            code.bytes += Int(info.st_size)
            let changed = Instant(nanoseconds: Int64(info.st_mtim.tv_sec) * 1_000_000_000)
            if changed > code.changed { code.changed = changed }
        }
        return code
    }

    private static func isForeign(_ manifest: String) -> Bool {
        readText(manifest)?.contains("runtime: lambda") == true
    }

    private static func files(in folder: String) -> [String] {
        var found: [String] = []
        var folders = [folder]
        while let folder = folders.popLast(), found.count < most {
            for name in listDirectory(folder) where !name.hasPrefix(".") {
                if name == "__pycache__" || name == "node_modules" { continue }
                let path = "\(folder)/\(name)"
                var info = stat()
                guard lstat(path, &info) == 0 else { continue }
                switch info.st_mode & S_IFMT {
                case S_IFDIR: folders.append(path)
                case S_IFREG: found.append(path)
                default: break
                }
            }
        }
        return found
    }
}
