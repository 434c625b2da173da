/// The first line of an HTTP/1 request (RFC 9112, 3).
enum RequestLine {
    typealias Fault = RequestParser.Fault

    /// The longest method; those that are registered have up to 17 letters.
    static let methodMax = 32

    /// Whether a method and a blank stand at `start`.
    static func hasMethod(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        let end = methodEnd(bytes, start..<bytes.count)
        return end > start && end < bytes.count && bytes[end] == 32
    }

    /// Reads the line: exactly one blank between its parts, and none elsewhere.
    ///
    /// The absolute form is brought to the plain one, its authority to `framing`, which puts it in Host's
    /// place.
    static func head(
        _ bytes: Span<UInt8>,
        _ line: Range<Int>,
        maxTarget: Int,
        _ framing: inout Framing
    ) throws(Fault) -> RequestHead {
        let blank = methodEnd(bytes, line)
        guard blank > line.lowerBound, blank < line.upperBound, bytes[blank] == 32 else { throw .malformed }
        let method = method(bytes, line.lowerBound..<blank)
        let start = blank + 1
        var end = start
        // 35 is `#`: a fragment is the client's own affair, and no part of a target.
        while end < line.upperBound, bytes[end] > 32, bytes[end] < 127, bytes[end] != 35 { end &+= 1 }
        guard end - start <= maxTarget else { throw .targetTooLong }
        guard end > start, end < line.upperBound, bytes[end] == 32 else { throw .malformed }
        let isOld = try isOld(bytes, end + 1..<line.upperBound)
        framing = Framing(isOld: isOld)
        var head = RequestHead(method: method, target: "")
        head.isOld = isOld
        head.target = try target(bytes, start..<end, method, &framing)
        return head
    }

    private static func methodEnd(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var end = range.lowerBound
        let stop = min(range.upperBound, range.lowerBound + methodMax)
        while end < stop, Octets.isToken(bytes[end]) { end &+= 1 }
        return end
    }

    private static func method(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Method {
        let at = range.lowerBound
        switch (range.count, bytes[at]) {
        case (3, 71) where bytes[at + 1] == 69 && bytes[at + 2] == 84: return .get
        case (4, 80) where bytes[at + 1] == 79 && bytes[at + 2] == 83 && bytes[at + 3] == 84: return .post
        default: return Method(Octets.text(bytes, range))
        }
    }

    /// Any 1.x is read as 1.1, as RFC 9110, 2.5 has it.
    private static func isOld(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Fault) -> Bool {
        let at = range.lowerBound
        guard range.count == 8, bytes.extracting(at..<at + 5).isExactly("HTTP/"),
            (48...57).contains(bytes[at + 5]), bytes[at + 6] == 46, (48...57).contains(bytes[at + 7])
        else { throw .malformed }
        guard bytes[at + 5] == 49 else { throw .version }
        return bytes[at + 7] == 48
    }

    private static func target(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ method: Method,
        _ framing: inout Framing
    ) throws(Fault) -> String {
        let first = bytes[range.lowerBound]
        if method == .connect {
            guard isAuthority(bytes, range) else { throw .malformed }
            return Octets.text(bytes, range)
        }
        if first == 47 { return Octets.text(bytes, range) }
        if first == 42, range.count == 1, method == .options { return "*" }
        var start = range.lowerBound
        for scheme in ["http://", "https://"] as [StaticString] {
            let end = start + scheme.utf8CodeUnitCount
            guard end <= range.upperBound, bytes.extracting(start..<end).spells(scheme) else { continue }
            start = end
            while start < range.upperBound, bytes[start] != 47, bytes[start] != 63 { start += 1 }
            guard isAuthority(bytes, end..<start) else { throw .malformed }
            framing.authority = Octets.text(bytes, end..<start)
            let rest = Octets.text(bytes, start..<range.upperBound)
            return rest.utf8.first == 47 ? rest : "/\(rest)"
        }
        throw .malformed
    }

    private static func isAuthority(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where !Octets.isAuthority(bytes[index]) { return false }
        return !range.isEmpty
    }
}

extension Span<UInt8> {
    /// Whether the bytes are those of `text`.
    func isExactly(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a literal of as many bytes as `count`, which is compared; it never goes away.
        let expected = unsafe UnsafeBufferPointer(start: text.utf8Start, count: count)
        for index in 0..<count where self[index] != expected[index] { return false }
        return true
    }
}
