import FunctionCore

/// The account as the orders in the log make it.
///
/// Replaying the log gives the same book.
package struct BrokerBook: Sendable {
    /// How many orders are remembered by id; for older ones the log itself answers.
    private static let remembered = 10_000

    package private(set) var cash: Int64
    /// Shares held; a symbol without any is not listed.
    package private(set) var positions: [String: Int64] = [:]
    package private(set) var lastPrices: [String: Int64] = [:]
    package private(set) var fills = 0
    /// What was charged in all.
    package private(set) var fees: Int64 = 0
    private(set) var orders: [String: Order] = [:]
    private var ids: [String] = []

    package init(cash: Int64) {
        self.cash = cash
    }

    /// Enters one order of the log.
    ///
    /// One that comes twice counts once.
    package mutating func apply(_ order: Order) {
        guard orders[order.clientOrderID] == nil else { return }
        orders[order.clientOrderID] = order
        ids.append(order.clientOrderID)
        if ids.count > BrokerBook.remembered { orders[ids.removeFirst()] = nil }
        guard order.status == "filled", let price = order.price else { return }
        let sign: Int64 = order.side == .buy ? 1 : -1
        cash -= sign * price * order.quantity + order.fee
        let held = (positions[order.symbol] ?? 0) + sign * order.quantity
        positions[order.symbol] = held == 0 ? nil : held
        lastPrices[order.symbol] = price
        fills += 1
        fees += order.fee
    }
}
