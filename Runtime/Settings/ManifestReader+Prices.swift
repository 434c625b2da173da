import Invocations

extension ManifestReader {
    private static let credits = 1...1_000_000

    /// Reads `credits`: a number for every operation with a route of `mode: async`, or one by operation.
    ///
    /// An operation with a price that a client could reach without paying is a problem: the price would be
    /// a matter of choice.
    static func readPrices(_ node: SettingsNode, _ manifest: inout Manifest) {
        let paid = Set(manifest.routes.filter(\.async).map(\.operation))
        if node.isScalar {
            guard let price = node.integer(credits) else { return }
            for operation in paid { manifest.prices[operation] = price }
            if paid.isEmpty {
                node.wrong("no route has `mode: async`, so that nothing is ever charged", hint: remedy)
            }
        } else {
            for (operation, value) in node.entries {
                guard let price = value.integer(credits) else { continue }
                guard paid.contains(operation) else {
                    value.wrong("no route with `mode: async` has the operation `\(operation)`", hint: remedy)
                    continue
                }
                manifest.prices[operation] = price
            }
        }
        for route in manifest.routes where !route.async && manifest.prices[route.operation] != nil {
            let place = "\(route.method) \(route.path) on line \(route.line)"
            node.wrong("\(place) answers the same operation at once, and free of charge", hint: remedy)
        }
        for socket in manifest.webSockets where manifest.prices[socket.operation] != nil {
            let place = "the WebSocket \(socket.path) on line \(socket.line)"
            node.wrong(
                "\(place) has the same operation, and is free of charge",
                hint: "give it an operation of its own"
            )
        }
    }

    private static let remedy = "only jobs are charged: give the route `mode: async`, or no price"
}
