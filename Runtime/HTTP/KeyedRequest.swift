import FunctionCore
import NIOCore

/// A request that holds an `Idempotency-Key`, and what has been gathered of its answer.
struct KeyedRequest: Sendable {
    let function: String
    let principal: String?
    let key: String
    let hash: String
    let keeper: any IdempotencyKeeping
    /// The body so far; nil once it was too long to keep.
    private(set) var captured: Bytes? = Bytes()

    init(function: String, principal: String?, key: String, hash: String, keeper: any IdempotencyKeeping) {
        self.function = function
        self.principal = principal
        self.key = key
        self.hash = hash
        self.keeper = keeper
    }

    mutating func capture(_ piece: ByteBuffer, limit: Int) {
        guard let count = captured?.count, count + piece.readableBytes <= limit else {
            captured = nil
            return
        }
        captured?.array.append(contentsOf: piece.readableBytesView)
    }

    func begin() async throws -> IdempotencyVerdict {
        try await keeper.begin(function: function, principal: principal, key: key, requestHash: hash)
    }

    func finish(status: Int, headers: [Header], body: Bytes) async {
        await keeper.finish(
            function: function,
            principal: principal,
            key: key,
            requestHash: hash,
            status: status,
            headers: headers,
            body: body
        )
    }

    func abandon() async {
        await keeper.abandon(function: function, principal: principal, key: key, requestHash: hash)
    }

    /// What makes two requests the same: method, target and body.
    static func identity(_ head: RequestHead, _ body: Bytes) -> Bytes {
        Bytes(Array("\(head.method.text) \(head.target)\n".utf8) + body.array)
    }

    static func fault(of key: String) -> FunctionError? {
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
            let message = "the Idempotency-Key must be 1 to 255 printable ASCII characters"
            return .badRequest("bad_idempotency_key", message)
        }
        return nil
    }
}
