import FunctionCore

/// What a step knows of one symbol.
struct SymbolView: Sendable {
    var symbol: String
    var signal: Signal = .unclear
    /// The last close, in minor units.
    var price: Int64 = 0
    /// When the bar began that closed at it.
    var time = Instant(seconds: 0)
    var gathered = 0
    /// Why there are no prices, as a code.
    var problem: String?

    var json: JSON {
        if let problem { return ["problem": .string(problem)] }
        return [
            "signal": .string(signal.rawValue), "price": .integer(price), "bar": .string(time.rfc3339),
            "gathered": .integer(Int64(gathered)),
        ]
    }
}

/// Turns signals into orders under the caps; the broker checks again what it takes.
struct OrderPlan: Sendable {
    var account: BrokerAccount
    var settings: TradingSettings

    /// How many shares to order of one side; nil for none.
    ///
    /// Up means as many as the caps and an equal share of the equity allow, down means none, unclear what is
    /// held. Nothing is sold short. While the signal is up a position follows the price only in steps of a
    /// tenth, as trading every minute's difference of one share would cost more than it mends.
    func quantity(_ side: OrderSide, _ view: SymbolView, cash: Int64) -> Int64? {
        let held = account.positions[view.symbol] ?? 0
        let price = max(1, view.price)
        let quantity: Int64
        switch (side, view.signal) {
        case (_, .unclear): return nil
        case (.buy, .down): return nil
        case (.sell, .down): quantity = min(held, settings.maxOrder)
        case (.sell, .up): quantity = min(held - settings.maxPosition, settings.maxOrder)
        case (.buy, .up):
            let share = account.equity / Int64(settings.symbols.count)
            let wanted = min(settings.maxPosition, max(0, share / price))
            guard wanted - held >= max(1, wanted / 10) else { return nil }
            // Two per cent are left for slippage and fees.
            quantity = min(wanted - held, settings.maxOrder, max(0, cash - cash / 50) / price)
        }
        return quantity >= 1 ? quantity : nil
    }

    /// What an order did to the cash.
    static func cashFlow(_ order: Order) -> Int64 {
        guard order.status == "filled", let price = order.price else { return 0 }
        let (value, overflow) = price.multipliedReportingOverflow(by: order.quantity)
        guard !overflow else { return 0 }
        return order.side == .buy ? -value - order.fee : value - order.fee
    }

    static func describe(_ order: Order) -> JSON {
        var object: JSONObject = [
            "id": .string(order.clientOrderID), "symbol": .string(order.symbol),
            "side": .string(order.side.rawValue), "quantity": .integer(order.quantity),
            "status": .string(order.status), "fee": .integer(order.fee),
        ]
        if let price = order.price { object["price"] = .integer(price) }
        if let reason = order.reason { object["reason"] = .string(reason) }
        return .object(object)
    }
}
