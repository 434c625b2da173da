/// One price bar.
///
/// Prices are integers in the minor unit: cents for USD.
public struct Bar: Sendable, Codable, Hashable {
    /// When the bar begins.
    public var time: Instant
    /// The first price.
    public var open: Int64
    /// The highest price.
    public var high: Int64
    /// The lowest price.
    public var low: Int64
    /// The last price.
    public var close: Int64
    /// Shares traded.
    public var volume: Int64

    /// A bar.
    public init(time: Instant, open: Int64, high: Int64, low: Int64, close: Int64, volume: Int64) {
        self.time = time
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
    }
}

/// The arguments of `market-data.bars`.
public struct BarQuery: Sendable, Codable {
    /// The instrument.
    public var symbol: String
    /// Bars that are complete at this instant, no later ones; nil for now.
    public var until: Instant?
    /// How many, 1 to 5000.
    public var count: Int

    /// A query.
    public init(symbol: String, until: Instant? = nil, count: Int) {
        self.symbol = symbol
        self.until = until
        self.count = count
    }
}

/// Prices: one bar a minute of each session of XNYS, from a seeded generator or a CSV file.
public struct MarketDataBinding: Sendable {
    let caller: any BindingCaller

    /// The last `count` complete bars, oldest first; never one that ends after now.
    /// - Throws: `FunctionError` 422 `unknown_symbol`, naming the known ones.
    public func bars(_ symbol: String, until: Instant? = nil, count: Int) async throws -> [Bar] {
        try await caller.value("market-data", "bars", BarQuery(symbol: symbol, until: until, count: count))
    }
}

/// Which way an order goes.
public enum OrderSide: String, Sendable, Codable {
    /// Buys.
    case buy
    /// Sells.
    case sell
}

/// A market order.
public struct OrderRequest: Sendable, Codable {
    /// The caller's own id; the same id again returns the first order and does nothing.
    public var clientOrderID: String
    /// The instrument.
    public var symbol: String
    /// Which way.
    public var side: OrderSide
    /// How many shares, from 1.
    public var quantity: Int64

    /// An order.
    public init(clientOrderID: String, symbol: String, side: OrderSide, quantity: Int64) {
        self.clientOrderID = clientOrderID
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
    }
}

/// An order that the broker took.
public struct Order: Sendable, Codable {
    /// The caller's id.
    public var clientOrderID: String
    /// The instrument.
    public var symbol: String
    /// Which way.
    public var side: OrderSide
    /// How many shares.
    public var quantity: Int64
    /// `filled` or `rejected`.
    public var status: String
    /// Why it was rejected, as a code.
    public var reason: String?
    /// The price of a share in minor units, where it was filled.
    public var price: Int64?
    /// What the broker charged, in minor units.
    public var fee: Int64
    /// When, by the wall clock.
    public var time: Instant

    /// An order.
    public init(
        clientOrderID: String,
        symbol: String,
        side: OrderSide,
        quantity: Int64,
        status: String,
        reason: String?,
        price: Int64?,
        fee: Int64,
        time: Instant
    ) {
        self.clientOrderID = clientOrderID
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.status = status
        self.reason = reason
        self.price = price
        self.fee = fee
        self.time = time
    }
}

/// What the account holds.
///
/// Money is in minor units.
public struct BrokerAccount: Sendable, Codable {
    /// Free money; never below zero.
    public var cash: Int64
    /// Shares held by instrument.
    public var positions: [String: Int64]
    /// Cash and positions at the last prices.
    public var equity: Int64
    /// Orders filled so far.
    public var fills: Int

    /// An account.
    public init(cash: Int64, positions: [String: Int64], equity: Int64, fills: Int) {
        self.cash = cash
        self.positions = positions
        self.equity = equity
        self.fills = fills
    }
}

/// A paper broker.
///
/// It takes orders only from an invocation whose fencing token is current, and only in the session.
public struct BrokerBinding: Sendable {
    let caller: any BindingCaller

    /// Places a market order.
    /// - Throws: `FunctionError` 409 `fencing_token_stale` or `fencing_token_missing`, 409 `market_closed`.
    public func place(_ order: OrderRequest) async throws -> Order {
        try await caller.value("broker", "place", order)
    }

    /// The account as it is.
    public func account() async throws -> BrokerAccount {
        try await caller.value("broker", "account", Nothing())
    }
}
