import FunctionCore

/// A binary heap of indices by the instant at which each is wanted; the lowest index comes first among equals.
struct ScheduleHeap: Sendable {
    struct Item: Sendable {
        let instant: Instant
        let index: Int

        static func < (left: Item, right: Item) -> Bool {
            (left.instant, left.index) < (right.instant, right.index)
        }
    }

    private(set) var items: [Item] = []

    init() {}

    /// Takes all at once, in a time that grows with their number only.
    init(_ items: [Item]) {
        self.items = items
        for index in (0..<(items.count / 2)).reversed() { sink(index) }
    }

    var first: Item? { items.first }
    var count: Int { items.count }

    mutating func insert(_ index: Int, at instant: Instant) {
        items.append(Item(instant: instant, index: index))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child] < items[parent] else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Item? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        if !items.isEmpty {
            items[0] = last
            sink(0)
        }
        return first
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if items[child] < items[smallest] { smallest = child }
            }
            guard smallest != parent else { return }
            items.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
