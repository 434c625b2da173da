import HTTPTrigger
import Testing

@Suite("Accept-Encoding", .timeLimit(.minutes(1)))
struct AcceptEncodingTests {
    @Test(
        "gzip is taken where it is wanted at least as much as the plain body",
        arguments: [
            ("gzip", true), ("gzip, deflate, br", true), ("GZip", true), ("x-gzip", true), ("*", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true), ("deflate, gzip;q=0.001", true), ("gzip ; q=1", true),
            ("", false), ("br", false), ("identity", false), ("gzip;q=0", false), ("gzip;q=0.000", false),
            ("*;q=0", false), ("gzip;q=0, *", false), ("*;q=0, gzip", true), ("gzip, ;q=0, *;q=0", true),
            ("gzip;q=0.5, identity", false), ("gzip;q=0.5, identity;q=0.5", true), ("gzip;q=nan", false),
            ("gzip;q=2", false),
            ("gzip;q=-1", false), ("gzipped", false), ("gzip;level=9", true), ("gzip, gzip;q=0", false),
            (",,,", false),
        ]
    )
    func takes(value: String, does: Bool) {
        #expect(AcceptEncoding.takesGzip(value) == does)
    }

    @Test(
        "text and structured data get shorter; pictures and event streams are left alone",
        arguments: [
            ("application/json", true), ("text/html; charset=utf-8", true), ("TEXT/CSS", true),
            ("image/svg+xml", true),
            ("application/problem+json", true), ("application/wasm", true), ("text/event-stream", false),
            ("text/event-stream; charset=utf-8", false), ("image/png", false), ("video/mp4", false),
            ("application/octet-stream", false), ("application/gzip", false), ("font/woff2", false),
            ("", false),
        ]
    )
    func types(type: String, is: Bool) {
        #expect(MediaType.isCompressible(type) == `is`)
    }
}
