import FunctionCore
import Synchronization
import Wire

/// The worker's side of the region that it shares with its host.
///
/// Threading: any; `read`, `taken` and `release` on the reader thread.
final class LargeBodies: Sendable {
    /// How many milliseconds the region's memory is kept for the next large reply.
    static let keptFor: Int32 = 1000

    private struct State {
        var region: SharedRegion?
        var isMapped = false
        var extents = ExtentTable()
        /// Where the bodies lie that the host has not taken yet.
        var left: [UInt32: Int] = [:]
        /// Has been written to since it was released.
        var isUsed = false
    }

    private let file: Int32
    private let state = Mutex(State())

    init(file: Int32) {
        self.file = file
    }

    /// A request's body, copied out.
    func read(_ place: UnsafeRawBufferPointer) throws(WireError) -> Bytes {
        var reader = WireReader(place)
        let extent = try reader.extent()
        guard let bytes = region()?.bytes(of: extent, in: .requests) else {
            throw WireError("a body at \(extent.offset), which is not in the shared region")
        }
        return Bytes(Array(bytes))
    }

    /// Copies a reply's body in; nil where there is no room.
    func leave(_ body: Bytes, for id: UInt32) -> Extent? {
        guard let region = region() else { return nil }
        let extent = state.withLock { state in
            let extent = state.extents.take(body.count)
            if let extent {
                state.left[id] = extent.offset
                state.isUsed = true
            }
            return extent
        }
        if let extent { region.write(body.array, to: extent, in: .replies) }
        return extent
    }

    /// The host has taken the body of a reply.
    func taken(_ id: UInt32) {
        state.withLock { state in
            if let offset = state.left.removeValue(forKey: id) { state.extents.free(offset) }
        }
    }

    /// Whether memory is held for nothing.
    var areIdle: Bool { state.withLock { $0.isUsed && $0.extents.isEmpty } }

    /// Gives the memory back, unless a body has been left meanwhile.
    func release() {
        state.withLock { state in
            guard state.extents.isEmpty else { return }
            state.region?.release(.replies)
            state.isUsed = false
        }
    }

    private func region() -> SharedRegion? {
        state.withLock { state in
            if !state.isMapped {
                state.isMapped = true
                state.region = SharedRegion(file: file)
            }
            return state.region
        }
    }
}
