/// Who has the right to make which document, and who waits for it; without any I/O.
///
/// A key is free, or held by one invocation; waiters stand in the order in which they came. What ends a hold
/// is `made` (the document is there: all waiters get it) or `ended` (its invocation is over: the first waiter
/// holds it next).
struct ClaimTable: Sendable {
    /// How many wait for one key.
    static let waiterLimit = 1024

    struct Key: Sendable, Hashable {
        var collection: String
        var key: String
    }

    /// What a claim meets.
    enum Verdict: Sendable, Hashable {
        /// The invocation holds the key, now or already.
        case held
        /// It stands in the queue under that number.
        case waits(Int)
        /// Too many wait.
        case full
    }

    private struct Waiter: Sendable {
        var number: Int
        var invocation: String
    }

    private struct Claim: Sendable {
        var holder: String
        var waiters: [Waiter] = []
    }

    private var claims: [Key: Claim] = [:]
    private var held: [String: Set<Key>] = [:]
    private var lastNumber = 0

    /// How many keys are held.
    var count: Int { claims.count }

    /// How many wait for a key.
    func waiting(for key: Key) -> Int { claims[key]?.waiters.count ?? 0 }

    /// An invocation wants a key.
    mutating func claim(_ key: Key, by invocation: String) -> Verdict {
        guard let claim = claims[key] else {
            claims[key] = Claim(holder: invocation)
            held[invocation, default: []].insert(key)
            return .held
        }
        if claim.holder == invocation { return .held }
        guard claim.waiters.count < Self.waiterLimit else { return .full }
        lastNumber += 1
        claims[key]?.waiters.append(Waiter(number: lastNumber, invocation: invocation))
        return .waits(lastNumber)
    }

    /// The document is there: nobody holds the key any more.
    ///
    /// Returns who waited for it.
    mutating func made(_ key: Key) -> [Int] {
        guard let claim = claims.removeValue(forKey: key) else { return [] }
        release(key, from: claim.holder)
        return claim.waiters.map(\.number)
    }

    /// A waiter has gone.
    mutating func left(_ key: Key, _ number: Int) {
        claims[key]?.waiters.removeAll { $0.number == number }
    }

    /// What the end of an invocation does to others.
    struct End: Sendable, Hashable {
        /// Waiters that hold their key now.
        var promoted: [Int] = []
        /// The invocation's own waiters, which are to be given up.
        var abandoned: [Int] = []
    }

    /// An invocation is over: its keys go to those who waited first.
    mutating func ended(_ invocation: String) -> End {
        var end = End()
        // Its own waiting comes first, or it would inherit a key from somebody else.
        for key in claims.keys {
            let own = claims[key]?.waiters.filter { $0.invocation == invocation }.map(\.number) ?? []
            guard !own.isEmpty else { continue }
            claims[key]?.waiters.removeAll { $0.invocation == invocation }
            end.abandoned += own
        }
        for key in held.removeValue(forKey: invocation) ?? [] {
            guard var claim = claims[key] else { continue }
            guard !claim.waiters.isEmpty else {
                claims[key] = nil
                continue
            }
            let next = claim.waiters.removeFirst()
            claim.holder = next.invocation
            claims[key] = claim
            held[next.invocation, default: []].insert(key)
            end.promoted.append(next.number)
        }
        return end
    }

    private mutating func release(_ key: Key, from holder: String) {
        held[holder]?.remove(key)
        if held[holder]?.isEmpty == true { held[holder] = nil }
    }
}
