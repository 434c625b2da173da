import CShims
import FunctionCore
import Glibc
import Seeds
import Testing
import Wire

@Suite("shared region", .timeLimit(.minutes(1)))
struct SharedRegionTests {
    @Test(
        "extents never overlap, lie within the half, and come back",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func extents(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var table = ExtentTable()
        var taken: [Extent] = []
        for _ in 0..<2000 {
            if Bool.random(using: &random), let extent = taken.randomElement(using: &random) {
                table.free(extent.offset)
                taken.removeAll { $0 == extent }
            } else if let extent = table.take(Int.random(in: 1...(6 << 20), using: &random)) {
                let end = extent.offset + extent.length
                #expect(extent.offset >= 0 && end <= SharedRegion.half)
                #expect(!taken.contains { $0.offset < end && extent.offset < $0.offset + $0.length })
                taken.append(extent)
            }
            #expect(table.isEmpty == taken.isEmpty)
        }
        #expect(table.take(0) == nil)
        #expect(table.take(Frame.payloadMax + 1) == nil)
        for extent in taken { table.free(extent.offset) }
        #expect(table.isEmpty)
        #expect(table.take(Frame.payloadMax)?.offset == 0)
    }

    @Test(
        "a body goes from one mapping to another, no extent beyond the half is read, and no side cuts the file"
    )
    func bodies() throws {
        let file = swiftlet_memfd("region", SharedRegion.fileLength)
        defer { close(file) }
        #expect(ftruncate(file, 4096) != 0)
        #expect(ftruncate(file, SharedRegion.fileLength * 2) != 0)
        let writer = try #require(SharedRegion(file: file))
        let reader = try #require(SharedRegion(file: file))
        defer {
            writer.close()
            reader.close()
        }
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        let extent = Extent(offset: SharedRegion.half - 102_400, length: body.count)
        writer.write(body, to: extent, in: .replies)
        #expect(reader.bytes(of: extent, in: .replies).map { Array($0) } == body)
        #expect(reader.bytes(of: extent, in: .requests)?.allSatisfy { $0 == 0 } == true)
        writer.release(.replies)
        #expect(reader.bytes(of: extent, in: .replies)?.allSatisfy { $0 == 0 } == true)
        for (offset, length) in [
            (SharedRegion.half, 1), (SharedRegion.half - 1, 2), (-1, 1), (0, -1), (0, Frame.payloadMax + 1),
            (.max, 1),
        ] {
            #expect(reader.bytes(of: Extent(offset: offset, length: length), in: .replies) == nil)
        }
    }

    @Test("a page without a region has none")
    func none() {
        let file = swiftlet_memfd("page", SharedPage.length)
        defer { close(file) }
        #expect(SharedRegion(file: file) == nil)
    }
}
