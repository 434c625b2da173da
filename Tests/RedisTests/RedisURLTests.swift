import RedisTrigger
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RedisURLTests {
    @Test("a URL gives address, access and database")
    func parts() throws {
        #expect(try RedisURL("redis://localhost") == RedisURL(address: .tcp(host: "localhost", port: 6379)))
        #expect(
            try RedisURL("redis://h:7000/3") == RedisURL(address: .tcp(host: "h", port: 7000), database: 3)
        )
        #expect(
            try RedisURL("redis://me:a%40b%2F@h:1/0")
                == RedisURL(address: .tcp(host: "h", port: 1), user: "me", password: "a@b/")
        )
        #expect(
            try RedisURL("redis://:pw@[::1]:6380")
                == RedisURL(address: .tcp(host: "::1", port: 6380), password: "pw")
        )
        #expect(try RedisURL("redis://[::1]") == RedisURL(address: .tcp(host: "::1", port: 6379)))
        #expect(
            try RedisURL("rediss://me:pw@h:7/2")
                == RedisURL(
                    address: .tcp(host: "h", port: 7),
                    user: "me",
                    password: "pw",
                    database: 2,
                    isSecure: true
                )
        )
        #expect(
            try RedisURL("unix://me:p%40w@/run/@r.sock")
                == RedisURL(address: .unix(path: "/run/@r.sock"), user: "me", password: "p@w")
        )
        #expect(
            try RedisURL("unix:///run/r.sock?db=2")
                == RedisURL(address: .unix(path: "/run/r.sock"), database: 2)
        )
    }

    @Test("what is shown of a URL holds no password")
    func redacted() throws {
        let url = try RedisURL("redis://me:secret@h:1/2")
        #expect(url.description == "redis://me:***@h:1/2")
        #expect(try RedisURL("rediss://me:secret@h:1/2").description == "rediss://me:***@h:1/2")
        #expect(try RedisURL("unix:///a/b").description == "unix:///a/b")
    }

    @Test(
        "a bad URL is refused with its reason and without its password",
        arguments: [
            ("http://h", "must begin"), ("rediss://secret@h", "user:password"), ("redis://", "host"),
            ("redis://h:0", "port"), ("redis://h:secret", "port"), ("redis://h/x", "database"),
            ("redis://h/-1", "database"), ("redis://secret@h", "user:password"),
            ("redis://:%2@h", "hexadecimal"),
            ("unix://relative", "absolute"), ("unix:///x?timeout=1", "db="),
            ("unix:///" + String(repeating: "x", count: 120), "107"),
        ]
    )
    func refused(_ text: String, _ reason: String) {
        let error = #expect(throws: RedisError.self) { try RedisURL(text) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("secret") == false)
        #expect(error?.code == .badURL)
    }
}
