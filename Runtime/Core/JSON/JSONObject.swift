/// The members of a JSON object, in the order they were added.
///
/// A name that is set again keeps its place. Equality and hash ignore the order. Names compare as Swift
/// strings do, so two Unicode spellings of the same characters are the same name.
public struct JSONObject: Sendable {
    /// Up to this many members a scan of the names is quicker than hashing one of them.
    private static let scanLimit = 16

    private var members: [(key: String, value: JSON)] = []

    /// Where each name is; kept only above `scanLimit` members.
    private var places: [String: Int]?

    /// An object without members.
    public init() {}

    /// An object of these members; of a name that occurs twice the last value counts.
    public init(_ members: some Sequence<(String, JSON)>) {
        for (key, value) in members {
            set(key, to: value)
        }
    }

    /// The names, in order.
    public var keys: [String] {
        members.map(\.key)
    }

    /// The values, in the order of their names.
    public var values: [JSON] {
        members.map(\.value)
    }

    /// The value of that name; setting `nil` removes the member, setting a new name appends it.
    public subscript(key: String) -> JSON? {
        get {
            guard let place = place(of: key) else { return nil }
            return members[place].value
        }
        set {
            if let newValue {
                set(key, to: newValue)
            } else {
                removeValue(forKey: key)
            }
        }
    }

    /// Whether there is a member of that name, be it `null`.
    public func contains(key: String) -> Bool {
        place(of: key) != nil
    }

    /// Removes the member of that name and returns its value; takes time in proportion to the members.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSON? {
        guard let place = place(of: key) else { return nil }
        let removed = members.remove(at: place)
        if places != nil {
            places = members.count > Self.scanLimit ? indexed() : nil
        }
        return removed.value
    }

    /// Makes room for that many members.
    public mutating func reserveCapacity(_ capacity: Int) {
        members.reserveCapacity(capacity)
    }

    /// Sets a member, in its place if the name is known, at the end otherwise.
    mutating func set(_ key: String, to value: JSON) {
        if let place = place(of: key) {
            members[place].value = value
            return
        }
        append(key, value)
    }

    /// Adds a member whose name is known to be new.
    mutating func append(_ key: String, _ value: JSON) {
        members.append((key, value))
        if places != nil {
            places?[key] = members.count - 1
        } else if members.count > Self.scanLimit {
            places = indexed()
        }
    }

    private func place(of key: String) -> Int? {
        if let places { return places[key] }
        for place in 0..<members.count where members[place].key == key {
            return place
        }
        return nil
    }

    private func indexed() -> [String: Int] {
        var places: [String: Int] = [:]
        places.reserveCapacity(members.count * 2)
        for (place, member) in members.enumerated() {
            places[member.key] = place
        }
        return places
    }
}

extension JSONObject: RandomAccessCollection {
    /// The position of the first member: always 0.
    public var startIndex: Int { 0 }

    /// The position after the last member.
    public var endIndex: Int { members.count }

    /// The member at that position, which must exist.
    public subscript(position: Int) -> (key: String, value: JSON) {
        members[position]
    }
}

extension JSONObject: Hashable {
    /// Whether both have the same names with the same values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        return left.members.allSatisfy { right[$0.key] == $0.value }
    }

    /// Feeds the members in a way that does not depend on their order.
    public func hash(into hasher: inout Hasher) {
        var mixed = 0
        for member in members {
            var one = Hasher()
            one.combine(member.key)
            one.combine(member.value)
            mixed ^= one.finalize()
        }
        hasher.combine(members.count)
        hasher.combine(mixed)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// The members in the order written; of a name written twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self.init(elements)
    }
}
