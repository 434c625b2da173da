import Testing
import WebSockets

@Suite("UTF-8 in pieces", .timeLimit(.minutes(1)))
struct UTF8CheckTests {
    @Test("says of every sequence of up to two bytes and every lead of three what the standard library says")
    func agreesOnShortSequences() {
        for first in 0...255 as ClosedRange<UInt8> {
            #expect(UTF8Check.isText([first]) == (String(validating: [first], as: UTF8.self) != nil))
            for second in 0...255 as ClosedRange<UInt8> {
                let pair = [first, second]
                let triple = [first, second, 0x80]
                let quadruple = [first, second, 0xBF, 0x80]
                for bytes in [pair, triple, quadruple] {
                    let known = String(validating: bytes, as: UTF8.self) != nil
                    guard UTF8Check.isText(bytes) != known else { continue }
                    Issue.record("\(bytes): not \(known)")
                }
            }
        }
    }

    @Test("says the same wherever the text is cut")
    func anyCut() {
        let text = Array("aé€\u{10FFFF}\u{D7FF}\u{E000}z".utf8)
        for cut in 0...text.count {
            var check = UTF8Check()
            let halves = [check.take(text[..<cut]), check.take(text[cut...])]
            #expect(halves == [true, true])
            #expect(check.isComplete)
        }
    }

    @Test("refuses a wrong byte as soon as it comes")
    func failsEarly() {
        var check = UTF8Check()
        let begins = check.take([0xED])
        #expect(begins)
        #expect(!check.isComplete)
        // The first half of a surrogate pair.
        let goesOn = check.take([0xA0])
        #expect(!goesOn)
    }
}
