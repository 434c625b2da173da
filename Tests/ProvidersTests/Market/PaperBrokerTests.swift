import FunctionCore
import Invocations
import Providers
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PaperBrokerTests {
    let clock = StandingClock("2026-11-20T16:00:00Z")
    let log = MemoryLog()
    let prices = SetPrices(["ACME": 10_000, "GLOBEX": 2_500])

    private func broker(_ change: (inout BrokerTerms) -> Void = { _ in }) -> PaperBroker {
        var terms = BrokerTerms()
        change(&terms)
        return PaperBroker(
            terms: terms,
            log: log,
            prices: prices,
            sessions: WeekdaySessions(),
            clock: clock,
            tokenIsCurrent: { token in
                switch token {
                case nil: .missing
                case 5: .current
                default: .stale
                }
            }
        )
    }

    private func order(
        _ id: String,
        _ side: OrderSide,
        _ quantity: Int64,
        _ symbol: String = "ACME"
    ) -> OrderRequest {
        OrderRequest(clientOrderID: id, symbol: symbol, side: side, quantity: quantity)
    }

    private func code(_ work: () async throws -> Order) async throws -> String {
        let error = try await #require(throws: FunctionError.self) { _ = try await work() }
        return "\(error.status) \(error.code)"
    }

    @Test("a market order is filled at the last close, worse by the slippage, for a fee a share")
    func fills() async throws {
        let broker = broker()
        let bought = try await broker.place(order("a", .buy, 100), token: 5)
        #expect(bought.status == "filled")
        #expect(bought.price == 10_002)
        #expect(bought.fee == 100)
        #expect(bought.time == clock.now)
        let sold = try await broker.place(order("b", .sell, 40), token: 5)
        #expect(sold.price == 9_998)
        let account = try await broker.account()
        #expect(account.cash == 10_000_000 - 1_000_200 - 100 + 399_920 - 40)
        #expect(account.positions == ["ACME": 60])
        #expect(account.equity == account.cash + 60 * 10_000)
        #expect(account.fills == 2)
    }

    @Test("slippage is rounded against the one who orders, and no price falls below 1")
    func rounding() async throws {
        prices.set("ACME", 1)
        let broker = broker { $0.feePerShare = 0 }
        #expect(try await broker.place(order("a", .buy, 10), token: 5).price == 2)
        #expect(try await broker.place(order("b", .sell, 10), token: 5).price == 1)
    }

    @Test("an order without a current token is refused, even one that was taken before")
    func tokens() async throws {
        let broker = broker()
        #expect(
            try await code { try await broker.place(order("a", .buy, 1), token: nil) }
                == "409 fencing_token_missing"
        )
        #expect(
            try await code { try await broker.place(order("a", .buy, 1), token: 4) }
                == "409 fencing_token_stale"
        )
        _ = try await broker.place(order("a", .buy, 1), token: 5)
        #expect(
            try await code { try await broker.place(order("a", .buy, 1), token: 4) }
                == "409 fencing_token_stale"
        )
        #expect(log.count == 1)
    }

    @Test("outside the session no order is taken, but one that was taken is told again")
    func session() async throws {
        let broker = broker()
        let first = try await broker.place(order("a", .buy, 1), token: 5)
        clock.set(Instant(rfc3339: "2026-11-20T21:00:00Z") ?? clock.now)
        #expect(
            try await code { try await broker.place(order("b", .buy, 1), token: 5) } == "409 market_closed"
        )
        #expect(try await broker.place(order("a", .buy, 1), token: 5).time == first.time)
        clock.set(Instant(rfc3339: "2026-11-27T18:00:00Z") ?? clock.now)
        #expect(
            try await code { try await broker.place(order("c", .buy, 1), token: 5) } == "409 market_closed"
        )
    }

    @Test("orders that break the rules of form are refused with 422")
    func form() async throws {
        let broker = broker()
        #expect(
            try await code { try await broker.place(order("a", .buy, 0), token: 5) } == "422 invalid_input"
        )
        #expect(
            try await code { try await broker.place(order("", .buy, 1), token: 5) } == "422 invalid_input"
        )
        #expect(
            try await code { try await broker.place(order("a", .buy, 1, "NOPE"), token: 5) }
                == "422 unknown_symbol"
        )
        #expect(log.count == 0)
    }

    @Test("what the account cannot bear is rejected with the reason, booked, and changes nothing")
    func rejections() async throws {
        let broker = broker { $0.maxPosition = 500 }
        #expect(try await broker.place(order("a", .sell, 1), token: 5).reason == "not_held")
        #expect(try await broker.place(order("b", .buy, 501), token: 5).reason == "position_limit")
        let costly = self.broker { $0.cash = 1_000_299 }
        #expect(try await costly.place(order("c", .buy, 100), token: 5).reason == "buying_power")
        #expect(try await costly.account().cash == 1_000_299)
        let enough = self.broker { $0.cash = 1_000_300 }
        #expect(try await enough.place(order("d", .buy, 100), token: 5).status == "filled")
        #expect(try await enough.account().cash == 0)
        #expect(log.count == 4)
        #expect(try await enough.place(order("c", .buy, 100), token: 5).reason == "buying_power")
    }

    @Test("the same id again returns the first order and does nothing, also to a broker that starts anew")
    func idempotent() async throws {
        let one = broker()
        let first = try await one.place(order("a", .buy, 10), token: 5)
        prices.set("ACME", 20_000)
        let again = try await one.place(order("a", .sell, 99, "GLOBEX"), token: 5)
        #expect(again.price == first.price && again.side == .buy && again.quantity == 10)
        let restarted = broker()
        #expect(try await restarted.place(order("a", .buy, 10), token: 5).price == first.price)
        #expect(try await restarted.account().fills == 1)
        #expect(log.count == 1)
    }

    @Test("twenty placements of one order at once fill it once; many orders at once spend no money twice")
    func concurrent() async throws {
        let broker = broker { $0.cash = 5_200_000 }
        try await withThrowingTaskGroup(of: Order.self) { group in
            for _ in 0..<20 { group.addTask { try await broker.place(order("same", .buy, 10), token: 5) } }
            for number in 0..<20 {
                group.addTask { try await broker.place(order("n\(number)", .buy, 100), token: 5) }
            }
            try await group.waitForAll()
        }
        let account = try await broker.account()
        #expect(account.cash >= 0)
        #expect(account.fills == 6)
        #expect(account.positions["ACME"] == 510)
        #expect(log.count == 21)
    }

    @Test("a book that fails leaves the account as the book has it, whether or not the order was written")
    func bookFails() async throws {
        let broker = broker()
        log.fail(.beforeWriting)
        #expect(
            try await code { try await broker.place(order("a", .buy, 10), token: 5) }
                == "503 broker_unavailable"
        )
        #expect(try await broker.account().fills == 0)
        log.fail(.afterWriting)
        #expect(
            try await code { try await broker.place(order("b", .buy, 10), token: 5) }
                == "503 broker_unavailable"
        )
        #expect(try await broker.account().positions == ["ACME": 10])
        #expect(try await broker.place(order("b", .buy, 10), token: 5).status == "filled")
        #expect(try await broker.account().fills == 1)
    }

    @Test("over random orders, prices and restarts the books balance to the cent", arguments: 1...8)
    func property(seed: Int) async throws {
        var random = MarketRandom(seed: UInt64(seed))
        var broker = broker {
            $0.cash = 3_000_000; $0.maxPosition = 300
        }
        var spent: Int64 = 0
        var held: [String: Int64] = [:]
        for step in 0..<300 {
            let symbol = random.below(2) == 0 ? "ACME" : "GLOBEX"
            prices.set(symbol, max(1, prices.close(symbol) + Int64(random.below(801) - 400)))
            let side = random.below(2) == 0 ? OrderSide.buy : .sell
            let id = random.below(10) == 0 ? "o\(random.below(step + 1))" : "o\(step)"
            let before = log.count
            let order = try await broker.place(
                order(id, side, Int64(1 + random.below(150)), symbol),
                token: 5
            )
            if log.count > before, order.status == "filled", let price = order.price {
                let sign: Int64 = order.side == .buy ? 1 : -1
                spent += sign * price * order.quantity + order.fee
                held[order.symbol, default: 0] += sign * order.quantity
            }
            let account = try await broker.account()
            #expect(account.cash == 3_000_000 - spent)
            #expect(account.cash >= 0)
            #expect(account.positions == held.filter { $0.value != 0 })
            #expect(account.positions.values.allSatisfy { (1...300).contains($0) })
            let worth = account.positions.reduce(Int64(0)) { $0 + $1.value * prices.close($1.key) }
            #expect(account.equity == account.cash + worth)
            if random.below(25) == 0 {
                broker = self.broker {
                    $0.cash = 3_000_000; $0.maxPosition = 300
                }
                let replayed = try await broker.account()
                #expect(replayed.cash == account.cash && replayed.positions == account.positions)
                #expect(replayed.fills == account.fills && replayed.equity == account.equity)
            }
        }
    }

    @Test("the binding's methods take and answer JSON, with the origin's token")
    func binding() async throws {
        let broker = broker()
        let answer = AnswerRecorder()
        let origin = CallOrigin(
            invocation: "i",
            function: "trading",
            fencingToken: 5,
            deadline: Monotonic.now + .seconds(9)
        )
        let request = try JSONCoder.encode(order("a", .buy, 3))
        try await broker.call(
            BindingCall(method: "place", arguments: request, origin: origin),
            answer: answer
        )
        #expect(try JSONCoder.decode(Order.self, from: answer.value).status == "filled")
        let account = AnswerRecorder()
        try await broker.call(
            BindingCall(method: "account", arguments: "{}", origin: origin),
            answer: account
        )
        #expect(try JSONCoder.decode(BrokerAccount.self, from: account.value).positions == ["ACME": 3])
        await #expect(throws: FunctionError.self) {
            try await broker.call(
                BindingCall(method: "steal", arguments: "{}", origin: origin),
                answer: answer
            )
        }
    }
}
