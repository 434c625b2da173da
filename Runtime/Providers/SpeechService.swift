import FunctionCore
import Invocations
import Processes
import Synchronization

/// The binding `speech`: espeak-ng as a child of the host, the text in a file, never in a shell.
package final class SpeechService: BindingService {
    package let binding = "speech"
    private static let textLimit = 4096
    private static let longest: Duration = .seconds(120)
    private let media: any MediaStore
    private let scratch: Scratch
    private let executable: String
    private let voices = Mutex<Set<String>?>(nil)

    package init(media: any MediaStore, scratch: Scratch, executable: String = "espeak-ng") {
        self.media = media
        self.scratch = scratch
        self.executable = executable
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "speak" else { throw call.unknownMethod(of: binding) }
        let request = try call.decode(SpeechRequest.self)
        try SpeechService.check(request)
        let voice = request.voice ?? "en"
        try await checkVoice(voice)
        let time = min(call.origin.deadline - Monotonic.now, SpeechService.longest)
        guard time > .zero else { throw SpeechService.failed("the invocation's time was over") }
        let clip = try await scratch.with { directory in
            try await directory.write("text.txt", request.text)
            let arguments = [
                "-v", voice, "-s", String(request.wordsPerMinute ?? 160), "-b", "1", "-w", "speech.wav", "-f",
                "text.txt",
            ]
            let spec = ChildSpec(self.executable, arguments, directory: directory.path)
            let output = try await SpeechService.run(spec, timeout: time)
            guard output.status.succeeded else {
                throw SpeechService.failed(
                    output.timedOut ? "espeak-ng took too long" : "espeak-ng: \(output.status)"
                )
            }
            let head = try await ScratchDirectory.read(directory.path("speech.wav"), limit: 4096)
            guard let header = WAVHeader(head) else {
                throw SpeechService.failed("espeak-ng wrote no WAV file")
            }
            _ = try await self.media.adopt(
                file: directory.path("speech.wav"),
                as: request.key,
                contentType: "audio/wav"
            )
            return SpeechClip(key: request.key, seconds: header.seconds, offline: true)
        }
        try answer.send(encoding: clip)
    }

    private static func check(_ request: SpeechRequest) throws {
        var faults: [Fault] = []
        if OfflineText.trimmed(request.text).isEmpty {
            faults.append(Fault("text", "required", "text must not be empty"))
        }
        if request.text.count > textLimit {
            faults.append(Fault("text", "max_length", "text may have \(textLimit) characters; split it"))
        }
        if let speed = request.wordsPerMinute, !(80...450).contains(speed) {
            faults.append(Fault("wordsPerMinute", "range", "wordsPerMinute must be 80 to 450"))
        }
        if !request.key.hasPrefix("temp/") {
            faults.append(Fault("key", "prefix", "key must begin with temp/"))
        }
        if !faults.isEmpty { throw FunctionError.invalid(faults) }
    }

    // MARK: - Voices

    private func checkVoice(_ voice: String) async throws {
        let known = try await knownVoices()
        // `en+f3` is the voice `en` in a variant.
        let parts = voice.split(separator: "+", omittingEmptySubsequences: false)
        let isPlain = voice.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
                || $0 == 43
        }
        guard isPlain, parts.count <= 2, let base = parts.first, known.contains(base.lowercased()) else {
            let familiar = ["en", "en-us", "de", "fr", "es", "it", "pt", "nl", "pl", "ja"].filter(
                known.contains
            )
            let some = (familiar.isEmpty ? known.sorted() : familiar).prefix(10).joined(separator: ", ")
            throw FunctionError(
                status: 422,
                code: "unknown_voice",
                message: "there is no such voice; there are \(some) and others, \(known.count) in all",
                retry: .never
            )
        }
    }

    /// The languages that espeak-ng speaks; asked once.
    private func knownVoices() async throws -> Set<String> {
        if let known = voices.withLock({ $0 }) { return known }
        let output = try await SpeechService.run(ChildSpec(executable, ["--voices"]), timeout: .seconds(10))
        guard output.status.succeeded else { throw SpeechService.failed("espeak-ng: \(output.status)") }
        let lines = output.output.text.split(whereSeparator: \.isNewline).dropFirst()
        let known = Set(lines.flatMap(SpeechService.languages))
        voices.withLock { $0 = known }
        return known
    }

    /// The languages of a line such as `2  en-gb  --/M  English_(Great_Britain)  gmw/en  (en 2)`.
    private static func languages(_ line: Substring) -> [String] {
        let words = line.split(separator: " ")
        let others = words.dropFirst(4).filter { $0.hasPrefix("(") }.map { $0.dropFirst() }
        return (words.dropFirst().prefix(1) + others).map { $0.lowercased() }
    }

    private static func run(_ spec: ChildSpec, timeout: Duration) async throws -> ChildOutput {
        do {
            let output = try await ChildProcess.run(spec, timeout: timeout)
            try Task.checkCancellation()
            return output
        } catch let error as SpawnError {
            throw failed("\(error)")
        }
    }

    private static func failed(_ reason: String) -> FunctionError {
        FunctionError(status: 502, code: "speech_failed", message: "the text was not spoken: \(reason)")
    }
}
