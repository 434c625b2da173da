import CShims
import FunctionCore
import Glibc
import Processes
import Wire

/// The worker's side of the file that it shares with its pool, held here in the process's place.
// SAFETY: `page` points into a mapping that lives as long as the object; the region is touched on one loop only.
final class RuntimePage: @unchecked Sendable {
    private let file: Int32
    // SAFETY: `SharedPage.length` mapped bytes; `deinit` ends the mapping.
    private let mapping: UnsafeMutableRawPointer
    private let page: SharedPage
    private var region: SharedRegion?

    /// Takes a descriptor of its own for the file.
    init(copying file: Int32) throws {
        self.file = fcntl(file, F_DUPFD_CLOEXEC, 0)
        let mapping = mmap(nil, SharedPage.length, PROT_READ | PROT_WRITE, MAP_SHARED, self.file, 0)
        guard self.file >= 0, let mapping, mapping != MAP_FAILED else {
            let reason = String(cString: strerror(errno))
            if self.file >= 0 { close(self.file) }
            throw SpawnError(executable: "worker", reason: "its shared page cannot be read: \(reason)")
        }
        self.mapping = mapping
        // SAFETY: see `mapping`.
        page = SharedPage(mapping)
    }

    deinit {
        region?.close()
        munmap(mapping, SharedPage.length)
        close(file)
    }

    /// The host's wall clock, which may be virtual.
    var now: Instant { page.now }

    /// Whether the pool kills the worker for its memory.
    var isExhausted: Bool { page.isExhausted }

    /// Marks an invocation as begun; false where the pool has taken it back.
    func begin(slot: UInt16, id: UInt32) -> Bool { page.begin(slot: slot, id: id) }

    /// The body of a large request.
    func body(at place: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        var reader = WireReader(place)
        let extent = try reader.extent()
        if region == nil { region = SharedRegion(file: file) }
        guard let bytes = region?.bytes(of: extent, in: .requests) else {
            throw WireError("a body at \(extent.offset), which is not in the shared region")
        }
        return Array(bytes)
    }
}
