import Activity
import FunctionCore
import Seeds
import Testing

@Suite("The book of activity", .timeLimit(.minutes(1)))
struct BookTests {
    @Test("entries come newest first, and each once over pages while others are added")
    func pages() {
        let book = ActivityBook(capacity: 700)
        for number in 1...1000 { book.add(entry("i\(number)")) }
        var seen: [Int] = []
        var before: Int?
        while true {
            let page = book.entries(before: before, limit: 97)
            guard let last = page.last else { break }
            seen += page.map(\.number)
            before = last.number
            book.add(entry("late"))
        }
        // Each page drove one more of the oldest out.
        #expect(seen == Array((1000 - seen.count + 1...1000).reversed()))
        #expect(seen.count > 690 && seen.count <= 700)
    }

    @Test(
        "what a filter finds is what a plain search over all entries finds",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func filters(_ seed: UInt64) {
        var random = SeededRandom(seed)
        let book = ActivityBook(capacity: 300)
        var all: [ActivityEntry] = []
        for number in 1...Int.random(in: 1...900, using: &random) {
            let failed = Int.random(in: 0..<4, using: &random) == 0
            let error = ActivityError(code: "unknown_tone", message: "there is no tone Z\(number % 10)")
            let one = entry(
                "id\(number)",
                ["echo", "slow", "motto"].randomElement(using: &random) ?? "",
                outcome: failed ? "failed" : "ok",
                error: failed ? error : nil,
                trigger: ["http", "job"].randomElement(using: &random) ?? ""
            )
            book.add(one)
            all.append(one)
        }
        all = all.suffix(300).reversed()
        let filters = [
            ActivityFilter(), ActivityFilter(function: "slow"), ActivityFilter(trigger: "job"),
            ActivityFilter(outcomes: ["failed", "timed_out"]), ActivityFilter(search: "TONE z3"),
            ActivityFilter(function: "motto", trigger: "http", outcomes: ["ok"], search: "ID7"),
        ]
        for filter in filters {
            let found = book.entries(matching: filter, limit: 1000).map(\.id)
            #expect(found == all.filter(filter.takes).map(\.id))
            #expect(book.entries(matching: filter, limit: 5).map(\.id) == Array(found.prefix(5)))
        }
        #expect(book.entries(matching: filters[4]).allSatisfy { $0.error?.message.hasSuffix("Z3") == true })
    }

    @Test("a search finds what an invocation logged, too")
    func logged() {
        let book = ActivityBook()
        for id in ["a", "b", "c"] { book.add(entry(id)) }
        book.add(line("the Lamp is lit", of: "b"))
        book.add(line("a lamp of nobody", of: nil))
        #expect(book.entries(matching: ActivityFilter(search: "lAMP")).map(\.id) == ["b"])
        #expect(book.entries(matching: ActivityFilter(outcomes: ["failed"], search: "lamp")).isEmpty)
    }

    @Test("all attempts of an invocation are found, the first one first")
    func attempts() {
        let book = ActivityBook()
        for attempt in 1...3 {
            book.add(entry("job", outcome: "failed", attempt: attempt))
            book.add(entry("other\(attempt)"))
        }
        #expect(book.attempts(of: "job").map(\.attempt) == [1, 2, 3])
        #expect(book.entry("job")?.attempt == 3)
        #expect(book.entry("job")?.began == Instant(seconds: 1003) - .milliseconds(5))
        #expect(book.entry("nobody") == nil)
    }

    @Test("an invocation keeps its first lines, and a chatty one does not drive the others out")
    func chatter() {
        let book = ActivityBook()
        book.add(line("quiet", of: "b"))
        for number in 0..<10_000 { book.add(line("line \(number)", of: "a")) }
        let kept = book.lines(of: "a")
        #expect(kept.kept.count == 200 && kept.leftOut == 9800)
        #expect(kept.kept.first?.message == "line 0")
        #expect(book.lines(of: "b").kept.map(\.message) == ["quiet"])
    }

    @Test("lines of all invocations are bounded: the oldest invocations' go")
    func lineBound() {
        let book = ActivityBook()
        let text = String(repeating: "x", count: 10_000)
        for number in 0..<5000 { book.add(line(text, of: "i\(number)")) }
        #expect(book.lines(of: "i0").kept.isEmpty)
        #expect(book.lines(of: "i4999").kept.count == 1)
        let left = (0..<5000).filter { !book.lines(of: "i\($0)").kept.isEmpty }
        #expect(left.count * 10_000 <= 4 << 20 && left.count > 300)
        #expect(left == Array(5000 - left.count..<5000))
    }
}
