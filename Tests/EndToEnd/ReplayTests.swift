import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Recordings and replays", .timeLimit(.minutes(2)))
    struct ReplayTests {
        private static let manifest = """
            triggers: {http: [{method: POST, path: /draw}]}
            bindings: [text, state]
            environment: {PLAIN: nothing, SHOP_KEY: key-of-the-shop}
            """

        private static let batched = """
            triggers: {http: [{method: POST, path: /batched}]}
            batch: {max: 4, window: 5ms}
            bindings: [text]
            """

        private func withHost(_ body: (DevHost, _ place: String) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            FixtureProject.copyBundle("", in: place.path)
            var options = FixtureProject.options(in: place.path)
            options.bundle = "\(place.path)/bundle"
            FixtureProject.write("draw", ReplayTests.manifest, in: place.path)
            FixtureProject.write("batched", ReplayTests.batched, in: place.path)
            options.environment = [
                "SWIFTLET_RECORD_REDACT": "voucher", "SWIFTLET_WEBHOOK_KEY": "webhook-key-1234",
            ]
            try await DevHost.run(options) { try await body($0, place.path) }
        }

        private func recorded(_ host: DevHost, _ function: String, _ count: Int = 1) async throws -> [String]
        {
            try await eventually("\(count) recordings of \(function)") { () -> [String]? in
                let list =
                    try await HTTP.get("\(host.admin)/v1/recordings").json["recordings"]?.arrayValue ?? []
                let own = list.filter { $0["function"]?.stringValue == function }
                return own.count >= count ? own.compactMap { $0["id"]?.stringValue } : nil
            }
        }

        @Test("a failed invocation runs again as it was: twenty times, after a restart, and on another host")
        func same() async throws {
            try await withHost { host, place in
                let failed = try await host.post("/draw", ["prompt": "a lamp", "end": "fail"])
                #expect(failed.status == 500 && failed.code == "drawn", "\(failed.text)")
                let id = try await recorded(host, "draw")[0]
                let ran = try await host.swiftlet("replay", id, "--times", "20")
                #expect(ran.code == 0 && ran.output.contains("20 of 20 as recorded"), "\(ran.all)")
                // Nothing outside was reached: the count in Redis is what it was.
                #expect(try await host.redis("GET", "state:draws") == .text("1"))
                let shown = try await HTTP.get("\(host.admin)/v1/invocations?trigger=replay").json
                #expect(shown["invocations"]?[0]?["replay_of"]?.stringValue == id, "\(shown.text)")

                let file = "\(place)/exported.json"
                let exported = try await host.swiftlet("export", id)
                #expect(exported.code == 0, "\(exported.all)")
                Text.write(exported.output.utf8, to: file)
                _ = try await host.interrupt()
                Text.write("{".utf8, to: "\(host.data)/recordings/.half.1.failed.draw.json.7")
                try await host.start()
                #expect(!Text.names(in: "\(host.data)/recordings").contains { $0.hasPrefix(".half") })
                let again = try await host.swiftlet("replay", id)
                #expect(again.code == 0 && again.output.contains("1 of 1 as recorded"), "\(again.all)")
                try await withHost { other, _ in
                    let there = try await other.swiftlet("replay", "--file", file, "--times", "3")
                    #expect(there.code == 0 && there.output.contains("3 of 3 as recorded"), "\(there.all)")
                }
                let inline = try await Ran.run(
                    ChildSpec("\(Installed.directory)/fixtures", ["--inline", "draw", "--record", file])
                )
                let message = try #require(
                    try JSON.parse(Bytes(inline.output))["error"]?["message"]?.stringValue
                )
                #expect(message == failed.message, "\(inline.all)")
            }
        }

        @Test("a crash, and an invocation that was asked for, are kept and run again")
        func kinds() async throws {
            try await withHost { host, _ in
                let crashed = try await host.post("/draw", ["prompt": "b", "end": "crash"])
                #expect(crashed.code == "worker_lost", "\(crashed.text)")
                let crash = try await recorded(host, "draw")[0]
                let ran = try await host.swiftlet("replay", crash)
                #expect(ran.code == 0 && ran.output.contains("worker_lost 502"), "\(ran.all)")

                let kept = try await host.swiftlet("invoke", "draw", "--record")
                #expect(kept.code == 0 && kept.errors.contains("swiftlet replay "), "\(kept.all)")
                let ids = try await recorded(host, "draw", 2)
                let good = try #require(ids.first { $0 != crash })
                #expect(kept.errors.contains(good))
                let again = try await host.swiftlet("replay", good, "--json")
                let reply = try JSON.parse(Bytes(again.output))["runs"]?[0]?["reply"]?.stringValue
                #expect(again.code == 0 && reply.map { $0 + "\n" } == kept.output, "\(again.all)")

                // What went well and was not asked for is not kept.
                _ = try await host.post("/draw", ["prompt": "c"])
                _ = try await host.post("/draw", ["prompt": "d"], [Header("x-swiftlet-record", "1")])
                #expect(try await recorded(host, "draw", 3).count == 3)
            }
        }

        @Test("a replay of code that does something else says what differs")
        func divergence() async throws {
            try await withHost { host, place in
                _ = try await host.post("/draw", ["prompt": "a lamp", "end": "fail"])
                let id = try await recorded(host, "draw")[0]
                let exported = try await host.swiftlet("export", id)
                // As if the code asked for something else, or failed otherwise.
                for (old, new, told) in [
                    ("a lamp", "a lump", "is called with other arguments: `messages[0].content` is"),
                    ("\"drawn\"", "\"drown\"", "the error is drawn, it was drown"),
                    ("\"state\"", "\"statf\"", "is called where statf.increment was"),
                ] {
                    var changed = try JSON.parse(Bytes(exported.output)).bytes(pretty: true).text
                    let mark = try #require(changed.firstRange(of: old))
                    changed.replaceSubrange(mark, with: new)
                    let file = "\(place)/changed.json"
                    Text.write(changed.utf8, to: file)
                    let ran = try await host.swiftlet("replay", "--file", file)
                    #expect(ran.code == 1 && ran.output.contains(told), "\(new): \(ran.all)")
                }
                let unknown = try await host.swiftlet("replay", "nobody")
                #expect(
                    unknown.code == 1 && unknown.errors.contains("not_found: no recording"),
                    "\(unknown.all)"
                )
            }
        }

        @Test("what the function took from elsewhere than its context is told, with what to take instead")
        func unrecorded() async throws {
            try await withHost { host, _ in
                for (own, told) in [
                    ("number", "if a number is of the system's random ones, draw it from context.random"),
                    ("coin", "the code is the same, so it has seen what no recording has"),
                ] {
                    let kept = try await host.swiftlet(
                        "invoke",
                        "draw",
                        "--record",
                        "--event",
                        "-",
                        input: "{\"own\": \"\(own)\"}"
                    )
                    let id = try #require(
                        kept.errors.split { " ;`\n".contains($0) }.first { $0.count > 20 }.map(String.init)
                    )
                    _ = try await eventually("the recording") {
                        try await HTTP.get("\(host.admin)/v1/recordings/\(id)").status == 200 ? true : nil
                    }
                    let ran = try await host.swiftlet("replay", id)
                    #expect(ran.code == 1 && ran.output.contains(told), "\(ran.all)")
                    #expect(ran.output.contains("`own` is"), "\(ran.all)")
                }
            }
        }

        @Test("a batch is kept as its events, without their secrets, and runs again, with headers heeded")
        func batches() async throws {
            try await withHost { host, _ in
                let secret = [Header("authorization", "Bearer T-5555"), Header("content-type", "text/plain")]
                let wish = [Header("x-swiftlet-record", "1")]
                let url = "\(host.gateway)/batched"
                let failed = try await HTTP.send("POST", url, "all", secret)
                #expect(failed.code == "all", "\(failed.text)")
                let well = try await HTTP.send("POST", url, "well", secret + wish)
                #expect(well.status == 201, "\(well.text)")
                let ids = try await recorded(host, "batched", 2)
                for id in ids {
                    let exported = try await host.swiftlet("export", id)
                    #expect(exported.output.contains("\"text/plain\"") && !exported.output.contains("T-5555"))
                    #expect(!exported.output.contains("base64"), "\(exported.output)")
                    let ran = try await host.swiftlet("replay", id, "--times", "3")
                    #expect(ran.code == 0 && ran.output.contains("3 of 3 as recorded"), "\(ran.all)")
                }
                let again = try await host.swiftlet("invoke", "batched", "--recorded", ids[0])
                #expect(again.code == 0 && again.output.contains("\"text\":\"well\""), "\(again.all)")
                let lost = try await HTTP.send(
                    "POST",
                    url,
                    "lost",
                    secret + [Header("x-swiftlet-fault", "worker=kill")]
                )
                #expect(lost.code == "worker_lost", "\(lost.text)")
            }
        }

        @Test("no secret is in a recording, which only its owner may read")
        func secrets() async throws {
            try await withHost { host, _ in
                let headers = [Header("authorization", "Bearer T-1111"), Header("cookie", "sid=C-2222")]
                let body: JSON = [
                    "prompt": "key-of-the-shop and webhook-key-1234", "voucher": "V-3333", "end": "fail",
                ]
                let failed = try await host.post("/draw?voucher=V-4444", body, headers)
                #expect(failed.message.contains("T-1111"))
                let id = try await recorded(host, "draw")[0]
                let folder = "\(host.data)/recordings"
                for name in Text.names(in: folder) {
                    let text = try #require(Text.read("\(folder)/\(name)"))
                    for secret in [
                        "T-1111", "C-2222", "V-3333", "V-4444", "key-of-the-shop", "webhook-key-1234",
                    ] {
                        #expect(!text.contains(secret), "\(secret) is in \(text)")
                    }
                    #expect(text.contains("SHOP_KEY"))
                    var status = stat()
                    #expect(stat("\(folder)/\(name)", &status) == 0 && status.st_mode & 0o777 == 0o600)
                }
                let ran = try await host.swiftlet("replay", id)
                #expect(ran.code == 0, "\(ran.all)")
            }
        }
    }
}
