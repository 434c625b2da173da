import CShims
import FunctionCore

/// Where a large body lies in a `SharedRegion`.
package struct Extent: Sendable, Equatable {
    package var offset: Int
    package var length: Int

    package init(offset: Int, length: Int) {
        self.offset = offset
        self.length = length
    }
}

/// Memory for large bodies behind the shared page, in the same file: one half written by the host for
/// requests, one by the worker for replies. A body crosses with one copy in and one out, and no turn of
/// credit.
///
/// Whoever writes a half alone decides what lies where, and frees it when the other side has said that it has
/// taken the body. The host takes nothing from the worker on trust: an extent that does not lie in the
/// worker's half is refused, and the file's length is sealed.
///
/// Threading: any; an extent belongs to one side at a time.
// SAFETY: the mapping stays for the value's life, see `open` and `close`; extents are checked before use.
package struct SharedRegion: @unchecked Sendable {
    /// Each half's length; only what is used takes memory.
    package static let half = 32 * 1024 * 1024
    /// The file's length: the page, then both halves.
    package static let fileLength = SharedPage.length + 2 * half
    /// The shortest body that goes this way; a shorter one is quicker inline.
    package static let bodyMin = 64 * 1024

    /// The half in which somebody writes.
    package enum Half: Sendable {
        case requests, replies

        fileprivate var start: Int { self == .requests ? 0 : SharedRegion.half }
    }

    private let file: Int32
    // SAFETY: `2 * half` mapped bytes until `close`.
    private let base: UnsafeMutableRawPointer

    /// Maps the region of a shared page's file; nil where the file has none, or there is no room for it.
    package init?(file: Int32) {
        guard let base = swiftlet_map_shared(file, SharedPage.length, 2 * SharedRegion.half) else {
            return nil
        }
        self.file = file
        self.base = base
    }

    /// Ends the mapping; the value must not be used again.
    package func close() {
        swiftlet_unmap(base, 2 * SharedRegion.half)
    }

    /// Copies a body into an extent of one's own half.
    package func write(_ body: [UInt8], to extent: Extent, in half: Half) {
        precondition(SharedRegion.contains(extent) && body.count <= extent.length, "a body beyond its extent")
        let place = UnsafeMutableRawBufferPointer(start: base + half.start + extent.offset, count: body.count)
        place.copyBytes(from: body)
    }

    /// The memory of an extent that the other side named; nil where it does not lie in the half.
    package func bytes(of extent: Extent, in half: Half) -> UnsafeRawBufferPointer? {
        guard SharedRegion.contains(extent) else { return nil }
        return UnsafeRawBufferPointer(start: base + half.start + extent.offset, count: extent.length)
    }

    /// Gives a half's memory back to the kernel; for its writer, while it holds nothing.
    package func release(_ half: Half) {
        swiftlet_punch(file, SharedPage.length + half.start, SharedRegion.half)
    }

    private static func contains(_ extent: Extent) -> Bool {
        extent.offset >= 0 && extent.length >= 0 && extent.length <= Frame.payloadMax
            && extent.offset <= half - extent.length
    }
}

/// Which extents of a half are taken: first fit, by pages.
package struct ExtentTable: Sendable {
    private static let page = 4096

    /// In order of their offsets.
    private var taken: [Extent] = []

    package init() {}

    package var isEmpty: Bool { taken.isEmpty }

    /// Takes an extent of `length` bytes; nil where there is no room.
    package mutating func take(_ length: Int) -> Extent? {
        guard length > 0, length <= Frame.payloadMax else { return nil }
        let whole = (length + ExtentTable.page - 1) / ExtentTable.page * ExtentTable.page
        var offset = 0
        var index = 0
        while index < taken.count, taken[index].offset - offset < whole {
            offset = taken[index].offset + taken[index].length
            index += 1
        }
        guard SharedRegion.half - offset >= whole else { return nil }
        taken.insert(Extent(offset: offset, length: whole), at: index)
        return Extent(offset: offset, length: length)
    }

    /// Frees what was taken at an offset.
    package mutating func free(_ offset: Int) {
        taken.removeAll { $0.offset == offset }
    }
}

extension WireWriter {
    /// Writes where a body lies, in the place of the body.
    package mutating func extent(_ extent: Extent) {
        integer(UInt32(extent.offset))
        integer(UInt32(extent.length))
    }
}

extension WireReader {
    /// Reads where a body lies.
    package mutating func extent() throws(WireError) -> Extent {
        Extent(offset: Int(try integer(UInt32.self)), length: Int(try integer(UInt32.self)))
    }
}
