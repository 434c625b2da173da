import FunctionCore

/// One movement of credits between a user's account and another; never changed once it is there.
///
/// ```
///   grant                 the user has more
///   hold ──► post         the held credits are spent
///        ├─► void         they are free again
///        └─► expire       the same, as nobody ended the hold in time
/// ```
package struct LedgerTransfer: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case grant, hold, post, void, expire
    }

    /// Chosen by who asks, so that asking again changes nothing.
    package var id: String
    package var kind: Kind
    package var user: Int
    /// The other side: `grants`, or `usage:` and a function.
    package var account: String
    /// Whole credits, from 1 to `LedgerTransfer.limit`.
    package var credits: Int
    /// Which hold it ends.
    package var hold: String?
    /// When a hold may be ended by nobody's doing.
    package var expires: Instant?
    package var note: String?
    package var created: Instant

    /// The most that one transfer moves, and an account has.
    package static let limit = 1_000_000_000_000

    package init(
        id: String,
        kind: Kind,
        user: Int,
        account: String,
        credits: Int,
        hold: String? = nil,
        expires: Instant? = nil,
        note: String? = nil,
        created: Instant
    ) {
        self.id = id
        self.kind = kind
        self.user = user
        self.account = account
        self.credits = credits
        self.hold = hold
        self.expires = expires
        self.note = note
        self.created = created
    }

    /// The longest note, in bytes.
    static let noteLimit = 256

    /// The function of an account of use; empty for another.
    package static func function(of account: String) -> String {
        account.hasPrefix("usage:") ? String(account.dropFirst("usage:".count)) : ""
    }

    static func fault(of note: String?) -> Fault? {
        guard let count = note?.utf8.count, count > noteLimit else { return nil }
        return Fault("note", "length", "note has \(count) bytes and may have \(noteLimit); shorten it")
    }

    /// The account of a function's use.
    package static func usage(_ function: String) -> String { "usage:\(function)" }

    /// Whether `other` asks for the same, whenever it asks.
    func isSame(as other: LedgerTransfer) -> Bool {
        var other = other
        other.created = created
        return self == other
    }

    /// What it changes in the user's balance; the other account changes by the opposite.
    var change: CreditBalance {
        switch kind {
        case .grant: CreditBalance(posted: credits, held: 0)
        case .hold: CreditBalance(posted: 0, held: credits)
        case .post: CreditBalance(posted: -credits, held: -credits)
        case .void, .expire: CreditBalance(posted: 0, held: -credits)
        }
    }

    /// Both accounts, and which way each goes.
    var sides: [(account: String, sign: Int)] { [("user:\(user)", 1), (account, -1)] }
}

/// What an account has.
package struct CreditBalance: Sendable, Hashable {
    /// Given and not spent.
    package var posted: Int
    /// The part of it that is held for jobs under way.
    package var held: Int

    package init(posted: Int = 0, held: Int = 0) {
        self.posted = posted
        self.held = held
    }

    /// What may be held anew.
    package var available: Int { posted - held }

    static func + (left: CreditBalance, right: CreditBalance) -> CreditBalance {
        CreditBalance(posted: left.posted + right.posted, held: left.held + right.held)
    }
}

/// Which transfers may be made; without any I/O.
enum LedgerRule {
    /// Whether a transfer with the wanted one's id is the wanted one, made before.
    /// - Throws: `FunctionError` 409 transfer_conflict.
    static func check(_ wanted: LedgerTransfer, against known: LedgerTransfer) throws {
        guard known.isSame(as: wanted) else {
            let message =
                "the id \(wanted.id) was used for another transfer, a \(known.kind.rawValue) of "
                + "\(known.credits) credits; choose a new id"
            throw FunctionError.conflict("transfer_conflict", message)
        }
    }

    /// Whether a grant or a hold may be made.
    /// - Throws: `FunctionError` 402 insufficient_credits, 422.
    static func check(_ wanted: LedgerTransfer, over balance: CreditBalance) throws {
        guard (1...LedgerTransfer.limit).contains(wanted.credits) else {
            let message = "credits is \(wanted.credits) and must be 1 to \(LedgerTransfer.limit)"
            throw FunctionError.invalid("credits", "range", message)
        }
        if wanted.kind == .hold {
            guard balance.available >= wanted.credits else { throw insufficient(wanted, balance) }
        } else if balance.posted > LedgerTransfer.limit - wanted.credits {
            let message =
                "user \(wanted.user) has \(balance.posted) credits, and an account has at most "
                + "\(LedgerTransfer.limit); grant fewer"
            throw FunctionError.invalid("credits", "range", message)
        }
    }

    /// Whether a hold may be ended that has that end already.
    /// - Throws: `FunctionError` 409 hold_ended.
    static func check(end: LedgerTransfer?) throws {
        guard let end else { return }
        let message = "the hold \(end.hold ?? "") has ended already, by \(end.kind.rawValue) \(end.id)"
        throw FunctionError.conflict("hold_ended", message)
    }

    private static func insufficient(_ hold: LedgerTransfer, _ balance: CreditBalance) -> FunctionError {
        let held = balance.held == 0 ? "" : ", as \(balance.held) are held for jobs under way"
        return FunctionError(
            status: 402,
            code: "insufficient_credits",
            message: "this costs \(hold.credits) credits, and \(balance.available) are available\(held); "
                + "get more credits, then try again",
            retry: .never
        )
    }
}
