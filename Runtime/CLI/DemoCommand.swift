import ArgumentParser
import FunctionCore
import Glibc
import HostKit
import Processes

/// `swiftlet demo`: all eight functions of a running development host, with real input, hop by hop.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Drives all eight functions of the running development host and prints each hop with its trace.",
        discussion:
            "Ends with the path of a film that plays. Sets the host's clock to a market's opening on the way."
    )

    @Option(help: "The user for whom the story is made.") var user = 1500
    @OptionGroup var address: HostAddress

    func run() async throws {
        let urls = address.urls()
        let stage = DemoStage(
            gateway: HostClient(base: urls.gateway, headers: []),
            admin: HostClient(base: urls.admin),
            directory: address.directory,
            user: user
        )
        let film = try await stage.story()
        try stage.persona()
        try stage.chat()
        try await stage.market()
        stage.title("done")
        print("  the film: \(film)")
    }
}

/// The acts of the demo.
struct DemoStage {
    let gateway: HostClient
    let admin: HostClient
    let directory: String
    let user: Int

    func title(_ text: String) {
        print("\n\u{2500}\u{2500} \(text)")
    }

    func hop(_ trace: String, _ text: String) {
        print("  \(trace.prefix(8))  \(text)")
    }

    private func fail(_ text: String) -> Never {
        leave(1, "the demo stops: \(text)")
    }

    private func value(_ answer: HostClient.Answer, _ what: String) -> JSON {
        guard answer.status < 400 else {
            fail("\(what) was answered with \(answer.status): \(answer.body.text)")
        }
        return answer.json
    }

    // MARK: A questionnaire becomes a film

    func story() async throws -> String {
        title("questionnaire → script → video")
        let trace = TraceContext.begin()
        let answers: JSON = [
            "hero": "Mira", "age": 9, "place": "Lisbon", "wish": "to find the lighthouse that hums at night",
        ]
        let path = "/v1/users/\(user)/questionnaires/story/answers"
        let submitted = value(
            gateway.send(
                "POST",
                path,
                body: ["answers": answers],
                headers: [Header("traceparent", trace.traceparent)]
            ),
            "the questionnaire"
        )
        guard let id = submitted["id"]?.stringValue else { fail("the answers have no id") }
        hop(trace.traceID, "POST \(path) → 201, answers \(id)")
        let shard = admin.value("GET", "/v1/shards/\(user)")
        let file = shard["file"]?.stringValue ?? ""
        hop(trace.traceID, "stored in shard \(shard["shard"]?.intValue ?? 0): \(file)")
        let script = try await wait("the script", seconds: 60) {
            let list = gateway.value("GET", "/v1/users/\(user)/scripts")["scripts"]?.arrayValue ?? []
            return list.first { $0["id"]?.stringValue == "script-\(id)" }
        }
        let seconds = script["seconds"]?.doubleValue ?? 0
        let title = script["title"]?.stringValue ?? ""
        hop(trace.traceID, "event questionnaire.submitted → script “\(title)”, \(seconds) s")
        let video = try await wait("the film", seconds: 300) {
            let list = gateway.value("GET", "/v1/users/\(user)/videos")["videos"]?.arrayValue ?? []
            return list.first { $0["script"]?.stringValue == "script-\(id)" }
        }
        let (key, size) = (video["key"]?.stringValue ?? "", video["size"]?.intValue ?? 0)
        hop(trace.traceID, "event script.generated → film \(key), \(size) bytes")
        let film = try await keep(video, trace.traceID, scripted: seconds)
        try await showTrace(trace.traceID)
        return film
    }

    /// Downloads the film by its signed URL and looks at it with ffprobe.
    private func keep(_ video: JSON, _ trace: String, scripted: Double) async throws -> String {
        guard let url = video["url"]?.stringValue else { fail("the film has no signed URL") }
        let answer = gateway.send("GET", url)
        guard answer.status == 200 else { fail("the signed URL was answered with \(answer.status)") }
        let path = "\(directory)/demo.mp4"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { fail("\(path) cannot be written") }
        let written = answer.body.array.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        guard written == answer.body.count else { fail("\(path) cannot be written whole") }
        hop(trace, "GET signed URL → 200, \(written) bytes")
        let arguments = [
            "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv=p=0", path,
        ]
        let probe = try await ChildProcess.run(ChildSpec("ffprobe", arguments), timeout: .seconds(30))
        let words = probe.output.text.split(whereSeparator: { $0.isNewline || $0 == "," }).map(String.init)
        let duration = words.compactMap(Double.init).first ?? 0
        hop(trace, "ffprobe: \(words.joined(separator: " ")); the script says \(scripted)")
        guard words.contains("h264"), words.contains("aac"), abs(duration - scripted) <= 0.5 else {
            fail("the film is not what the script says")
        }
        return path
    }

    /// All that the answers brought about, as one tree.
    private func showTrace(_ trace: String) async throws {
        // The film is there a moment before its event is published.
        let tree = try await wait("the whole of the trace", seconds: 20) {
            let tree = admin.send("GET", "/v1/traces/\(trace)").json
            let isWhole = tree["spans"]?.arrayValue?.contains { $0["name"] == "publish video.ready" } ?? false
            return isWhole && tree["complete"] == true ? tree : nil
        }
        for line in TraceDrawing(tree).text.split(separator: "\n") { print("  \(line)") }
    }

    private func wait(_ what: String, seconds: Int, _ look: () -> JSON?) async throws -> JSON {
        for _ in 0..<(seconds * 4) {
            if let found = look() { return found }
            try await Task.sleep(for: .milliseconds(250))
        }
        fail("\(what) did not come within \(seconds) s; see `swiftlet logs`")
    }

    // MARK: A persona

    func persona() throws {
        title("persona-image and motto")
        let name = "Captain Ada \(getpid())"
        let body: JSON = [
            "name": .string(name),
            "prompt": "a calm lighthouse keeper with a brass telescope",
            "tone": "bold",
        ]
        let first = gateway.send("POST", "/v1/personas", body: body)
        let persona = value(first, "the persona")
        let trace = first.headers.first("x-trace-id") ?? ""
        let image = persona["image"]
        let (width, height) = (image?["width"]?.intValue ?? 0, image?["height"]?.intValue ?? 0)
        let type = image?["contentType"]?.stringValue ?? ""
        hop(trace, "POST /v1/personas → \(first.status), \(width)×\(height) \(type)")
        hop(trace, "motto: \(persona["motto"]?.stringValue ?? "none")")
        if let url = image?["url"]?.stringValue {
            hop(trace, "GET its signed URL → \(gateway.send("GET", url).status)")
        }
        let again = gateway.send("POST", "/v1/personas", body: body)
        let second = again.headers.first("x-trace-id") ?? ""
        hop(second, "the same name again → \(again.status), the one that is there")
        for tone in ["calm", "witty"] {
            let answer = gateway.send(
                "POST",
                "/v1/mottos",
                body: ["prompt": "a lighthouse", "tone": .string(tone), "count": 1]
            )
            let text = value(answer, "the motto")["mottos"]?[0]?["text"]?.stringValue ?? ""
            hop(answer.headers.first("x-trace-id") ?? "", "motto, \(tone): \(text)")
        }
        let unknown = gateway.send("POST", "/v1/mottos", body: ["prompt": "a lighthouse", "tone": "grumpy"])
        let message = unknown.json["error"]?["message"]?.stringValue ?? ""
        hop(unknown.headers.first("x-trace-id") ?? "", "motto, grumpy → \(unknown.status): \(message)")
    }

    // MARK: A chat

    func chat() throws {
        title("chatbot, word by word")
        let body: JSON = [
            "model": "default", "stream": true,
            "messages": [["role": "user", "content": "How does a lighthouse lens work?"]],
        ]
        let stream = DemoChat(url: gateway.base + "/v1/chat/completions", body: body)
        let (trace, words) = try stream.run()
        print("")
        hop(trace, "\(words) pieces over server-sent events")
    }

    // MARK: A market boundary

    func market() async throws {
        title("trading → learning, over one market boundary")
        let (last, first) = boundary()
        try await move(to: last - .seconds(2), await: "trading")
        try await waitForRun("trading", after: last)
        report("trading", "/v1/trading/status")
        let refused = admin.send("POST", "/v1/functions/learning/invocations", body: [:])
        let code = refused.json["error"]?["code"]?.stringValue ?? ""
        hop("", "swiftlet invoke learning, in the session → \(refused.status) \(code)")
        try await move(to: first - .seconds(2), await: "learning")
        try await waitForRun("learning", after: first)
        report("learning", "/v1/learning/status")
    }

    /// The last run of trading before one of learning, and that one.
    private func boundary() -> (last: Instant, first: Instant) {
        let runs = admin.value("GET", "/v1/schedule/next?count=1000")["next"]?.arrayValue ?? []
        var last: Instant?
        for run in runs {
            guard let at = run["at"]?.stringValue.flatMap({ Instant(rfc3339: $0) }) else { continue }
            switch run["function"]?.stringValue {
            case "trading": last = at
            case "learning":
                if let last { return (last, at) }
            default: break
            }
        }
        fail("the schedules do not alternate trading and learning")
    }

    /// Waits until the scheduler has fired a function's run of that instant or a later one and it has ended.
    private func waitForRun(_ function: String, after instant: Instant) async throws {
        let path = "\(directory)/logs/swiftlet.jsonl"
        _ = try await wait("a run of \(function)", seconds: 60) {
            for line in (readFile(path) ?? []).split(separator: 10).reversed() {
                guard let record = try? JSON.parse(Bytes(Array(line))),
                    record["function"]?.stringValue == function,
                    record["trigger"]?.stringValue == "schedule",
                    record["message"]?.stringValue == "invocation",
                    let time = record["time"]?.stringValue.flatMap({ Instant(rfc3339: $0) })
                else { continue }
                guard time >= instant else { return nil }
                let trace = record["trace"]?.stringValue ?? ""
                let outcome = record["outcome"]?.stringValue ?? ""
                let took = record["duration_ms"]?.doubleValue ?? 0
                hop(trace, "\(function): schedule \(outcome), \(took) ms")
                return record
            }
            return nil
        }
    }

    private func move(to instant: Instant, await window: String) async throws {
        _ = admin.value("POST", "/v1/clock", body: ["set": .string(instant.rfc3339)])
        hop("", "clock set to \(instant.rfc3339)")
        _ = try await wait("the window of \(window)", seconds: 30) {
            let windows = admin.value("GET", "/v1/schedule")["windows"]?.arrayValue ?? []
            return windows.first { $0["window"]?.stringValue == window && $0["stage"]?.stringValue == "open" }
        }
        for window in admin.value("GET", "/v1/schedule")["windows"]?.arrayValue ?? [] {
            let token = window["token"]?.intValue.map { ", fencing token \($0)" } ?? ""
            let (name, stage) = (window["window"]?.stringValue ?? "", window["stage"]?.stringValue ?? "")
            hop("", "window \(name): \(stage)\(token)")
        }
    }

    private func report(_ name: String, _ path: String) {
        let status = gateway.value("GET", path)
        hop("", "\(name): \(status.text.prefix(400))")
    }
}
