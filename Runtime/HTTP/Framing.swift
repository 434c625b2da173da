/// What the fields of an HTTP/1 request say of its body's end, its host and its connection.
///
/// A request that states these in two ways is refused: two servers that read them differently would see
/// different requests.
struct Framing: Sendable {
    typealias Fault = RequestParser.Fault

    /// The authority of a target in absolute form, which stands above Host (RFC 9112, 3.2.2).
    var authority: String?
    private(set) var isChunked = false
    private var isOld = false
    private var hosts = 0
    private var contentLength: Int?
    private var hasOtherCoding = false
    private var hasCoding = false
    private var asksClose = false
    private var asksKeepAlive = false
    private var asksUpgrade = false
    private var namesUpgrade = false

    init(isOld: Bool = false) {
        self.isOld = isOld
    }

    /// Looks at one field.
    mutating func take(_ name: FieldName, _ value: Span<UInt8>) throws(Fault) {
        switch name {
        case .host:
            hosts += 1
            for index in 0..<value.count where !Octets.isAuthority(value[index]) { throw .host }
        case .contentLength:
            // Even two that agree: RFC 9110, 8.6 leaves a choice, and refusing is the safe one.
            guard contentLength == nil else { throw .malformed }
            contentLength = try Framing.length(value)
        case .transferEncoding: try takeCodings(value)
        case .connection: takeOptions(value)
        case .upgrade: namesUpgrade = true
        default: break
        }
    }

    /// Decides, when all fields have been seen.
    func finish(_ head: inout RequestHead) throws(Fault) {
        guard hosts == 1 || (hosts == 0 && isOld) else { throw .host }
        if hasCoding {
            guard contentLength == nil, !isOld, isChunked else { throw .malformed }
            guard !hasOtherCoding else { throw .coding }
        }
        head.contentLength = contentLength
        head.keepsAlive = isOld ? asksKeepAlive && !asksClose : !asksClose
        head.asksUpgrade = asksUpgrade && namesUpgrade && !isOld
        if let authority { head.replace("host", with: authority) }
    }

    /// Digits only, and few enough not to overflow.
    private static func length(_ value: Span<UInt8>) throws(Fault) -> Int {
        guard (1...18).contains(value.count) else { throw .malformed }
        var length = 0
        for index in 0..<value.count {
            guard (48...57).contains(value[index]) else { throw .malformed }
            length = length * 10 + Int(value[index] - 48)
        }
        return length
    }

    /// The last coding of all must be `chunked`, once.
    private mutating func takeCodings(_ value: Span<UInt8>) throws(Fault) {
        hasCoding = true
        var start = 0
        while start <= value.count {
            let item = Framing.item(value, &start)
            guard !item.isEmpty, !isChunked else { throw .malformed }
            if value.extracting(item).spells("chunked") { isChunked = true } else { hasOtherCoding = true }
        }
    }

    private mutating func takeOptions(_ value: Span<UInt8>) {
        var start = 0
        while start <= value.count {
            let item = value.extracting(Framing.item(value, &start))
            if item.spells("close") { asksClose = true }
            if item.spells("keep-alive") { asksKeepAlive = true }
            if item.spells("upgrade") { asksUpgrade = true }
        }
    }

    /// The next element of a list with commas; `start` goes past the comma behind it.
    private static func item(_ value: Span<UInt8>, _ start: inout Int) -> Range<Int> {
        var end = start
        while end < value.count, value[end] != 44 { end += 1 }
        defer { start = end + 1 }
        return Octets.trimmed(value, start..<end)
    }
}
