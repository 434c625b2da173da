import FunctionCore
import Invocations

/// Whether an invocation's fencing token lets it trade.
package enum TokenVerdict: Sendable, Hashable {
    case current
    /// Its window has passed to another.
    case stale
    /// It has none.
    case missing
}

/// The broker's book on disk: what stands in it survives the host.
package protocol FillLog: Sendable {
    /// Adds an entry and returns nil once it is durable; or, where the id is taken, returns what stands there
    /// and adds nothing.
    func append(id: String, value: JSON) async throws -> JSON?
    /// All entries, oldest first.
    func all() async throws -> [JSON]
}

/// Prices by which the broker fills and values; `MarketDataService` is one.
package protocol PriceSource: Sendable {
    /// The last complete bar. - Throws: `FunctionError` 422 `unknown_symbol`.
    func lastBar(_ symbol: String) async throws -> Bar?
}

extension MarketDataService: PriceSource {}

/// Answers `broker`: takes market orders and fills them at once from its own book, in integer minor units.
///
/// The book is the truth: the account is what replaying it gives. An order stands in the book before it is
/// answered, and one order is decided at a time, so that no two spend the same money.
package actor PaperBroker: BindingService {
    /// How many orders wait at most; each is an invocation of a function with few of them in flight.
    private static let mostWaiting = 64

    package nonisolated let binding = "broker"
    private let terms: BrokerTerms
    private let log: any FillLog
    private let prices: any PriceSource
    private let sessions: any SessionSource
    private let clock: any HostClock
    private let verdict: @Sendable (UInt64?) async -> TokenVerdict
    private var book: BrokerBook?
    private var waiting = 0
    private var last: Task<Void, Never>?

    /// `verdict` judges a fencing token; it is asked as the order's turn comes, not before.
    package init(
        terms: BrokerTerms = BrokerTerms(),
        log: any FillLog,
        prices: any PriceSource,
        sessions: any SessionSource,
        clock: any HostClock,
        tokenIsCurrent verdict: @escaping @Sendable (UInt64?) async -> TokenVerdict
    ) {
        self.terms = terms
        self.log = log
        self.prices = prices
        self.sessions = sessions
        self.clock = clock
        self.verdict = verdict
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        switch call.method {
        case "place":
            try answer.send(encoding: try await place(call.decode(), token: call.origin.fencingToken))
        case "account":
            try answer.send(encoding: try await account())
        default: throw call.unknownMethod(of: binding)
        }
    }

    /// Takes an order, or returns the one that has its id.
    /// - Throws: `FunctionError` 409 for token and session, 422 for an order that breaks rules, 429
    /// `broker_busy`.
    package func place(_ request: OrderRequest, token: UInt64?) async throws -> Order {
        try OrderRules.check(request)
        return try await inTurn { broker in
            try await broker.admit(token)
            return try await broker.decide(request)
        }
    }

    /// What the account holds, at the last prices.
    package func account() async throws -> BrokerAccount {
        try await inTurn { broker in
            let book = try await broker.opened()
            var equity = book.cash
            for (symbol, quantity) in book.positions {
                let mark = try? await broker.prices.lastBar(symbol)?.close
                equity += quantity * (mark ?? book.lastPrices[symbol] ?? 0)
            }
            return BrokerAccount(
                cash: book.cash,
                positions: book.positions,
                equity: equity,
                fills: book.fills
            )
        }
    }

    private func admit(_ token: UInt64?) async throws {
        switch await verdict(token) {
        case .current: return
        case .missing:
            throw FunctionError.conflict(
                "fencing_token_missing",
                "orders are taken only from an invocation of the trading window's schedule"
            )
        case .stale:
            throw FunctionError.conflict(
                "fencing_token_stale",
                "the window of this invocation is over; its orders are no longer taken"
            )
        }
    }

    private func decide(_ request: OrderRequest) async throws -> Order {
        var book = try await opened()
        if let first = book.orders[request.clientOrderID] { return first }
        let now = clock.now
        guard sessions.isOpen(at: now) else {
            throw FunctionError.conflict(
                "market_closed",
                "the market is closed; place the order in the session"
            )
        }
        guard let bar = try await prices.lastBar(request.symbol) else {
            throw FunctionError(
                status: 503,
                code: "no_price",
                message: "\(request.symbol) has no complete bar yet"
            )
        }
        let order = terms.order(request, at: bar.close, in: book, time: now)
        let entry = try JSONCoder.json(of: order)
        let standing: JSON?
        do {
            standing = try await log.append(id: order.clientOrderID, value: entry)
        } catch {
            // Whether it is in the book is not known: the next order reads the book anew.
            self.book = nil
            throw FunctionError(
                status: 503,
                code: "broker_unavailable",
                message: "the order could not be booked"
            )
        }
        if let standing {
            self.book = nil
            return try JSONCoder.decode(Order.self, from: standing)
        }
        book.apply(order)
        self.book = book
        return order
    }

    /// The book, read from the log where it is not in memory.
    private func opened() async throws -> BrokerBook {
        if let book { return book }
        var book = BrokerBook(cash: terms.cash)
        for entry in try await log.all() {
            book.apply(try JSONCoder.decode(Order.self, from: entry))
        }
        self.book = book
        return book
    }

    /// Runs `work` after all that was asked before it.
    ///
    /// It runs in a task of its own: an order whose caller goes away is still booked whole or not at all.
    private func inTurn<Result: Sendable>(
        _ work: @escaping @Sendable (PaperBroker) async throws -> Result
    ) async throws -> Result {
        guard waiting < PaperBroker.mostWaiting else {
            throw FunctionError(
                status: 429,
                code: "broker_busy",
                message: "\(PaperBroker.mostWaiting) orders are waiting",
                retry: .after(.seconds(1))
            )
        }
        waiting += 1
        defer { waiting -= 1 }
        let before = last
        let mine = Task {
            await before?.value
            return try await work(self)
        }
        last = Task { _ = try? await mine.value }
        return try await mine.value
    }
}
