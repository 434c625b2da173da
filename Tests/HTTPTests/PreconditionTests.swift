import FunctionCore
import HTTPTrigger
import Testing

@Suite("Conditions of requests", .timeLimit(.minutes(1)))
struct PreconditionTests {
    // Sat, 21 Nov 2026 02:00:00 GMT
    private let strong = Validators(etag: "\"a,b\"", modified: 1_795_226_400)
    private let weak = Validators(etag: "W/\"x\"", modified: 1_795_226_400)

    @Test(
        "If-None-Match compares weakly",
        arguments: [
            ("\"a,b\"", true), ("W/\"a,b\"", true), ("\"z\", \"a,b\"", true), ("*", true), (" * ", true),
            ("\"z\"", false), ("a,b", false), ("\"a", false), ("", false), ("\"a\",\"b\"", false),
        ]
    )
    func noneMatch(value: String, matches: Bool) {
        let verdict = strong.verdict([Header("If-None-Match", value)])
        #expect(verdict == (matches ? .notModified : .proceed))
    }

    @Test("If-None-Match in two lines is one list, and beats a date")
    func precedence() {
        let old = Header("if-modified-since", "Sat, 21 Nov 2026 03:00:00 GMT")
        #expect(strong.verdict([Header("if-none-match", "\"z\""), old]) == .proceed)
        let both = [Header("if-none-match", "\"z\""), Header("if-none-match", "\"a,b\"")]
        #expect(strong.verdict(both) == .notModified)
        #expect(weak.verdict([Header("if-none-match", "\"x\"")]) == .notModified)
    }

    @Test(
        "If-Modified-Since counts whole seconds",
        arguments: [
            ("Sat, 21 Nov 2026 02:00:00 GMT", true), ("Sat, 21 Nov 2026 01:59:59 GMT", false),
            ("Sun, 22 Nov 2026 02:00:00 GMT", true), ("yesterday", false),
            ("Sat, 21 Nov 2026 25:00:00 GMT", false),
            ("Saturday, 21-Nov-26 03:00:00 GMT", false), ("Sat, 21 Nov 2026 03:00:00 CET", false),
            ("Sat, 99 Nov 2026 03:00:00 GMT", false),
        ]
    )
    func modifiedSince(value: String, matches: Bool) {
        let verdict = strong.verdict([Header("if-modified-since", value)])
        #expect(verdict == (matches ? .notModified : .proceed))
    }

    @Test("If-Match compares strongly, and fails before anything else is looked at")
    func match() {
        #expect(strong.verdict([Header("if-match", "\"a,b\"")]) == .proceed)
        #expect(strong.verdict([Header("if-match", "W/\"a,b\"")]) == .failed)
        #expect(weak.verdict([Header("if-match", "W/\"x\"")]) == .failed)
        #expect(weak.verdict([Header("if-match", "*")]) == .proceed)
        #expect(strong.verdict([Header("if-match", "\"z\""), Header("if-none-match", "*")]) == .failed)
        #expect(strong.verdict([Header("if-unmodified-since", "Sat, 21 Nov 2026 01:00:00 GMT")]) == .failed)
        #expect(strong.verdict([Header("if-unmodified-since", "Sat, 21 Nov 2026 02:00:00 GMT")]) == .proceed)
    }

    @Test("a range goes on only with the very same file")
    func ifRange() {
        #expect(strong.allowsRange([]))
        #expect(strong.allowsRange([Header("if-range", "\"a,b\"")]))
        #expect(!strong.allowsRange([Header("if-range", "\"z\"")]))
        #expect(!strong.allowsRange([Header("if-range", "W/\"a,b\"")]))
        #expect(!weak.allowsRange([Header("if-range", "W/\"x\"")]))
        #expect(strong.allowsRange([Header("if-range", "Sat, 21 Nov 2026 02:00:00 GMT")]))
        #expect(!strong.allowsRange([Header("if-range", "Sat, 21 Nov 2026 02:00:01 GMT")]))
    }
}
