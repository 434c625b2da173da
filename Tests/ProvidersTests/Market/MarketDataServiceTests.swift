import FunctionCore
import Invocations
import Providers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct MarketDataServiceTests {
    let clock = StandingClock("2026-11-20T16:00:30Z")

    private func service(seed: UInt64 = 1) -> MarketDataService {
        MarketDataService(seed: seed, sessions: WeekdaySessions(), clock: clock)
    }

    @Test("bars are complete, a minute apart, oldest first, and end before now")
    func complete() async throws {
        let bars = try await service().bars("ACME", count: 60)
        #expect(bars.count == 60)
        #expect(bars.last?.time == Instant(rfc3339: "2026-11-20T15:59:00Z"))
        for (one, next) in zip(bars, bars.dropFirst()) {
            #expect(next.time == one.time + .seconds(60))
            #expect(next.open == one.close)
        }
        for bar in bars {
            #expect(
                bar.low >= 1 && bar.low <= min(bar.open, bar.close) && bar.high >= max(bar.open, bar.close)
            )
            #expect(bar.volume > 0)
        }
    }

    @Test("no bar is told before it has ended, whatever until asks for")
    func noLookAhead() async throws {
        let service = service()
        clock.set(Instant(nanoseconds: 1_795_190_459_999_999_999))
        let before = try await service.bars("ACME", until: clock.now + .seconds(86_400), count: 5)
        clock.advance(.nanoseconds(1))
        let after = try await service.bars("ACME", count: 5)
        #expect((try #require(before.last)).time + .seconds(120) == clock.now)
        #expect((try #require(after.last)).time + .seconds(60) == clock.now)
        #expect(Array(before.dropFirst()) == Array(after.dropLast()))
    }

    @Test("bars asked for as of an earlier instant are those that were told then")
    func asOf() async throws {
        let service = service()
        let then = clock.now
        let told = try await service.bars("GLOBEX", count: 500)
        clock.advance(.seconds(7 * 86_400))
        #expect(try await service.bars("GLOBEX", until: then, count: 500) == told)
    }

    @Test("two services with one seed tell the same; another seed or symbol tells something else")
    func deterministic() async throws {
        let one = try await service().bars("ACME", count: 900)
        #expect(try await service().bars("ACME", count: 900) == one)
        #expect(try await service(seed: 2).bars("ACME", count: 900) != one)
        #expect(try await service().bars("GLOBEX", count: 900) != one)
    }

    @Test("these very prices are told on every machine")
    func golden() async throws {
        let bars = try await service(seed: 42).bars("ACME", count: 3)
        let text = bars.map { "\($0.open) \($0.high) \($0.low) \($0.close) \($0.volume)" }
        #expect(text == MarketDataServiceTests.goldenBars)
    }

    @Test("prices go on across sessions, weekends and early closes without a jump")
    func continues() async throws {
        clock.set(Instant(rfc3339: "2026-12-01T20:00:00Z") ?? clock.now)
        let bars = try await service().bars("ACME", count: 3000)
        #expect(bars.count == 3000)
        #expect(
            bars.filter { $0.time >= at("2026-11-27T00:00:00Z") && $0.time < at("2026-11-28T00:00:00Z") }
                .count == 210
        )
        for (one, next) in zip(bars, bars.dropFirst()) {
            #expect(next.time > one.time)
            let jump = Double((next.open - one.close).magnitude) / Double(one.close)
            // Between Thursday and Friday nothing happens; a holiday may carry one day's change.
            #expect(jump < 0.0002, "\(one.time.rfc3339)")
        }
    }

    @Test("outside the session the last bars are those before the close")
    func closed() async throws {
        clock.set(at("2026-11-22T12:00:00Z"))
        let bars = try await service().bars("ACME", count: 2)
        #expect(bars.map(\.time) == [at("2026-11-20T20:58:00Z"), at("2026-11-20T20:59:00Z")])
    }

    @Test("before the calendar begins there are fewer bars than asked for, and then none")
    func calendarBegins() async throws {
        clock.set(at("2026-01-02T14:33:00Z"))
        let bars = try await service().bars("ACME", count: 5000)
        #expect(bars.count == 390 + 3)
        clock.set(at("2025-06-02T15:00:00Z"))
        #expect(try await service().bars("ACME", count: 10).isEmpty)
    }

    @Test("an unknown symbol is refused with the known ones, a count out of range with the range")
    func refuses() async throws {
        let error = try await #require(throws: FunctionError.self) {
            _ = try await service().bars("NOPE", count: 1)
        }
        #expect(error.status == 422)
        #expect(error.code == "unknown_symbol")
        #expect(error.message.contains("ACME, GLOBEX"))
        for count in [0, 5001] {
            await #expect(throws: FunctionError.self) { _ = try await service().bars("ACME", count: count) }
        }
    }

    @Test("the binding's method answers a query in JSON, and no other method is known")
    func binding() async throws {
        let answer = AnswerRecorder()
        let origin = CallOrigin(invocation: "i", function: "trading", deadline: Monotonic.now + .seconds(9))
        let query = try JSONCoder.encode(BarQuery(symbol: "ACME", count: 4))
        try await service().call(
            BindingCall(method: "bars", arguments: query, origin: origin),
            answer: answer
        )
        #expect(
            try JSONCoder.decode([Bar].self, from: answer.value)
                == (try await service().bars("ACME", count: 4))
        )
        await #expect(throws: FunctionError.self) {
            try await service().call(
                BindingCall(method: "buy", arguments: "{}", origin: origin),
                answer: answer
            )
        }
    }

    @Test("prices stay in bounds over many years")
    func bounded() {
        let generator = MarketGenerator(seed: 7)
        for year in 0..<60 {
            let open = Instant(seconds: 1_767_623_400 + Int64(year) * 31_557_600)
            let bars = generator.bars("ACME", in: MarketSession(open: open, close: open + .seconds(23_400)))
            #expect(bars.count == 390)
            #expect(bars.allSatisfy { (500...200_000).contains($0.close) })
        }
    }

    @Test("a CSV source tells its own bars under the same rules")
    func file() async throws {
        let text = """
            time,open,high,low,close,volume
            2026-11-20T15:58:00Z,100,110,90,105,7
            2026-11-20T15:59:00Z, 105, 106, 104, 104, 0

            2026-11-20T16:00:00Z,104,104,104,104,1
            """
        let bars = try BarFile.bars(text, file: "x.csv")
        let service = MarketDataService(
            sources: ["X": .bars(bars)],
            sessions: WeekdaySessions(),
            clock: clock
        )
        #expect(try await service.bars("X", count: 10).map(\.close) == [105, 104])
        #expect(try await service.bars("X", count: 1).map(\.close) == [104])
        #expect(try await service.bars("X", until: at("2026-11-20T15:59:00Z"), count: 9).count == 1)
    }

    @Test(
        "a CSV file that breaks a rule is refused with the line",
        arguments: [
            ("open,close\n1,2", 1, "first line"), ("time,open,high,low,close,volume\n", 2, "no bars"),
            ("time,open,high,low,close,volume\n2026-11-20,1,1,1,1,1", 2, "time"),
            ("time,open,high,low,close,volume\n2026-11-20T15:00:00Z,1,1,1,1", 2, "6 fields"),
            ("time,open,high,low,close,volume\n2026-11-20T15:00:00Z,1.5,2,1,2,1", 2, "open"),
            ("time,open,high,low,close,volume\n2026-11-20T15:00:00Z,5,4,1,2,1", 2, "enclose"),
            ("time,open,high,low,close,volume\n2026-11-20T15:00:00Z,1,1,1,1,-1", 2, "volume"),
            (
                "time,open,high,low,close,volume\n2026-11-20T15:00:00Z,1,1,1,1,1\n2026-11-20T15:00:30Z,1,1,1,1,1",
                3,
                "at least a minute"
            ),
        ]
    )
    func badFile(text: String, line: Int, words: String) throws {
        let error = try #require(throws: BarFileError.self) { _ = try BarFile.bars(text, file: "x.csv") }
        #expect(error.line == line)
        #expect(error.description.hasPrefix("x.csv:\(line): "))
        #expect(error.message.contains(words))
    }

    private func at(_ text: String) -> Instant {
        Instant(rfc3339: text) ?? Instant(seconds: 0)
    }

    private static let goldenBars = [
        "10797 10805 10796 10803 1182", "10803 10806 10802 10803 944", "10803 10814 10800 10814 995",
    ]
}
