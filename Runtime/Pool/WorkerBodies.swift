import FunctionCore
import NIOCore
import Wire

/// The host's side of the region that it shares with a worker. All of it belongs to one event loop.
// SAFETY: touched on `loop` only.
final class WorkerBodies: @unchecked Sendable {
    /// How long the region's memory is kept for the next large request.
    private static let keptFor = TimeAmount.seconds(1)

    private let file: Int32
    private let loop: any EventLoop
    private var mapped: SharedRegion?
    private var isMapped = false
    private var extents = ExtentTable()
    private var placed: [UInt32: Int] = [:]
    private var releaseDue = false

    init(file: Int32, loop: any EventLoop) {
        self.file = file
        self.loop = loop
    }

    deinit { mapped?.close() }

    private var region: SharedRegion? {
        if !isMapped {
            isMapped = true
            mapped = SharedRegion(file: file)
        }
        return mapped
    }

    /// Copies a request's body in; nil where there is no room.
    func place(_ body: Bytes, for key: UInt32) -> Extent? {
        guard let region, let extent = extents.take(body.count) else { return nil }
        placed[key] = extent.offset
        region.write(body.array, to: extent, in: .requests)
        return extent
    }

    /// The worker is done with a frame.
    func free(_ key: UInt32) {
        guard !placed.isEmpty, let offset = placed.removeValue(forKey: key) else { return }
        extents.free(offset)
        guard extents.isEmpty, !releaseDue else { return }
        releaseDue = true
        loop.scheduleTask(in: WorkerBodies.keptFor) { [weak self] in self?.release() }
    }

    private func release() {
        releaseDue = false
        if extents.isEmpty { region?.release(.requests) }
    }

    /// What a worker left for the host; nil where it named a place that is not its own.
    func left(at extent: Extent) -> UnsafeRawBufferPointer? {
        region?.bytes(of: extent, in: .replies)
    }
}
