import FunctionCore
import Seeds
import Testing
import Wire

@Suite("frame codec", .timeLimit(.minutes(1)))
struct FrameCodecTests {
    private static let kinds = (1...14).compactMap { Frame.Kind(rawValue: $0) }

    private func decode(_ bytes: [UInt8]) throws -> [KeptFrame] {
        let decoder = FrameDecoder()
        decoder.append(bytes)
        var frames: [KeptFrame] = []
        while let frame = try decoder.next() { frames.append(KeptFrame(frame)) }
        return frames
    }

    @Test("a frame of every kind comes back with its id, flags and payload")
    func everyKind() throws {
        #expect(FrameCodecTests.kinds.count == 14)
        var writer = WireWriter()
        for kind in FrameCodecTests.kinds {
            writer.frame(kind, id: 0x8000_0000 | UInt32(kind.rawValue), flags: kind.rawValue & 1) {
                $0.rest([UInt8](repeating: kind.rawValue, count: Int(kind.rawValue) * 7))
            }
        }
        let frames = try decode(writer.bytes)
        #expect(frames.map(\.kind) == FrameCodecTests.kinds)
        for frame in frames {
            #expect(frame.id == 0x8000_0000 | UInt32(frame.kind.rawValue))
            #expect(frame.isLast == (frame.kind.rawValue & 1 == 1))
            #expect(
                frame.payload
                    == [UInt8](repeating: frame.kind.rawValue, count: Int(frame.kind.rawValue) * 7)
            )
        }
    }

    @Test("frames split at every byte are the same frames")
    func split() throws {
        var writer = WireWriter()
        for length in [0, 1, 12, 13, 200] {
            writer.frame(.chunk, id: UInt32(length)) {
                $0.rest((0..<length).map { UInt8(truncatingIfNeeded: $0) })
            }
        }
        let whole = try decode(writer.bytes)
        for cut in 0...writer.bytes.count {
            let decoder = FrameDecoder()
            var frames: [KeptFrame] = []
            for part in [writer.bytes[..<cut], writer.bytes[cut...]] {
                decoder.append(part)
                while let frame = try decoder.next() { frames.append(KeptFrame(frame)) }
            }
            #expect(frames == whole)
        }
    }

    @Test("frames that come byte by byte are the same frames, through many turns of the buffer")
    func byteByByte() throws {
        var writer = WireWriter()
        for id in 0..<40 {
            writer.frame(.chunk, id: UInt32(id)) { $0.rest([UInt8](repeating: 7, count: 5000)) }
        }
        let decoder = FrameDecoder()
        var ids: [UInt32] = []
        for byte in writer.bytes {
            decoder.append(CollectionOfOne(byte))
            while let frame = try decoder.next() {
                #expect(frame.payload.count == 5000)
                ids.append(frame.id)
            }
        }
        #expect(ids == (0..<40).map { UInt32($0) })
    }

    @Test("frames larger than the memory come whole, among small ones, however they are read")
    func largeAmongSmall() throws {
        var writer = WireWriter()
        let lengths = [3, 700_000, 0, 1_500_000, 40, 300_000, 5]
        for (id, length) in lengths.enumerated() {
            writer.frame(.chunk, id: UInt32(id)) { $0.rest([UInt8](repeating: UInt8(id), count: length)) }
        }
        let decoder = FrameDecoder()
        var rest = writer.bytes[...]
        var frames: [KeptFrame] = []
        while !rest.isEmpty {
            // As a socket does: what there is, as far as there is room.
            let count = decoder.fill { room in
                let count = min(room.count, rest.count, 100_000)
                room.copyBytes(from: rest.prefix(count))
                return count
            }
            #expect(count > 0)
            rest = rest.dropFirst(count)
            while let frame = try decoder.next() { frames.append(KeptFrame(frame)) }
        }
        #expect(frames.map(\.payload.count) == lengths)
        for frame in frames { #expect(frame.payload.allSatisfy { $0 == UInt8(frame.id) }) }
    }

    @Test("a frame over the limit is refused before its payload has come")
    func oversize() {
        let length = UInt32(Frame.payloadMax + 1)
        let header = (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + [5, 0, 0, 0, 1, 0, 0, 0]
        #expect(throws: WireError.self) { try decode(header) }
    }

    @Test("a frame at the limit is waited for")
    func largest() throws {
        var writer = WireWriter()
        writer.frame(.chunk, id: 9) { $0.rest([UInt8](repeating: 1, count: Frame.payloadMax)) }
        let decoder = FrameDecoder()
        decoder.append(writer.bytes.dropLast())
        #expect(try decoder.next().map(KeptFrame.init) == nil)
        decoder.append([1])
        #expect(try decoder.next()?.payload.count == Frame.payloadMax)
    }

    @Test("a frame of unknown kind is refused, naming it", arguments: [0, 16, 255] as [UInt8])
    func unknownKind(_ kind: UInt8) {
        let error = #expect(throws: WireError.self) { try decode([0, 0, 0, 0, kind, 0, 0, 0, 1, 0, 0, 0]) }
        #expect(error?.description.contains("\(kind)") == true)
    }

    @Test(
        "random bytes are refused or wait for more, and never trap",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func randomBytes(_ seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<500 {
            var bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Most would fail at the kind already.
            if bytes.count > 4 { bytes[4] = UInt8.random(in: 1...14, using: &random) }
            if bytes.count > 3 { bytes[1...3] = [0, 0, 0] }
            guard let frames = try? decode(bytes) else { continue }
            for frame in frames { PayloadSamples.readAll(frame.payload[...]) }
        }
    }
}
