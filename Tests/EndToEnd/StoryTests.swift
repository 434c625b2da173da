import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("A questionnaire becomes a film", .serialized, .devHost(), .timeLimit(.minutes(1)))
    struct StoryTests {
        @Test("answers become a script by an event, and a film by another, in one trace, and the film plays")
        func chain() async throws {
            let host = try sharedHost()
            let trace = TraceContext.begin()
            let answers = try await host.submit(1500, [Header("traceparent", trace.traceparent)])
            let script = try await eventually("the script") {
                try await host.list("scripts", of: 1500).first { $0["answers"]?.stringValue == answers }
            }
            let film = try await eventually("the film") {
                try await host.list("videos", of: 1500).first { $0["script"] == script["id"] }
            }
            for function in ["questionnaire", "script", "video"] {
                let runs = host.log("invocation", of: function)
                #expect(
                    runs.contains { $0["trace"]?.stringValue == trace.traceID },
                    "\(function) left the trace"
                )
            }
            let url = try #require(film["url"]?.stringValue)
            let answer = try await host.get(url)
            #expect(answer.status == 200)
            #expect(answer.headers.first("content-type") == "video/mp4")
            #expect(answer.body.count == film["size"]?.intValue)
            let path = "\(host.place.path)/film.mp4"
            Text.write(answer.body.array, to: path)
            let probe = try await Ran.run(
                ChildSpec(
                    "ffprobe",
                    [
                        "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv=p=0",
                        path,
                    ]
                )
            )
            #expect(probe.lines.contains("h264") && probe.lines.contains("aac"), "\(probe.all)")
            let duration = try #require(probe.lines.compactMap { Double($0) }.first)
            let told = try #require(script["seconds"]?.doubleValue)
            #expect(abs(duration - told) <= 0.5, "the film takes \(duration) s, the script \(told)")
        }

        @Test("a user's rows lie in the shard of a thousand users that the number tells, and nowhere else")
        func shards() async throws {
            let host = try sharedHost()
            for (user, shard) in [(1, 1), (1000, 1), (1001, 2), (2000, 2)] {
                let place = try await host.swiftlet("shards", "locate", "\(user)", "--json")
                #expect(try JSON.parse(Bytes(place.output))["shard"]?.intValue == shard, "\(place.all)")
            }
            let answers = try await host.submit(2000)
            let files = Text.names(in: "\(host.data)/users").filter { $0.contains(".sqlite") }
            // The row may still lie in the log that SQLite writes ahead of the file.
            let holding = files.filter { file in
                Text.bytes("\(host.data)/users/\(file)").map { $0.contains(answers.utf8) } ?? false
            }
            #expect(
                !holding.isEmpty && holding.allSatisfy { $0.hasPrefix("shard-0002.sqlite") },
                "\(holding)"
            )
            #expect(try await host.list("answers", of: 2000).count == 1)
            #expect(try await host.list("answers", of: 1000).isEmpty)
        }

        @Test("a user below 1 is refused, and so is a questionnaire with faults, all of which are told")
        func refused() async throws {
            let host = try sharedHost()
            for user in ["0", "-1", "x"] {
                let answer = try await host.post(
                    "/v1/users/\(user)/questionnaires/story/answers",
                    goodAnswers
                )
                #expect(answer.status == 422, "user \(user): \(answer.text)")
            }
            let bad: JSON = ["answers": ["hero": "", "age": 999, "place": "Lisbon"]]
            let answer = try await host.post("/v1/users/5/questionnaires/story/answers", bad)
            #expect(answer.status == 422)
            let faults = answer.json["error"]?["faults"]?.arrayValue ?? []
            let paths = Set(faults.compactMap { $0["path"]?.stringValue })
            #expect(paths.isSuperset(of: ["answers.hero", "answers.age", "answers.wish"]), "\(answer.text)")
            #expect(faults.allSatisfy { $0["rule"]?.stringValue != nil && $0["message"]?.stringValue != nil })
        }

        @Test("a signed URL is refused when it was changed, and after its 60 s")
        func signedURL() async throws {
            let host = try sharedHost()
            let films = try await host.list("videos", of: 1500)
            let url = try #require(films.first?["url"]?.stringValue)
            #expect(try await host.get(url).status == 200)
            let last = try #require(url.last)
            #expect(try await host.get(url.dropLast() + (last == "0" ? "1" : "0")).status == 403)
            let other = url.replacing("/1500/", with: "/1501/")
            #expect(other != url)
            #expect(try await host.get(other).status == 403)
            let plain = try #require(url.split(separator: "?").first)
            #expect(try await host.get(String(plain)).status == 403)
            try await host.clock(["advance": 61])
            let late = try await host.get(url)
            #expect(late.status == 403, "\(late.text)")
            let fresh = try #require(try await host.list("videos", of: 1500).first?["url"]?.stringValue)
            #expect(try await host.get(fresh).status == 200)
        }
    }
}

extension Collection where Element == UInt8 {
    /// Whether a text's bytes lie in it.
    func contains(_ text: some Collection<UInt8>) -> Bool {
        firstRange(of: text) != nil
    }
}
