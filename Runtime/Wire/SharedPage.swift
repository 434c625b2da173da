import CShims
import FunctionCore

/// One page of memory that the host shares with a worker: the wall clock, and which invocations have begun.
///
///     0   sequence   odd while the host changes the clock
///     8   wall       wall time in nanoseconds when the monotonic clock stood at
///     16  monotonic  this many nanoseconds
///     24  speed      bits of a double: wall seconds a real second
///     32  exhausted  not 0: the worker crashed over an allocation that failed, or is killed for its memory
///     64  begun      one word of four bytes a slot: 0, then either the frame id, by the worker, before any user
///                    code runs, or all ones, by the host, which takes the invocation back
///
/// Threading: any; the host writes the clock, both sides the slots, all by atomic operations.
// SAFETY: the memory stays mapped for the value's life (the owner unmaps it) and all access is atomic.
package struct SharedPage: @unchecked Sendable {
    /// The page's length in bytes.
    package static let length = 4096
    /// How many invocations may be in flight on one worker.
    package static let slots = (length - 64) / 4

    // SAFETY: points to `length` mapped bytes, see above.
    private let base: UnsafeMutableRawPointer

    // SAFETY: the caller passes a mapping of `length` bytes that outlives the value.
    package init(_ base: UnsafeMutableRawPointer) {
        self.base = base
    }

    /// Sets the clock: at `monotonic` it was `wall`, and it runs `speed` times as fast as the real one.
    ///
    /// One writer.
    package func setClock(wall: Instant, monotonic: Monotonic, speed: Double) {
        let sequence = swiftlet_load64(base)
        swiftlet_store64(base, sequence &+ 1)
        swiftlet_fence()
        swiftlet_store64(base + 8, UInt64(bitPattern: wall.nanoseconds))
        swiftlet_store64(base + 16, UInt64(bitPattern: monotonic.nanoseconds))
        swiftlet_store64(base + 24, speed.bitPattern)
        swiftlet_fence()
        swiftlet_store64(base, sequence &+ 2)
    }

    /// The wall clock now.
    package var now: Instant {
        while true {
            let sequence = swiftlet_load64(base)
            swiftlet_fence()
            let wall = Int64(bitPattern: swiftlet_load64(base + 8))
            let monotonic = Int64(bitPattern: swiftlet_load64(base + 16))
            let speed = Double(bitPattern: swiftlet_load64(base + 24))
            swiftlet_fence()
            guard sequence & 1 == 0, swiftlet_load64(base) == sequence else { continue }
            let elapsed = Monotonic.now.nanoseconds &- monotonic
            return Instant(
                nanoseconds: wall &+ (speed == 1 ? elapsed : SharedPage.scaled(elapsed, by: speed))
            )
        }
    }

    /// A product beyond the clock's range stays at its end: no speed that is set may stop a worker.
    private static func scaled(_ elapsed: Int64, by speed: Double) -> Int64 {
        let product = Double(elapsed) * speed
        guard product.isFinite else { return 0 }
        return Int64(max(-4e18, min(4e18, product)))
    }

    /// Has the page tell when this process crashes over an allocation that failed.
    ///
    /// For the worker, once.
    package func watchMemory() { swiftlet_watch_memory(base + 32) }

    /// Tells that the worker is killed for its memory; the host's call.
    package func tellExhausted() { swiftlet_store32(base + 32, 1) }

    /// Whether the worker has crashed so, or is killed for its memory.
    package var isExhausted: Bool { swiftlet_load32(base + 32) != 0 }

    /// Makes a slot ready for an invocation.
    package func clear(slot: UInt16) {
        guard Int(slot) < SharedPage.slots else { return }
        swiftlet_store32(place(of: slot), 0)
    }

    /// Marks that the invocation of frame `id` has begun; false where the host has taken it back.
    ///
    /// The worker's call, before any user code runs.
    package func begin(slot: UInt16, id: UInt32) -> Bool {
        guard Int(slot) < SharedPage.slots else { return true }
        return swiftlet_exchange32(place(of: slot), 0, id)
    }

    /// Takes back what has not begun; false where it has.
    ///
    /// The host's call.
    package func takeBack(slot: UInt16) -> Bool {
        guard Int(slot) < SharedPage.slots else { return false }
        return swiftlet_exchange32(place(of: slot), 0, SharedPage.takenBack)
    }

    /// Whether the invocation of frame `id` has begun.
    package func hasBegun(slot: UInt16, id: UInt32) -> Bool {
        guard Int(slot) < SharedPage.slots else { return true }
        return swiftlet_load32(place(of: slot)) == id
    }

    /// No invocation's id: those have no top bit.
    private static let takenBack = UInt32.max

    private func place(of slot: UInt16) -> UnsafeMutableRawPointer { base + 64 + Int(slot) * 4 }
}
