import CShims
import FunctionCore
import Glibc
import NIOPosix

/// A file found below a folder, open.
struct FolderFile: Sendable {
    /// What stands where a request points.
    enum Finding: Sendable {
        case file(FolderFile)
        case folder
        /// Nothing, or nothing that may be read from there.
        case nothing
    }

    let reader: FileReader
    let size: Int64
    let validators: Validators
    /// It is the neighbour `name.gz`.
    let isCoded: Bool

    /// Opens `name` below `folder`, or its compressed neighbour where `allowsCoded`.
    ///
    /// The kernel itself sees to it that no name and no link leads out of the folder; nothing is looked at
    /// twice, so nothing can be put in its place between the look and the reading.
    /// - Throws: `FileReader.Failure` where the system failed: too many open files, a bad disk.
    static func find(_ name: String, in folder: String, allowsCoded: Bool) async throws -> Finding {
        try await FileReader.threads.runIfActive {
            guard let (plain, status) = try open(name, in: folder) else { return .nothing }
            guard status.st_mode & S_IFMT == S_IFREG else {
                close(plain)
                return status.st_mode & S_IFMT == S_IFDIR ? .folder : .nothing
            }
            // A neighbour older than the file was left behind by an earlier build.
            if allowsCoded, let (coded, other) = try? open(name + ".gz", in: folder) {
                if other.st_mode & S_IFMT == S_IFREG, other.st_mtim.tv_sec >= status.st_mtim.tv_sec {
                    close(plain)
                    return .file(FolderFile(coded, other, isCoded: true))
                }
                close(coded)
            }
            return .file(FolderFile(plain, status, isCoded: false))
        }
    }

    private init(_ descriptor: Int32, _ status: stat, isCoded: Bool) {
        reader = FileReader(descriptor: descriptor)
        size = Int64(status.st_size)
        self.isCoded = isCoded
        // Strong, as time of change and length are taken to tell one content from another: a deployment puts
        // files in place, and does not rewrite one twice within the 4 ms of the kernel's clock.
        let modified = status.st_mtim
        let moment = UInt64(truncatingIfNeeded: modified.tv_sec * 1_000_000_000 + modified.tv_nsec)
        let tag = String(moment, radix: 16) + "-" + String(status.st_size, radix: 16)
        validators = Validators(
            etag: "\"\(tag)\(isCoded ? "-gz" : "")\"",
            modified: Int64(modified.tv_sec)
        )
    }

    private static func open(_ name: String, in folder: String) throws -> (Int32, stat)? {
        let descriptor = swiftlet_open_beneath(folder, name)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR, EXDEV, ELOOP, ENAMETOOLONG, EACCES, ENXIO: return nil
            default: throw FileReader.Failure(code: errno)
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw FileReader.Failure(code: errno)
        }
        return (descriptor, status)
    }
}
