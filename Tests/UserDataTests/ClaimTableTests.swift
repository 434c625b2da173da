import Testing

@testable import UserData

@Suite(.timeLimit(.minutes(1)))
struct ClaimTableTests {
    private let key = ClaimTable.Key(collection: "c", key: "k")

    @Test("a key has one holder, and a line that ends at its limit")
    func limit() {
        var table = ClaimTable()
        #expect(table.claim(key, by: "maker") == .held)
        for number in 1...ClaimTable.waiterLimit {
            #expect(table.claim(key, by: "w\(number)") == .waits(number))
        }
        #expect(table.claim(key, by: "one more") == .full)
        #expect(table.made(key).count == ClaimTable.waiterLimit)
        #expect(table.count == 0)
    }

    @Test("an invocation that ends gives up what it waits for before it hands on what it holds")
    func ending() {
        var table = ClaimTable()
        let other = ClaimTable.Key(collection: "c", key: "other")
        #expect(table.claim(key, by: "a") == .held)
        #expect(table.claim(other, by: "b") == .held)
        #expect(table.claim(other, by: "a") == .waits(1))
        #expect(table.claim(key, by: "b") == .waits(2))
        #expect(table.ended("a") == ClaimTable.End(promoted: [2], abandoned: [1]))
        #expect(table.ended("b") == ClaimTable.End())
        #expect(table.count == 0)
    }
}
