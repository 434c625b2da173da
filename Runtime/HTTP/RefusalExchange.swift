/// A request to a known path that is refused before anybody looks at it: pages of other origins that may call
/// the path may read why.
// SAFETY: as Exchange: all state belongs to its loop; `policy` never changes.
final class RefusalExchange: Exchange, @unchecked Sendable {
    private let policy: CORSPolicy?

    override var cors: CORSPolicy? { policy }

    init(
        _ request: RequestHead,
        _ gateway: Gateway,
        _ output: any ReplyOutput,
        _ refusal: Refusal,
        _ policy: CORSPolicy?
    ) {
        self.policy = policy
        super.init(request, gateway, output, refusing: refusal)
    }
}
