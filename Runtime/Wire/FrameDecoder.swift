import FunctionCore

/// Cuts a stream of bytes into frames, wherever it was split, in the memory into which it was read.
///
/// Threading: one thread at a time.
package final class FrameDecoder {
    /// Room for a batch of small frames; a larger one gets room of its own until it has been read.
    private static let usual = 256 * 1024

    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: usual, alignment: 16)
    private var start = 0
    private var end = 0
    /// How long the frame at `start` is, as far as its header has come.
    private var wanted = Frame.headerLength

    package init() {}

    deinit { memory.deallocate() }

    /// Has `read` fill memory, and takes in as many bytes as it says.
    ///
    /// Frames read before are gone then.
    /// - Returns: what `read` returned.
    package func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        makeRoom(for: 32 * 1024)
        let count = read(UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
        end += max(0, count)
        return count
    }

    /// Takes in bytes that lie elsewhere.
    ///
    /// Frames read before are gone then.
    package func append(_ bytes: some Collection<UInt8>) {
        makeRoom(for: bytes.count)
        UnsafeMutableRawBufferPointer(rebasing: memory[end...]).copyBytes(from: bytes)
        end += bytes.count
    }

    /// The next whole frame, or nil until more has been read; its payload stays until then.
    /// - Throws: `WireError` for an unknown kind or a payload over `Frame.payloadMax`.
    package func next() throws(WireError) -> Frame? {
        wanted = Frame.headerLength
        guard end - start >= wanted else { return nil }
        let unread = UnsafeRawBufferPointer(rebasing: memory[start..<end])
        let header = try FrameHeader(unread)
        wanted = Frame.headerLength + header.length
        guard end - start >= wanted else { return nil }
        defer { start += wanted }
        return Frame(header, payload: UnsafeRawBufferPointer(rebasing: unread[Frame.headerLength..<wanted]))
    }

    /// Sees to it that the frame that has begun fits into the memory, and `count` more bytes.
    private func makeRoom(for count: Int) {
        let unread = UnsafeRawBufferPointer(rebasing: memory[start..<end])
        let needed = max(wanted, unread.count + count)
        let size = max(FrameDecoder.usual, needed)
        if size > memory.count || (memory.count > 4 * FrameDecoder.usual && size == FrameDecoder.usual) {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
            larger.copyMemory(from: unread)
            memory.deallocate()
            memory = larger
        } else if start + needed > memory.count || unread.isEmpty {
            memory.copyMemory(from: unread)
        } else {
            return
        }
        end = unread.count
        start = 0
    }
}
