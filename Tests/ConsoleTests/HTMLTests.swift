import Console
import FunctionCore
import Testing

@Suite("Markup", .timeLimit(.minutes(1)))
struct HTMLTests {
    /// A name that would break out of every place in which a text may stand.
    static let hostile = "</script><img src=x onerror=alert(1)>\"' onclick='alert(2)' & \u{0}\u{1F}"

    @Test("text is escaped in content and in attributes alike")
    func escaping() {
        let html = tag("p", .class(HTMLTests.hostile), .set("data-event", HTMLTests.hostile)) {
            HTMLTests.hostile
        }
        let body = html.markup.dropFirst(3).dropLast(4)
        #expect(!body.contains("<img") && !body.contains("</script"))
        // Two attributes have four quotes, and the text none of its own.
        #expect(html.markup.utf8.filter { $0 == UInt8(ascii: "\"") }.count == 4)
        #expect(html.markup.utf8.filter { $0 == UInt8(ascii: "<") }.count == 2)
        #expect(!html.markup.utf8.contains(0) && !html.markup.utf8.contains(0x1F))
    }

    @Test("addresses hold nothing but what is percent-encoded")
    func addresses() {
        let address = Address("/console/data", "a/b?c#d").with("key", HTMLTests.hostile).with("none", nil)
        #expect(address.text.hasPrefix("/console/data/a%2Fb%3Fc%23d?key=%3C%2Fscript%3E"))
        #expect(address.text.utf8.allSatisfy { (33...126).contains($0) && !"\"'<> ".utf8.contains($0) })
        #expect(!address.text.contains("none"))
    }

    @Test("parts are put together in their order, and empty attributes stand for themselves")
    func building() {
        let html = tag("ul") {
            for name in ["a", "b"] { tag("li", .flag("hidden", name == "b")) { name } }
            if false { "never" }
            void("input", .name("q"), .value("1 & 2"))
        }
        #expect(html.markup == "<ul><li>a</li><li hidden>b</li><input name=\"q\" value=\"1 &amp; 2\"></ul>")
    }

    @Test(
        "durations and sizes are said in the unit that suits them",
        arguments: [
            (spoken(.microseconds(420)), "0.42 ms"), (spoken(.milliseconds(18)), "18 ms"),
            (spoken(.milliseconds(1300)), "1.3 s"), (spoken(.seconds(120)), "2 min"),
            (spoken(.seconds(7260)), "2 h 1 min"), (spoken(bytes: 512), "512 B"),
            (spoken(bytes: 3500), "3.4 KiB"), (spoken(bytes: 200 << 20), "200 MiB"), (digits(2.50, 2), "2.5"),
        ]
    )
    func units(text: String, expected: String) {
        #expect(text == expected)
    }
}
