import FunctionCore
import Invocations
import NIOCore
import Synchronization
import Wire

/// Sends a service's answer to the worker that called: the value at once with the end where nothing follows,
/// else the value and then pieces within the worker's credit.
final class CallAnswer: BindingAnswering {
    let credit = Credit(64 * 1024)
    private let id: UInt32
    private let link: WorkerLink
    private let head = AnswerHead()
    private static let pieceMax = 32 * 1024

    init(id: UInt32, link: WorkerLink) {
        self.id = id
        self.link = link
    }

    func send(_ value: Bytes) throws { try head.send(value) }

    func write(_ piece: Bytes) async throws {
        sendHead(last: false)
        var rest = piece.array[...]
        while !rest.isEmpty {
            let count = try await credit.take(min(rest.count, CallAnswer.pieceMax))
            let part = rest.prefix(count)
            post { [id] in $0.frame(.chunk, id: id) { $0.rest(part) } }
            rest = rest.dropFirst(count)
        }
    }

    func finish() {
        if !sendHead(last: true) { post { [id] in $0.frame(.end, id: id) } }
    }

    func fail(_ error: FunctionError) {
        post { [id] in ErrorPayload.write(error, to: &$0, id: id) }
    }

    @discardableResult
    private func sendHead(last: Bool) -> Bool {
        guard let value = head.take() else { return false }
        post { [id] in $0.frame(.callReply, id: id, flags: last ? Frame.last : 0) { $0.block(value) } }
        return true
    }

    private func post(_ body: @escaping @Sendable (inout WireWriter) -> Void) {
        link.loop.execute { [link] in link.send(body) }
    }
}

/// The value of an answer, which goes out once and before all pieces.
///
/// Threading: any.
package final class AnswerHead: Sendable {
    private struct State {
        var value: Bytes?
        var isTaken = false
    }

    private let state = Mutex(State())

    package init() {}

    /// - Throws: `FunctionError` for a value that fits into no frame.
    package func send(_ value: Bytes) throws(FunctionError) {
        guard value.count <= Frame.payloadMax - 64 else {
            let message = "the answer's value has \(value.count) bytes; send what is over 16 MiB in pieces"
            throw FunctionError(status: 502, code: "answer_too_large", message: message, retry: .never)
        }
        state.withLock { $0.value = value }
    }

    /// The value, `{}` where none was sent; nil from the second time on.
    package func take() -> Bytes? {
        state.withLock { state in
            if state.isTaken { return nil }
            state.isTaken = true
            return state.value ?? "{}"
        }
    }
}
