import FunctionCore

/// On which terms the broker fills.
///
/// Money is in minor units.
package struct BrokerTerms: Sendable, Hashable {
    /// What the account begins with; 100,000.00.
    package var cash: Int64 = 10_000_000
    /// By how much a fill is worse than the last close, in hundredths of a per cent.
    package var slippageBps: Int64 = 2
    /// What a share costs beside its price.
    package var feePerShare: Int64 = 1
    /// The most shares of one symbol.
    package var maxPosition: Int64 = 10_000

    package init() {}

    /// Decides an order that keeps the rules of form: filled at once, or rejected with the reason as a code.
    func order(_ request: OrderRequest, at close: Int64, in book: BrokerBook, time: Instant) -> Order {
        var order = Order(
            clientOrderID: request.clientOrderID,
            symbol: request.symbol,
            side: request.side,
            quantity: request.quantity,
            status: "rejected",
            reason: nil,
            price: nil,
            fee: 0,
            time: time
        )
        let held = book.positions[request.symbol] ?? 0
        guard let price = price(request.side, at: close),
            let value = BrokerTerms.product(price, request.quantity),
            let fee = BrokerTerms.product(feePerShare, request.quantity)
        else {
            order.reason = "value_out_of_range"
            return order
        }
        switch request.side {
        case .buy where request.quantity > maxPosition - held: order.reason = "position_limit"
        case .buy where value > book.cash - fee: order.reason = "buying_power"
        case .sell where request.quantity > held: order.reason = "not_held"
        // A share that is worth less than its fee could else take the cash below zero.
        case .sell where book.cash + value - fee < 0: order.reason = "buying_power"
        default:
            order.status = "filled"
            order.price = price
            order.fee = fee
        }
        return order
    }

    /// The close, worse by the slippage and rounded against the one who orders; never below 1.
    private func price(_ side: OrderSide, at close: Int64) -> Int64? {
        guard let scaled = BrokerTerms.product(close, slippageBps) else { return nil }
        let slip = (scaled + 9_999) / 10_000
        switch side {
        case .buy: return close + slip
        case .sell: return max(1, close - slip)
        }
    }

    /// A product that leaves room for sums of several; nil beyond it.
    private static func product(_ left: Int64, _ right: Int64) -> Int64? {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow || product.magnitude > 1 << 60 ? nil : product
    }
}

/// The rules of form for an order.
enum OrderRules {
    /// The most shares of one order.
    static let mostShares: Int64 = 1_000_000

    /// - Throws: `FunctionError` 422 with every fault at once.
    static func check(_ request: OrderRequest) throws {
        var faults: [Fault] = []
        if !(1...128).contains(request.clientOrderID.utf8.count) {
            faults.append(Fault("clientOrderID", "length", "clientOrderID must have 1 to 128 bytes"))
        }
        if !(1...mostShares).contains(request.quantity) {
            faults.append(Fault("quantity", "range", "quantity must be 1 to \(mostShares)"))
        }
        guard faults.isEmpty else { throw FunctionError.invalid(faults) }
    }
}
