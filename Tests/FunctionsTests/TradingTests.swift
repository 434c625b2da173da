import FunctionCore
import Synchronization
import FunctionTesting
import Testing

@testable import Trading

@Suite(.timeLimit(.minutes(1)))
struct TradingTests {
    let world = FakeBindings()
    let market = FakeMarket()

    init() {
        market.install(in: world)
    }

    private func run(
        _ body: JSONObject = [:],
        token: UInt64? = 5,
        environment: [String: String] = [:]
    ) async throws -> JSON {
        let event = Event(kind: .schedule, body: JSON.object(body).bytes())
        let context = world.context("trading", fencingToken: token, environment: environment)
        return try JSON.parse(try await TradingFunction().handle(event, context).body)
    }

    /// A firing of the schedule at the current minute.
    private func firing() -> JSONObject {
        [
            "schedule": "trading", "nominal": .string(world.now.rfc3339), "window": "trading",
            "until": .string((world.now + .seconds(3600)).rfc3339),
        ]
    }

    @Test("without a fencing token trading refuses, touches nothing, and says why")
    func refusesWithoutToken() async throws {
        let error = try await #require(throws: FunctionError.self) { _ = try await run(token: nil) }
        #expect(error.status == 409)
        #expect(error.code == "fencing_token_missing")
        #expect(error.message.contains("trading runs only in its window"))
        #expect(world.calls.isEmpty)
    }

    @Test("a window that is over is refused")
    func windowOver() async throws {
        var body = firing()
        body["until"] = .string((world.now - .seconds(1)).rfc3339)
        let error = try await #require(throws: FunctionError.self) { _ = try await run(body) }
        #expect(error.code == "window_closed")
    }

    @Test("a rising market is bought, up to the caps, in whole shares and minor units")
    func buys() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: false, bars: 200, until: world.now)
        let report = try await run(firing())
        #expect(report["signals"]?["ACME"]?["signal"] == "up")
        #expect(report["signals"]?["GLOBEX"]?["signal"] == "down")
        let orders = report["orders"]?.arrayValue ?? []
        #expect(orders.count == 1)
        #expect(orders[0]["quantity"] == 100)
        #expect(orders[0]["id"] == .string("ACME-\(world.now.rfc3339)"))
        #expect(report["positions"]?["ACME"] == 100)
        #expect(report["model"] == "initial")
    }

    @Test("a position grows no further than its cap, and is sold when the market turns")
    func caps() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: false, bars: 200, until: world.now)
        for _ in 0..<5 {
            _ = try await run(firing())
            world.advance(.seconds(60))
        }
        #expect(market.positions["ACME"] == 200)
        market.set("ACME", rising: false, bars: 200, until: world.now)
        for _ in 0..<3 {
            _ = try await run(firing())
            world.advance(.seconds(60))
        }
        #expect(market.positions["ACME"] == nil)
        #expect(market.placed.allSatisfy { (1...100).contains($0.quantity) })
    }

    @Test("the same firing run again places no second order")
    func rerun() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: true, bars: 200, until: world.now)
        let body = firing()
        _ = try await run(body)
        let held = market.positions
        _ = try await run(body)
        _ = try await run(body)
        #expect(market.positions == held)
        #expect(Set(market.placed.map(\.clientOrderID)).count == 2)
    }

    @Test("new bars are gathered once each, oldest first, also after a pause and after a step that broke off")
    func gathers() async throws {
        market.set("ACME", rising: true, bars: 1000, until: world.now)
        market.set("GLOBEX", rising: true, bars: 50, until: world.now)
        _ = try await run(firing())
        #expect(world.list("market:bars:ACME").count == 780)
        #expect(world.list("market:bars:GLOBEX").count == 50)
        world.advance(.seconds(60 * 200))
        market.set("ACME", rising: true, bars: 1200, until: world.now)
        world.on("broker.account") { _ in
            throw FunctionError(status: 503, code: "broker_unavailable", message: "m")
        }
        await #expect(throws: FunctionError.self) { _ = try await run(firing()) }
        market.install(in: world)
        let report = try await run(firing())
        let lines = try world.list("market:bars:ACME").map { try JSON.parse(Bytes($0)) }
        #expect(lines.count == 980)
        let times = lines.compactMap { $0[0]?.intValue }
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 60 })
        #expect(report["signals"]?["ACME"]?["gathered"] == 0)
    }

    @Test("the current model decides, and one that cannot be read gives way to the initial rule")
    func champion() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: true, bars: 200, until: world.now)
        world.setString(
            "model:champion",
            #"{"id": "m1", "kind": "ma-cross", "rule": {"fast": 5, "slow": 20, "threshold": 1000}}"#
        )
        let cautious = try await run(firing())
        #expect(cautious["model"] == "m1")
        #expect(cautious["signals"]?["ACME"]?["signal"] == "unclear")
        #expect(cautious["orders"] == [])
        for broken in [
            "{", #"{"id":"x","kind":"ma-cross","rule":{"fast":9,"slow":3,"threshold":1}}"#,
            #"{"kind":"net"}"#,
        ] {
            world.setString("model:champion", broken)
            #expect(try await run(firing())["model"] == "initial")
        }
    }

    @Test("a symbol without prices is left out and named; without any prices the step fails")
    func missingPrices() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        let report = try await run(firing())
        #expect(report["signals"]?["GLOBEX"]?["problem"] == "no_bars")
        #expect(report["orders"]?.arrayValue?.count == 1)
        market.set("ACME", rising: true, bars: 0, until: world.now)
        let error = try await #require(throws: FunctionError.self) { _ = try await run(firing()) }
        #expect(error.code == "no_bars")
    }

    @Test("bars that are too old give no order where the settings say so")
    func oldBars() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now - .seconds(3600))
        market.set("GLOBEX", rising: true, bars: 200, until: world.now)
        let report = try await run(firing(), environment: ["TRADING_MAX_BAR_AGE": "10"])
        #expect(report["signals"]?["ACME"]?["signal"] == "unclear")
        #expect(report["orders"]?.arrayValue?.compactMap { $0["symbol"]?.stringValue } == ["GLOBEX"])
    }

    @Test("an order refused for its fencing token ends the step")
    func staleToken() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        world.fail("broker.place", with: FunctionError.conflict("fencing_token_stale", "m"))
        let error = try await #require(throws: FunctionError.self) { _ = try await run(firing()) }
        #expect(error.code == "fencing_token_stale")
    }

    @Test("the status tells of the last step, in the types the step reported")
    func status() async throws {
        let ask = Event(kind: .http, operation: "status")
        let empty = try await TradingFunction().handle(ask, world.context("trading"))
        #expect(try JSON.parse(empty.body) == ["status": "never_run"])
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: true, bars: 200, until: world.now)
        let report = try await run(firing())
        let told = try JSON.parse(try await TradingFunction().handle(ask, world.context("trading")).body)
        for (name, value) in try #require(report.objectValue) { #expect(told[name] == value, "\(name)") }
        #expect(told["fencing_token"] == 5)
        #expect(world.hash("trading:status")["cash"] == told["cash"]?.text)
    }

    @Test("a checkpoint leaves the account, and a step reports what was left to it")
    func checkpoint() async throws {
        market.set("ACME", rising: true, bars: 200, until: world.now)
        market.set("GLOBEX", rising: false, bars: 200, until: world.now)
        var body = firing()
        body["handover"] = #"{"model": "m7"}"#
        let report = try await run(body)
        #expect(report["handed_over"] == ["model": "m7"])
        let event = Event(kind: .schedule, operation: "checkpoint", body: "{}")
        let reply = try await TradingFunction().handle(event, world.context("trading", fencingToken: 5))
        let left = try JSON.parse(reply.body)
        #expect(left["positions"] == report["positions"])
        #expect(left["equity"] == report["equity"])
        #expect(world.hash("trading:status")["checkpoint"] == left.text)
    }

    @Test("a setting out of its range is an error that names the variable")
    func settings() async throws {
        let error = try await #require(throws: FunctionError.self) {
            _ = try await run(firing(), environment: ["TRADING_MAX_ORDER": "many"])
        }
        #expect(error.message.contains("TRADING_MAX_ORDER"))
    }

    @Test("a signal depends on no close but the last ones it averages")
    func noLookAhead() {
        var random = TestRandom(seed: 11)
        let closes = (0..<300).map { _ in Int64(9_000 + random.below(2_000)) }
        let rule = CrossRule(fast: 8, slow: 30, threshold: 10)
        for end in 30...300 {
            let alone = rule.signal(closes[(end - 30)..<end])
            #expect(rule.signal(closes[..<end]) == alone)
        }
        #expect(rule.signal(closes[..<29]) == .unclear)
    }
}

extension FakeMarket {
    /// Bars of one price each, which rises by ten or falls by five a minute.
    func set(_ symbol: String, rising: Bool, bars count: Int, until end: Instant) {
        let bars = (0..<count).map { place -> Bar in
            let price = Int64(10_000 + (rising ? 10 : -5) * (place - count))
            let time = end - .seconds(60 * (count - place))
            return Bar(time: time, open: price, high: price, low: price, close: price, volume: 1)
        }
        set(symbol, bars)
    }
}

/// A small seeded generator for tests.
struct TestRandom {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }

    /// About normal, with mean 0 and deviation 1.
    mutating func bell() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double(next() >> 11) * 0x1p-53 }
    }
}
