import FunctionCore
import Recordings
import Seeds
import Testing

/// A call of the binding `b`.
private func call(_ method: String, _ arguments: String = "{}") -> RecordedCall {
    RecordedCall(binding: "b", method: method, arguments: Bytes(arguments), body: Bytes())
}

/// What a tape holds, played by a script of steps: `+n` begins call n, `=n` gives its value, `.n` ends it.
private func tape(_ script: String) -> [TapeStep] {
    let tape = Tape(since: .now)
    var numbers: [Character: Int] = [:]
    for word in script.split(separator: " ") {
        guard let mark = word.first, let name = word.last else { continue }
        switch mark {
        case "+": numbers[name] = tape.began(call("\(name)"))
        case "=": tape.value(Bytes("\"\(name)\""), of: numbers[name] ?? 0)
        case "~": tape.piece(Bytes("\(name)"), of: numbers[name] ?? 0)
        case "!": tape.failed(numbers[name] ?? 0, FunctionError(code: "told_to", message: "\(name)"))
        default: tape.ended(numbers[name] ?? 0)
        }
    }
    var recording = recorded()
    tape.write(to: &recording)
    return recording.tape
}

/// A recording of nothing.
func recorded(
    _ event: Event = Event(),
    outcome: RecordedOutcome = .init(label: "ok", error: nil)
) -> Recording {
    Recording(
        id: "one",
        function: "f",
        trigger: "http",
        attempt: 1,
        depth: 0,
        principal: nil,
        fencingToken: nil,
        trace: .begin(),
        recorded: Instant(seconds: 1),
        event: event,
        environment: [],
        limits: [:],
        remaining: .seconds(1),
        seed: 7,
        outcome: outcome
    )
}

@Suite("A tape that is played again", .timeLimit(.minutes(1)))
struct TapeTests {
    /// All parts of a call's answer, as letters.
    private func parts(_ player: TapePlayer, _ number: Int) async -> String {
        var text = ""
        while let part = await player.next(of: number) {
            switch part {
            case .value: text += "="
            case .piece: text += "~"
            case .ended: return text + "."
            case .failed(let error): return text + "!" + error.message
            }
        }
        return text + "?"
    }

    @Test("calls one after the other have their answers, errors too")
    func sequence() async throws {
        let player = TapePlayer(tape("+a =a ~a ~a .a +b !b +c =c .c"))
        for (method, answer) in [("a", "=~~."), ("b", "!b"), ("c", "=.")] {
            let number = try player.begin(call(method))
            #expect(await parts(player, number) == answer)
        }
        player.end()
        #expect(player.divergences.isEmpty)
    }

    @Test("an answer waits for the calls that had begun before it, in whichever order they begin now")
    func order() async throws {
        for order in [["a", "b"], ["b", "a"]] {
            let player = TapePlayer(tape("+a +b =b .b =a .a"))
            let first = try player.begin(call(order[0]))
            async let early = parts(player, first)
            let second = try player.begin(call(order[1]))
            #expect(await parts(player, second) == "=.")
            #expect(await early == "=.")
            #expect(player.divergences.isEmpty)
        }
    }

    @Test("a call that was cut off by the end has no answer, and hears when it is given up")
    func cutOff() async throws {
        let player = TapePlayer(tape("+a"))
        let number = try player.begin(call("a"))
        let task = Task { await parts(player, number) }
        task.cancel()
        #expect(await task.value == "?")
    }

    @Test("another method, other arguments and a call too many are told, with what differs")
    func divergence() throws {
        let steps = tape("+a .a")
        let other = TapePlayer(steps)
        #expect(throws: FunctionError.self) { try other.begin(call("z")) }
        #expect(other.divergences == ["b.z is called where b.a was"])
        let arguments = TapePlayer(steps)
        #expect(throws: FunctionError.self) { try arguments.begin(call("a", #"{"key": [1, {"x": 2}]}"#)) }
        #expect(arguments.divergences == [#"b.a is called with other arguments: `key` is new: [1,{"x":2}]"#])
        let more = TapePlayer(steps)
        _ = try more.begin(call("a"))
        #expect(throws: FunctionError.self) { try more.begin(call("a")) }
        #expect(more.divergences == ["b.a is one call more than there were"])
        let fewer = TapePlayer(steps)
        fewer.end()
        #expect(fewer.divergences == ["the call 1, b.a, was not made"])
    }

    @Test("a call that does not come is told, and those that wait for it go on")
    func missing() async throws {
        let player = TapePlayer(tape("+a =a .a +b =b .b +c =c .c"), sleep: { _ in })
        _ = await parts(player, try player.begin(call("a")))
        let number = try player.begin(call("c"))
        #expect(await parts(player, number) == "=.")
        #expect(player.divergences == ["the call 2, b.b, was not made"])
    }

    @Test(
        "calls that run beside each other get what they got, in any interleaving",
        arguments: 1...50 as ClosedRange<UInt64>
    )
    func interleavings(_ seed: UInt64) async throws {
        var random = SeededRandom(seed)
        // Each of some tasks makes calls one after the other; the tape has one of the ways in which they may run.
        let lanes = (0..<Int.random(in: 1...5, using: &random)).map { lane in
            (0..<Int.random(in: 1...6, using: &random)).map { "\(lane)-\($0)" }
        }
        let recording = Tape(since: .now)
        var open: [(lane: Int, name: String, number: Int)] = []
        var next = lanes.map { _ in 0 }
        while true {
            let free = lanes.indices.filter { lane in
                next[lane] < lanes[lane].count && !open.contains { $0.lane == lane }
            }
            if free.isEmpty, open.isEmpty { break }
            if let lane = free.randomElement(using: &random), Bool.random(using: &random) || open.isEmpty {
                let name = lanes[lane][next[lane]]
                next[lane] += 1
                open.append((lane, name, recording.began(call(name))))
            } else {
                let ended = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                recording.value(Bytes("\"\(ended.name)\""), of: ended.number)
                recording.ended(ended.number)
            }
        }
        var kept = recorded()
        recording.write(to: &kept)
        let player = TapePlayer(kept.tape)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    for name in lane {
                        let number = try player.begin(call(name))
                        guard case .value(let value)? = await player.next(of: number) else { continue }
                        #expect(value.text == "\"\(name)\"")
                        _ = await player.next(of: number)
                    }
                }
            }
            try await group.waitForAll()
        }
        player.end()
        #expect(player.divergences.isEmpty)
    }

    @Test("what is more than is kept makes a recording that says so")
    func bounds() {
        let tape = Tape(since: .now)
        for _ in 0..<Tape.clockMax + 5 { tape.read(Instant(seconds: 3)) }
        var recording = recorded()
        tape.write(to: &recording)
        #expect(recording.clock.count == Tape.clockMax && recording.incomplete?.contains("clock") == true)
        let large = Tape(since: .now)
        let number = large.began(call("a"))
        for _ in 0..<20 { large.piece(Bytes([UInt8](repeating: 1, count: 1 << 20)), of: number) }
        large.write(to: &recording)
        #expect(recording.tape.count <= 9 && recording.incomplete?.contains("8 MiB") == true)
    }
}
