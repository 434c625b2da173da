import FunctionCore

/// What the Runtime API answered.
struct RuntimeAnswer: Sendable {
    var status: Int
    var headers: [Header]
    var body: Bytes
    /// Whether the connection can be used again.
    var keepsAlive: Bool
}

/// The Runtime API cannot be reached, or says what is not HTTP/1.1.
struct RuntimeFault: Error, CustomStringConvertible {
    var description: String
    /// The connection ended before a byte of the answer came.
    var isAtStart = false
}

/// Reads answers of HTTP/1.1, one after another, from what `refill` gives; no bytes are the end.
///
/// A head may have 64 KiB, a body 16 MiB: an event has 6 MiB at most.
struct AnswerReader {
    private static let headMax = 64 * 1024
    private static let bodyMax = 16 * 1024 * 1024

    private var held: [UInt8] = []
    private var at = 0
    private let refill: () -> [UInt8]

    init(refill: @escaping () -> [UInt8]) {
        self.refill = refill
    }

    /// The next answer; interim ones are passed over.
    mutating func next() throws(RuntimeFault) -> RuntimeAnswer {
        held.removeFirst(at)
        at = 0
        if held.isEmpty {
            held = refill()
            if held.isEmpty { throw RuntimeFault(description: "the connection ended", isAtStart: true) }
        }
        var budget = AnswerReader.headMax
        while true {
            var answer = try head(&budget)
            guard answer.status >= 200 else { continue }
            try readBody(of: &answer)
            return answer
        }
    }

    private mutating func head(_ budget: inout Int) throws(RuntimeFault) -> RuntimeAnswer {
        let words = try line(&budget).split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), 100...599 ~= status
        else { throw RuntimeFault(description: "an answer that is not HTTP/1.1") }
        var headers: [Header] = []
        while true {
            let field = try line(&budget)
            if field.isEmpty { break }
            let pair = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, isToken(String(pair[0])) else {
                throw RuntimeFault(description: "a header field that is none")
            }
            headers.append(Header(String(pair[0]), AnswerReader.trimmed(pair[1])))
        }
        let closes = headers.first("connection")?.lowercased() == "close" || words[0] == "HTTP/1.0"
        return RuntimeAnswer(status: status, headers: headers, body: Bytes(), keepsAlive: !closes)
    }

    private mutating func readBody(of answer: inout RuntimeAnswer) throws(RuntimeFault) {
        if answer.status == 204 || answer.status == 304 { return }
        if let coding = answer.headers.first("transfer-encoding") {
            guard coding.lowercased() == "chunked" else {
                throw RuntimeFault(description: "an answer in the coding \(coding)")
            }
            answer.body = try chunks()
        } else if let length = answer.headers.first("content-length") {
            guard let count = Int(length), 0...AnswerReader.bodyMax ~= count else {
                throw RuntimeFault(description: "an answer of length \(length)")
            }
            answer.body = Bytes(try take(count))
        } else {
            answer.keepsAlive = false
            while more() {
                guard held.count - at <= AnswerReader.bodyMax else {
                    throw RuntimeFault(description: "an answer that is too long")
                }
            }
            answer.body = Bytes(try take(held.count - at))
        }
    }

    private mutating func chunks() throws(RuntimeFault) -> Bytes {
        var body: [UInt8] = []
        var budget = AnswerReader.headMax
        while true {
            var sizeBudget = 1024
            let size = try line(&sizeBudget).prefix { $0 != ";" && $0 != " " }
            guard let count = Int(size, radix: 16), count >= 0, body.count + count <= AnswerReader.bodyMax
            else {
                throw RuntimeFault(description: "a chunk of size \(size)")
            }
            if count == 0 { break }
            body += try take(count)
            guard try line(&sizeBudget).isEmpty else {
                throw RuntimeFault(description: "a chunk without its end")
            }
        }
        while try !line(&budget).isEmpty {}
        return Bytes(body)
    }

    private mutating func take(_ count: Int) throws(RuntimeFault) -> [UInt8] {
        while held.count - at < count {
            guard more() else { throw RuntimeFault(description: "the connection ended within an answer") }
        }
        defer { at += count }
        return Array(held[at..<at + count])
    }

    private mutating func line(_ budget: inout Int) throws(RuntimeFault) -> String {
        var from = at
        while true {
            if let end = held[from...].firstIndex(of: 10) {
                budget -= end - at
                guard budget >= 0 else { break }
                let line = held[at..<end]
                at = end + 1
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            from = held.count
            guard held.count - at <= budget else { break }
            guard more() else { throw RuntimeFault(description: "the connection ended within an answer") }
        }
        throw RuntimeFault(description: "an answer whose head is too long")
    }

    private mutating func more() -> Bool {
        let bytes = refill()
        held += bytes
        return !bytes.isEmpty
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
