import FunctionCore
import Testing
import Wire

@Suite("frame codec", .timeLimit(.minutes(1)))
struct FrameCodecTests {
    private static let kinds = (1...13).compactMap { Frame.Kind(rawValue: $0) }

    private func decode(_ bytes: [UInt8]) throws -> [Frame] {
        var decoder = FrameDecoder()
        decoder.append(bytes)
        var frames: [Frame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        return frames
    }

    @Test("a frame of every kind comes back with its id, flags and payload")
    func everyKind() throws {
        #expect(FrameCodecTests.kinds.count == 13)
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
                Array(frame.payload)
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
            var decoder = FrameDecoder()
            var frames: [Frame] = []
            for part in [writer.bytes[..<cut], writer.bytes[cut...]] {
                decoder.append(part)
                while let frame = try decoder.next() { frames.append(frame) }
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
        var decoder = FrameDecoder()
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

    @Test("a frame kept while more is read stays what it was")
    func keptFrame() throws {
        var writer = WireWriter()
        writer.frame(.chunk, id: 1) { $0.rest([1, 2, 3]) }
        var decoder = FrameDecoder()
        decoder.append(writer.bytes)
        let first = try #require(try decoder.next())
        for _ in 0..<100 {
            decoder.append(writer.bytes)
            while try decoder.next() != nil {}
        }
        #expect(Array(first.payload) == [1, 2, 3])
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
        var decoder = FrameDecoder()
        decoder.append(writer.bytes.dropLast())
        #expect(try decoder.next() == nil)
        decoder.append([1])
        #expect(try decoder.next()?.payload.count == Frame.payloadMax)
    }

    @Test("a frame of unknown kind is refused, naming it", arguments: [0, 14, 255] as [UInt8])
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
            if bytes.count > 4 { bytes[4] = UInt8.random(in: 1...13, using: &random) }
            if bytes.count > 3 { bytes[1...3] = [0, 0, 0] }
            guard let frames = try? decode(bytes) else { continue }
            for frame in frames { PayloadSamples.readAll(frame.payload) }
        }
    }
}
