/// Values by numbers that count up: frame ids, workers' ids.
///
/// A hash table whose hash is the number itself: what counts up lands side by side, and nothing is computed.
/// Zero is no key. A lookup costs a few nanoseconds, and none allocates but where the table grows.
struct KeyTable<Key: FixedWidthInteger & Sendable, Value: Sendable>: Sendable {
    private var slots: [Key] = []
    private var stored: [Value?] = []
    private(set) var count = 0

    private static var smallest: Int { 16 }

    var isEmpty: Bool { count == 0 }

    /// All keys, in no order.
    var keys: [Key] { slots.filter { $0 != 0 } }
    /// All values, in no order.
    var values: [Value] { stored.compactMap { $0 } }

    /// Looks at all, in no order.
    func forEach(_ body: (Key, Value) -> Void) {
        for (key, value) in zip(slots, stored) {
            if let value { body(key, value) }
        }
    }

    func contains(_ key: Key) -> Bool { place(of: key) != nil }

    subscript(key: Key) -> Value? {
        get { place(of: key).flatMap { stored[$0] } }
        // Not `_modify`: each access would allocate the coroutine's frame, and the values are small.
        set {
            guard let place = place(of: key) else {
                if let newValue { insert(newValue, for: key) }
                return
            }
            if let newValue { stored[place] = newValue } else { vacate(place) }
        }
    }

    mutating func removeValue(forKey key: Key) -> Value? {
        guard let place = place(of: key) else { return nil }
        let value = stored[place]
        vacate(place)
        return value
    }

    private func home(of key: Key) -> Int { Int(truncatingIfNeeded: key) & (slots.count - 1) }

    private func place(of key: Key) -> Int? {
        guard count > 0, key != 0 else { return nil }
        var place = home(of: key)
        while slots[place] != key {
            if slots[place] == 0 { return nil }
            place = (place + 1) & (slots.count - 1)
        }
        return place
    }

    private mutating func insert(_ value: Value, for key: Key) {
        precondition(key != 0, "zero marks a free place in a KeyTable and is no key")
        if count * 2 >= slots.count { resize(max(KeyTable.smallest, slots.count * 2)) }
        var place = home(of: key)
        while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = key
        stored[place] = value
        count += 1
    }

    private mutating func resize(_ size: Int) {
        let old = zip(slots, stored).filter { $0.0 != 0 }
        slots = Array(repeating: 0, count: size)
        stored = Array(repeating: nil, count: size)
        count = 0
        for case (let key, let value?) in old { insert(value, for: key) }
    }

    /// Frees a place, and moves up what had to step aside for it: a search ends at the first free place.
    private mutating func vacate(_ place: Int) {
        count -= 1
        if count == 0, slots.count > 1024 { return resize(KeyTable.smallest) }
        var free = place
        var next = place
        while true {
            next = (next + 1) & (slots.count - 1)
            guard slots[next] != 0 else { break }
            // What is nearer to its home than the free place is stays where it is.
            let distance = (next - home(of: slots[next])) & (slots.count - 1)
            guard distance >= (next - free) & (slots.count - 1) else { continue }
            slots[free] = slots[next]
            stored[free] = stored[next]
            free = next
        }
        slots[free] = 0
        stored[free] = nil
    }
}
