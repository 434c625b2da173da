/// What a shop sends about an order: some 300 bytes as JSON without items.
package struct ShopOrder: Codable, Equatable, Sendable {
    package enum Channel: String, Codable, Sendable {
        case web, app
    }

    package struct Customer: Codable, Equatable, Sendable {
        var id: Int
        var name: String
        var email: String
        var street: String
        var city: String
        var returning: Bool
    }

    package struct Item: Codable, Equatable, Sendable {
        var sku: String
        var name: String
        var quantity: Int
        var price: Double
        var tags: [String]
    }

    var id: String
    var created: String
    var channel: Channel
    var customer: Customer
    var items: [Item]
    var total: Double
    var currency: String
    var note: String?

    /// An order that is the same for the same number.
    package init(_ number: Int, items count: Int) {
        id = "order-\(1_000_000 + number)"
        created = "2026-01-31T09:30:00Z"
        channel = number.isMultiple(of: 2) ? .web : .app
        customer = Customer(
            id: 4711 + number,
            name: "Mara Österreicher",
            email: "mara@example.org",
            street: "Hauptstraße 12",
            city: "Wien",
            returning: true
        )
        items = (0..<count).map { place in
            Item(
                sku: "SKU-\(number)-\(place)",
                name: "Brass telescope, model \(place)",
                quantity: place + 1,
                price: 129.95 + Double(place) / 10,
                tags: ["optics", "gift \(place)"]
            )
        }
        total = 389.15
        currency = "EUR"
        note = count > 0 ? "please ring\ntwice" : nil
    }
}
