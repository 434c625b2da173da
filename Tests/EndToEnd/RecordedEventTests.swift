import Chatbot
import FunctionCore
import FunctionTesting
import Glibc
import Motto
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("What a recording is good for", .serialized, .devHost(), .timeLimit(.minutes(2)))
    struct RecordedEventTests {
        /// A recording of the shared host's, as `swiftlet export` writes it.
        private func exported(_ id: String) async throws -> String {
            let host = try sharedHost()
            return try await eventually("the recording \(id)") {
                let ran = try await host.swiftlet("export", id)
                return ran.code == 0 ? ran.output : nil
            }
        }

        private func recorded(_ path: String, _ body: JSON) async throws -> (id: String, reply: HTTP.Answer) {
            let host = try sharedHost()
            let reply = try await host.post(path, body, [Header("x-swiftlet-record", "1")])
            return (try #require(reply.headers.first("x-swiftlet-invocation")), reply)
        }

        @Test("an exported recording is played against the handler in a test, without a host")
        func replayed() async throws {
            let motto = try await recorded(
                "/v1/mottos",
                ["prompt": "a lighthouse", "tone": "calm", "count": 2]
            )
            #expect(motto.reply.status == 200, "\(motto.reply.text)")
            let file = try await exported(motto.id)
            let test = try FunctionTest(FunctionEntry("motto", MottoFunction.self), grants: ["text"])
            let replay = try await test.replay(RecordedInvocation(Bytes(file)))
            #expect(replay.differences == [])
            #expect(replay.reply?.text == motto.reply.text)

            // Another question now is told by its call; the recorded provider answers it all the same.
            let other = file.replacing("a lighthouse", with: "a lightship", maxReplacements: 1)
            let changed = try await test.replay(RecordedInvocation(Bytes(other)))
            #expect(changed.differences.first?.contains("text.complete is called with other") == true)
            try test.world.play(RecordedInvocation(Bytes(file)))
            let fresh = try await test.invoke(["prompt": "a lightship", "tone": "calm", "count": 2])
            #expect(try fresh.json()["mottos"] == motto.reply.json["mottos"])
        }

        @Test("gdb stops in a recorded invocation where it is told to, and it ends as it did")
        func debugged() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let motto = try await recorded(
                "/v1/mottos",
                ["prompt": "a lighthouse", "tone": "calm", "count": 1]
            )
            let file = "\(place.path)/exported.json"
            Text.write(try await exported(motto.id).utf8, to: file)
            let source = Text.read("\(Installed.project)/Functions/Motto/MottoFunction.swift") ?? ""
            let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
            let begin = try #require(lines.firstIndex { $0.contains("try MottoRequest(event.object())") })
            let commands = ["break MottoFunction.swift:\(begin + 1)", "run", "continue"].flatMap {
                ["-ex", $0]
            }
            let program = ["\(Installed.directory)/functions", "--inline", "motto", "--record", file]
            let ran = try await Ran.run(ChildSpec("gdb", ["-q", "-batch"] + commands + ["--args"] + program))
            #expect(ran.code == 0 && ran.output.contains("hit Breakpoint 1"), "\(ran.all)")
            #expect(ran.output.contains(motto.reply.text), "\(ran.all)")
        }

        @Test("a reply that streams is played too, piece by piece from the model")
        func streamed() async throws {
            let question: JSON = [
                "model": "any", "stream": true, "messages": [["role": "user", "content": "Good morning!"]],
            ]
            let chat = try await recorded("/v1/chat/completions", question)
            #expect(chat.reply.text.contains("[DONE]"), "\(chat.reply.text)")
            let test = try FunctionTest(FunctionEntry("chatbot", ChatbotFunction.self))
            let replay = try await test.replay(RecordedInvocation(Bytes(try await exported(chat.id))))
            #expect(replay.differences == [])
            #expect(replay.reply?.events.last == "[DONE]")
        }

        @Test(
            "the event of a recording is invoked afresh, by its id or its file, of that function or another"
        )
        func invoked() async throws {
            let host = try sharedHost()
            let place = try TemporaryPlace()
            defer { place.remove() }
            let motto = try await recorded(
                "/v1/mottos",
                ["prompt": "a lighthouse", "tone": "calm", "count": 1]
            )
            let file = "\(place.path)/exported.json"
            Text.write(try await exported(motto.id).utf8, to: file)
            for words in [["--recorded", motto.id], ["--event", file]] {
                let ran = try await DevHost.swiftlet(
                    ["invoke", "motto", "--record", "--data", host.data] + words
                )
                #expect(ran.code == 0 && ran.output == motto.reply.text + "\n", "\(ran.all)")
                #expect(!ran.errors.contains(motto.id), "it is an invocation of its own: \(ran.all)")
            }
            let operated = try await host.swiftlet(
                "invoke",
                "questionnaire",
                "--operation",
                "definitions",
                "--recorded",
                motto.id
            )
            #expect(operated.code == 0 && operated.output.contains("story"), "\(operated.all)")
        }

        @Test("an event that cannot be had is refused in words")
        func refused() async throws {
            let host = try sharedHost()
            let unknown = try await host.swiftlet("invoke", "motto", "--recorded", "nobody")
            #expect(unknown.code == 1 && unknown.errors.contains("no recording of nobody"), "\(unknown.all)")
            let two = try await host.swiftlet("invoke", "motto", "--recorded", "a", "--sample", "http")
            #expect(two.code == 64 && two.errors.contains("give one of them"), "\(two.all)")
            let broken = #"{"format": 1, "seed": "7", "event": {"kind": "http"}}"#
            let damaged = try await host.swiftlet("invoke", "motto", "--event", "-", input: broken)
            #expect(damaged.code == 1 && damaged.output.contains("this is no recording"), "\(damaged.all)")
        }
    }
}
