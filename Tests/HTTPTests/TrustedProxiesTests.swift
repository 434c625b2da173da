import FunctionCore
import HTTPTrigger
import Testing

@Suite("Trusted proxies", .timeLimit(.minutes(1)))
struct TrustedProxiesTests {
    private func proxies(
        _ ranges: [String],
        _ form: TrustedProxies.Form = .xForwarded
    ) throws
        -> TrustedProxies
    {
        TrustedProxies(try ranges.map { try #require(AddressRange($0)) }, form: form)
    }

    private func caller(_ proxies: TrustedProxies, _ headers: [Header], peer: String = "10.0.0.1") -> Caller {
        proxies.caller(behind: Caller(address: peer, scheme: "http"), headers)
    }

    @Test("a range is an address, or one with the number of bits that count")
    func ranges() {
        for text in [
            "10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "::1", "fd00::/8", "2001:db8::/32", "::ffff:10.0.0.0/104",
        ] {
            #expect(AddressRange(text) != nil, "\(text)")
        }
        for text in [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.1/8", "10.0.0",
            "localhost",
            "::1/129", "[::1]", "fe80::1%eth0", "10.0.0.0/8/8", "10.0.0.0 /8", "1.2.3.4\u{0}",
        ] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test("an address is trusted by its value, not by how it is written")
    func trusts() throws {
        let proxies = try proxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
        for address in ["10.0.0.1", "10.255.255.255", "192.0.2.7", "::ffff:10.1.2.3", "fd12:3456::1"] {
            #expect(proxies.trusts(address), "\(address)")
        }
        for address in ["11.0.0.1", "192.0.2.8", "::ffff:11.0.0.1", "fe80::1", "", "unix:", "10.0.0.1:80"] {
            #expect(!proxies.trusts(address), "\(address)")
        }
        #expect(!TrustedProxies.none.trusts("127.0.0.1"))
        let everyIPv4 = try self.proxies(["0.0.0.0/0"])
        #expect(everyIPv4.trusts("203.0.113.9"))
        #expect(!everyIPv4.trusts("2001:db8::1"))
    }

    @Test("the client is the first address from the right that is no trusted proxy's")
    func rightmost() throws {
        let proxies = try proxies(["10.0.0.0/8"])
        let fields = [Header("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.2")]
        #expect(caller(proxies, fields) == Caller(address: "203.0.113.9", scheme: "http"))
        // One proxy wrote a line of its own.
        let lines = [
            Header("x-forwarded-for", "6.6.6.6"), Header("X-Forwarded-For", "203.0.113.9"),
            Header("X-Forwarded-Proto", "https"),
        ]
        #expect(caller(proxies, lines) == Caller(address: "203.0.113.9", scheme: "https"))
    }

    @Test("where all are trusted the client is the one that is farthest")
    func allTrusted() throws {
        let fields = [Header("x-forwarded-for", "10.0.0.3, 10.0.0.2"), Header("x-forwarded-proto", "https")]
        #expect(caller(try proxies(["10.0.0.0/8"]), fields) == Caller(address: "10.0.0.3", scheme: "https"))
    }

    @Test("an entry that is no address ends the walk at the proxy that wrote it")
    func garbage() throws {
        let proxies = try proxies(["10.0.0.0/8"])
        for text in ["unknown", "", "203.0.113.9, nonsense", "203.0.113.9,", "[::1", "1.2.3.4.5"] {
            #expect(caller(proxies, [Header("x-forwarded-for", text)]).address == "10.0.0.1", "\(text)")
        }
        #expect(caller(proxies, [Header("x-forwarded-for", "junk, 10.0.0.2")]).address == "10.0.0.2")
        #expect(caller(proxies, []).address == "10.0.0.1")
        #expect(
            caller(
                proxies,
                [Header("x-forwarded-for", "203.0.113.9"), Header("x-forwarded-proto", "gopher")]
            )
                == Caller(address: "203.0.113.9", scheme: "http")
        )
    }

    @Test(
        "addresses may have ports and brackets",
        arguments: [
            ("203.0.113.9:4711", "203.0.113.9"), ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"),
        ]
    )
    func ports(text: String, address: String) throws {
        #expect(caller(try proxies(["10.0.0.0/8"]), [Header("x-forwarded-for", text)]).address == address)
    }

    @Test("schemes go with their addresses where there is one for each")
    func schemes() throws {
        let fields = [
            Header("x-forwarded-for", "203.0.113.9, 10.0.0.2"), Header("x-forwarded-proto", "https, http"),
        ]
        #expect(caller(try proxies(["10.0.0.0/8"]), fields).scheme == "https")
    }

    @Test("Forwarded is read with its quotes, and only where it is the form that the proxies write")
    func forwarded() throws {
        let value = "for=6.6.6.6;proto=http, For=\"[2001:db8::17]:4711\";Proto=HTTPS;by=10.0.0.1"
        let fields = [Header("Forwarded", value), Header("X-Forwarded-For", "7.7.7.7")]
        #expect(
            caller(try proxies(["10.0.0.0/8"], .forwarded), fields)
                == Caller(address: "2001:db8::17", scheme: "https")
        )
        #expect(caller(try proxies(["10.0.0.0/8"]), fields).address == "7.7.7.7")
        let hostile = try proxies(["10.0.0.0/8"], .forwarded)
        for text in [
            "for=\"203.0.113.9", "for", "=", ";;;,,,", "for=_hidden", "for=unknown", "for=\"a\\",
            "for=203.0.113.9,",
        ] {
            #expect(caller(hostile, [Header("forwarded", text)]).address == "10.0.0.1", "\(text)")
        }
    }

    @Test("fields of clients are left out, and of proxies those of the form that they do not write")
    func drops() throws {
        let own = ["X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "x-forwarded-port"]
        let proxies = try proxies(["10.0.0.0/8"])
        for name in own + ["Forwarded", "X-Real-IP"] {
            #expect(proxies.drops(name, fromTrusted: false), "\(name)")
        }
        for name in own { #expect(!proxies.drops(name, fromTrusted: true), "\(name)") }
        #expect(proxies.drops("forwarded", fromTrusted: true))
        #expect(proxies.drops("x-real-ip", fromTrusted: true))
        let other = TrustedProxies([], form: .forwarded)
        #expect(!other.drops("Forwarded", fromTrusted: true))
        #expect(other.drops("X-Forwarded-For", fromTrusted: true))
        #expect(!proxies.drops("x-forwarded-fox", fromTrusted: false))
    }
}
