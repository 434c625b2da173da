import FunctionCore
import Synchronization

/// A market and a broker in memory, simple enough to be right: each order is filled at the last close, without
/// a fee.
///
/// Threading: any.
public final class FakeMarket: Sendable {
    private struct State {
        var bars: [String: [Bar]] = [:]
        var cash: Int64
        var positions: [String: Int64] = [:]
        var orders: [String: Order] = [:]
        var placed: [OrderRequest] = []
    }

    private let state: Mutex<State>

    /// A market without prices, and an account of `cash` minor units; `install` brings both into a world.
    public init(cash: Int64 = 10_000_000) {
        state = Mutex(State(cash: cash))
    }

    /// The shares held, by instrument.
    public var positions: [String: Int64] { state.withLock { $0.positions } }

    /// All requests, those that were repeated too.
    public var placed: [OrderRequest] { state.withLock { $0.placed } }

    /// Sets an instrument's bars, oldest first.
    public func set(_ symbol: String, _ bars: [Bar]) {
        state.withLock { $0.bars[symbol] = bars }
    }

    /// Answers `market-data` and `broker` of a world.
    public func install(in world: FakeBindings) {
        world.on("market-data.bars", BarQuery.self) { query in
            self.state.withLock { Array(($0.bars[query.symbol] ?? []).suffix(query.count)) }
        }
        world.on("broker.place", OrderRequest.self) { request in self.place(request, world.now) }
        world.on("broker.account", Nothing.self) { _ in self.account }
    }

    private var account: BrokerAccount {
        state.withLock { state in
            let held = state.positions.map { $1 * (state.bars[$0]?.last?.close ?? 0) }
            return BrokerAccount(
                cash: state.cash,
                positions: state.positions,
                equity: state.cash + held.reduce(0, +),
                fills: state.orders.count
            )
        }
    }

    private func place(_ request: OrderRequest, _ now: Instant) -> Order {
        state.withLock { state in
            state.placed.append(request)
            if let first = state.orders[request.clientOrderID] { return first }
            let price = state.bars[request.symbol]?.last?.close ?? 0
            let signed = request.side == .buy ? request.quantity : -request.quantity
            state.cash -= signed * price
            let held = (state.positions[request.symbol] ?? 0) + signed
            state.positions[request.symbol] = held == 0 ? nil : held
            let order = Order(
                clientOrderID: request.clientOrderID,
                symbol: request.symbol,
                side: request.side,
                quantity: request.quantity,
                status: "filled",
                reason: nil,
                price: price,
                fee: 0,
                time: now
            )
            state.orders[request.clientOrderID] = order
            return order
        }
    }
}
