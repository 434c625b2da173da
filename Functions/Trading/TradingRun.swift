import FunctionCore

/// One step of trading.
struct TradingRun: Sendable {
    /// How many bars a signal is made from.
    private static let sight = 120

    var context: Context
    var occasion: TradingOccasion

    /// Gathers, decides, orders, and tells what it did; the same is kept for `status`.
    func perform() async throws -> JSON {
        let settings = try TradingSettings(context.environment)
        let champion = try await Champion.current(context)
        let views = try await look(settings, champion)
        let orders = try await trade(views, settings)
        let account = try await context.bindings.broker.account()
        let report = report(views, orders, account, champion)
        try await TradingStatus.write(report, context)
        return .object(report)
    }

    /// The newest bars of all symbols and what the model makes of them.
    ///
    /// A symbol whose prices cannot be had is left out and named; only where none can be had the step fails.
    private func look(_ settings: TradingSettings, _ champion: Champion) async throws -> [SymbolView] {
        var views: [SymbolView] = []
        var failure: FunctionError?
        for symbol in settings.symbols {
            if context.isCancelled { throw CancellationError() }
            do {
                views.append(try await look(at: symbol, settings, champion))
            } catch let error as FunctionError where error.status == 422 || error.code == "no_bars" {
                context.log.warning("no prices", ["symbol": symbol, "code": error.code])
                failure = error
                views.append(SymbolView(symbol: symbol, problem: error.code))
            }
        }
        if let failure, views.allSatisfy({ $0.problem != nil }) { throw failure }
        return views
    }

    private func look(
        at symbol: String,
        _ settings: TradingSettings,
        _ champion: Champion
    ) async throws -> SymbolView {
        let store = BarStore(context: context)
        let last = try await store.last(symbol)
        var bars = try await context.bindings.marketData.bars(symbol, count: TradingRun.sight)
        guard let newest = bars.last else {
            throw FunctionError(status: 503, code: "no_bars", message: "there are no bars of \(symbol) yet")
        }
        let closes = bars.map(\.close)
        if let first = bars.first, last.map({ first.time > $0 }) ?? true {
            bars = try await context.bindings.marketData.bars(symbol, count: settings.backfill)
        }
        let gathered = try await store.gather(symbol, bars, after: last)
        let age = (context.now - newest.time).components.seconds / 60
        let isStale = settings.maxBarAgeMinutes > 0 && age > settings.maxBarAgeMinutes
        return SymbolView(
            symbol: symbol,
            signal: isStale ? .unclear : champion.rule.signal(closes),
            price: newest.close,
            time: newest.time,
            gathered: gathered,
            problem: nil
        )
    }

    /// Places what leads from the positions held to those wanted.
    ///
    /// What is sold comes first, as it pays for the rest.
    private func trade(_ views: [SymbolView], _ settings: TradingSettings) async throws -> [Order] {
        let account = try await context.bindings.broker.account()
        let plan = OrderPlan(account: account, settings: settings)
        var cash = account.cash
        var orders: [Order] = []
        for side in [OrderSide.sell, .buy] {
            for view in views where view.problem == nil {
                guard let quantity = plan.quantity(side, view, cash: cash) else { continue }
                if context.isCancelled { throw CancellationError() }
                let order = try await context.bindings.broker.place(
                    OrderRequest(
                        clientOrderID: orderID(view),
                        symbol: view.symbol,
                        side: side,
                        quantity: quantity
                    )
                )
                orders.append(order)
                cash += OrderPlan.cashFlow(order)
            }
        }
        return orders
    }

    /// The same for every attempt at one firing, so that the broker takes each decision once.
    private func orderID(_ view: SymbolView) -> String {
        "\(view.symbol)-\((occasion.nominal ?? view.time).rfc3339)"
    }

    private func report(
        _ views: [SymbolView],
        _ orders: [Order],
        _ account: BrokerAccount,
        _ champion: Champion
    ) -> JSONObject {
        var signals = JSONObject()
        for view in views { signals[view.symbol] = view.json }
        let positions = account.positions.sorted { $0.key < $1.key }.map { ($0.key, JSON.integer($0.value)) }
        return [
            "last_run": .string(context.now.rfc3339),
            "nominal": occasion.nominal.map { .string($0.rfc3339) } ?? .null,
            "window": occasion.window.map { .string($0) } ?? .null,
            "fencing_token": context.fencingToken.map { .integer(Int64(clamping: $0)) } ?? .null,
            "model": .string(champion.id), "signals": .object(signals),
            "orders": .array(orders.map(OrderPlan.describe)), "cash": .integer(account.cash),
            "equity": .integer(account.equity), "positions": .object(JSONObject(positions)),
            "fills": .integer(Int64(account.fills)), "handed_over": occasion.handover ?? .null,
        ]
    }
}
