import CZlib
import NIOCore

/// Writes one gzip stream after another.
///
/// It holds some 260 KiB, so how many there are has a bound; see `GzipCoders`.
// SAFETY: the z_stream is allocated by this object, touched by its methods only, and freed with it; an
// owner uses it on one thread at a time.
final class GzipCoder: @unchecked Sendable {
    /// What follows a piece.
    enum Flush {
        /// Nothing special: the coder may keep what it likes.
        case none
        /// All that went in comes out, so that the client has it.
        case sync
        /// The stream's end.
        case finish
    }

    /// On JSON 6 % larger than level 6 in half its time: some 100 MB/s, so 64 KiB hold a loop up for 0.7 ms.
    private static let level: Int32 = 4
    // SAFETY: zlib keeps the address of the z_stream, so it cannot be a stored property.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil without memory.
    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard swiftlet_gzip_begin(stream, GzipCoder.level) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes a piece and returns what comes out for it, which may be nothing.
    ///
    /// After `finish` the next piece begins another stream.
    func code(_ piece: ByteBuffer, _ flush: Flush) -> ByteBuffer {
        let mode =
            switch flush {
            case .none: Z_NO_FLUSH
            case .sync: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        var out = ByteBufferAllocator().buffer(capacity: 64 + piece.readableBytes / 2)
        // SAFETY: zlib reads `avail_in` bytes from `next_in` and does not write to them, in spite of its
        // type; it writes `avail_out` bytes at most; neither pointer is used after its closure.
        piece.withUnsafeReadableBytes { input in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.bindMemory(to: UInt8.self).baseAddress
            )
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                out.writeWithUnsafeMutableBytes(minimumWritableBytes: 4096) { space in
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(space.count)
                    // The only failures are a stream that was never begun, and nothing to do.
                    deflate(stream, mode)
                    return space.count - Int(stream.pointee.avail_out)
                }
            } while stream.pointee.avail_out == 0
        }
        if flush == .finish { deflateReset(stream) }
        return out
    }

    /// Forgets a stream that was broken off.
    func reset() {
        deflateReset(stream)
    }
}

/// The gzip streams of one loop: what is ready, and how many there may be.
///
/// Where all are taken, a reply goes out as it is.
struct GzipCoders {
    private static let most = 64
    /// Kept when they are done: 1 MiB a loop.
    private static let spare = 4
    private var ready: [GzipCoder] = []
    private var taken = 0

    mutating func take() -> GzipCoder? {
        guard taken < GzipCoders.most, let coder = ready.popLast() ?? GzipCoder() else { return nil }
        taken += 1
        return coder
    }

    /// Takes a coder back, at a stream's end or in its midst.
    mutating func put(_ coder: GzipCoder) {
        taken -= 1
        guard ready.count < GzipCoders.spare else { return }
        coder.reset()
        ready.append(coder)
    }
}
