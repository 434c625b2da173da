/// Reads the requests of an HTTP/1.1 connection off its bytes, strictly by RFC 9112: what two readers could
/// take for two different things is refused, not mended.
///
/// Bytes in, parts out, no I/O. States: between requests or in a request line; in the fields; in a body of a
/// stated length; in a chunked body (size line, data, end of data, trailer); done; failed, for good. What it
/// gives depends on the bytes alone, never on how they were cut into reads.
///
/// Bounds: a request line, all fields with the trailer, a chunk's size line, and the extensions of all chunks
/// of a body. What is not a whole line yet stays with the caller, so the parser holds no bytes.
struct RequestParser: Sendable {
    /// What came next.
    enum Part: Sendable {
        case head(RequestHead)
        /// A piece of the body: where it is in the bytes that were given.
        case body(Range<Int>)
        /// The end of the request.
        case end
        /// Nothing whole; the bytes behind `consumed` must be given again, with more behind them.
        case incomplete
        /// Nothing that comes on this connection can be understood any more.
        case fault(Fault)
    }

    enum Fault: Error, Sendable, Hashable {
        case malformed
        /// No Host, several, or one that is no authority.
        case host
        case targetTooLong
        case headersTooLarge
        /// Neither HTTP/1.1 nor HTTP/1.0.
        case version
        /// A transfer coding besides `chunked`.
        case coding
    }

    struct Limits: Sendable {
        var target: Int
        /// Bytes of all field lines, with those of the trailer.
        var headers: Int
        var fields: Int
    }

    private enum State {
        case requestLine, fields, counted(Int), chunkSize, chunk(Int), chunkEnd, trailer, done, failed(Fault)
    }

    /// A line of `size;extensions`; clients that send extensions at all send short ones.
    private static let chunkLineMax = 256
    /// Empty lines before a request, which some clients send behind a body.
    private static let blankLinesMax = 4

    private let limits: Limits
    private var state = State.requestLine
    /// Bytes of the line under way that are known to hold no line's end.
    private var scanned = 0
    private var blankLines = 0
    private var head = RequestHead(method: .get, target: "")
    private var framing = Framing()
    private var fieldBytes = 0
    private var fieldCount = 0
    private var extensionBytes = 0

    init(limits: Limits) {
        self.limits = limits
    }

    /// Whether a request's head has begun and not ended, apart from bytes that were not consumed.
    var isInHead: Bool {
        if case .fields = state { return true }
        return scanned > 0
    }

    /// Takes the next part off `bytes`, which are to begin where the last call left off; `consumed` is set to
    /// how many of them need not be given again.
    mutating func next(_ bytes: Span<UInt8>, consumed: inout Int) -> Part {
        consumed = 0
        do {
            return try part(bytes, &consumed)
        } catch {
            state = .failed(error)
            return .fault(error)
        }
    }

    private mutating func part(_ bytes: Span<UInt8>, _ at: inout Int) throws(Fault) -> Part {
        while true {
            switch state {
            case .requestLine:
                guard let line = try requestLine(bytes, &at) else { return .incomplete }
                if line.isEmpty {
                    blankLines += 1
                    guard blankLines <= Self.blankLinesMax else { throw .malformed }
                } else {
                    head = try RequestLine.head(bytes, line, maxTarget: limits.target, &framing)
                    state = .fields
                }
            case .fields:
                guard let line = try fieldLine(bytes, &at) else { return .incomplete }
                guard line.isEmpty else {
                    try takeField(bytes, line)
                    continue
                }
                return try endHead()
            case .counted(let left):
                let count = min(left, bytes.count - at)
                guard count > 0 else { return .incomplete }
                state = count == left ? .done : .counted(left - count)
                at += count
                return .body(at - count..<at)
            case .chunkSize:
                guard let line = try line(bytes, &at, max: Self.chunkLineMax, otherwise: .malformed) else {
                    return .incomplete
                }
                let size = try chunkSize(bytes, line)
                state = size == 0 ? .trailer : .chunk(size)
            case .chunk(let left):
                let count = min(left, bytes.count - at)
                guard count > 0 else { return .incomplete }
                state = count == left ? .chunkEnd : .chunk(left - count)
                at += count
                return .body(at - count..<at)
            case .chunkEnd:
                guard let line = try line(bytes, &at, max: 0, otherwise: .malformed) else {
                    return .incomplete
                }
                guard line.isEmpty else { throw .malformed }
                state = .chunkSize
            case .trailer:
                guard let line = try fieldLine(bytes, &at) else { return .incomplete }
                // Fields of a trailer are checked and dropped: none of them may count for the request.
                if line.isEmpty { state = .done } else { _ = try fieldName(bytes, line) }
            case .done:
                reset()
                return .end
            case .failed(let fault): throw fault
            }
        }
    }

    private mutating func reset() {
        state = .requestLine
        (blankLines, fieldBytes, fieldCount, extensionBytes) = (0, 0, 0, 0)
    }

    // MARK: Lines

    /// Takes a line off: what stands before the next CRLF, nil while that is not there.
    ///
    /// A control character before it, be it a CR or LF alone, is a fault; tabs are left to the line's reader.
    private mutating func line(
        _ bytes: Span<UInt8>,
        _ at: inout Int,
        max: Int,
        otherwise fault: Fault
    ) throws(Fault) -> Range<Int>? {
        let stop = min(bytes.count, at + max + 1)
        var index = at + scanned
        while true {
            index = index < stop ? Octets.firstControl(in: bytes, index..<stop) : index
            guard index < stop else {
                guard index - at <= max else { throw fault }
                break
            }
            if bytes[index] == 9 {
                index += 1
                continue
            }
            guard bytes[index] == 13 else { throw .malformed }
            guard index + 1 < bytes.count else { break }
            guard bytes[index + 1] == 10 else { throw .malformed }
            defer { at = index + 2 }
            scanned = 0
            return at..<index
        }
        scanned = index - at
        return nil
    }

    private mutating func requestLine(_ bytes: Span<UInt8>, _ at: inout Int) throws(Fault) -> Range<Int>? {
        // Room for the method and the version, so that a target is told to be too long by its own length.
        let max = limits.target + RequestLine.methodMax + 10
        do {
            return try line(bytes, &at, max: max, otherwise: .targetTooLong)
        } catch {
            throw error == .targetTooLong && !RequestLine.hasMethod(bytes, at) ? .malformed : error
        }
    }

    private mutating func fieldLine(_ bytes: Span<UInt8>, _ at: inout Int) throws(Fault) -> Range<Int>? {
        guard let line = try line(bytes, &at, max: limits.headers - fieldBytes, otherwise: .headersTooLarge)
        else { return nil }
        if !line.isEmpty {
            fieldBytes += line.count
            fieldCount += 1
            guard fieldCount <= limits.fields else { throw .headersTooLarge }
        }
        return line
    }

    // MARK: Fields

    /// The name's range, checked: a token with a colon right behind it, which a folded line has not.
    private func fieldName(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Fault) -> Range<Int> {
        var colon = line.lowerBound
        while colon < line.upperBound, Octets.isToken(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == 58 else { throw .malformed }
        return line.lowerBound..<colon
    }

    private mutating func takeField(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Fault) {
        let name = try fieldName(bytes, line)
        let value = Octets.trimmed(bytes, name.upperBound + 1..<line.upperBound)
        let known = FieldName(bytes.extracting(name))
        if let known { try framing.take(known, bytes.extracting(value)) }
        head.add(Octets.text(bytes, name), Octets.text(bytes, value), known: known)
    }

    private mutating func endHead() throws(Fault) -> Part {
        try framing.finish(&head)
        if framing.isChunked {
            state = .chunkSize
        } else if let length = head.contentLength, length > 0 {
            state = .counted(length)
        } else {
            state = .done
        }
        // Given away, not kept beside the receiver's.
        var head = RequestHead(method: .get, target: "")
        swap(&head, &self.head)
        return .head(head)
    }

    private mutating func chunkSize(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Fault) -> Int {
        var size = 0
        var index = line.lowerBound
        while index < line.upperBound, let digit = Octets.hexadecimal(bytes[index]) {
            // Fifteen digits: the sixteenth could make it negative.
            guard index - line.lowerBound < 15 else { throw .malformed }
            size = size << 4 | digit
            index += 1
        }
        guard index > line.lowerBound else { throw .malformed }
        guard index < line.upperBound else { return size }
        extensionBytes += line.upperBound - index
        let rest = Octets.trimmed(bytes, index..<line.upperBound)
        guard !rest.isEmpty, bytes[rest.lowerBound] == 59, extensionBytes <= limits.headers else {
            throw .malformed
        }
        return size
    }
}
