import FunctionCore
import Synchronization

/// A function's calls in this process, answered from a recording.
package struct RecordedCaller: BindingCaller {
    private let player: TapePlayer

    package init(_ player: TapePlayer) {
        self.player = player
    }

    package func call(_ request: BindingRequest) async throws -> BindingReply {
        let call = try player.begin(
            RecordedCall(
                binding: request.binding,
                method: request.method,
                arguments: request.arguments,
                body: request.body
            )
        )
        switch await player.next(of: call) {
        case .value(let value): return BindingReply(value: value, body: rest(of: call))
        case .piece(let piece):
            return BindingReply(value: "{}", body: rest(of: call, first: piece))
        case .ended: return BindingReply(value: "{}")
        case .failed(let error): throw error
        case nil: throw CancellationError()
        }
    }

    private func rest(of call: Int, first: Bytes? = nil) -> BindingBody {
        let kept = FirstPiece(first)
        return BindingBody {
            if let piece = kept.take() { return piece }
            switch await player.next(of: call) {
            case .value(let bytes), .piece(let bytes): return bytes
            case .ended: return nil
            case .failed(let error): throw error
            case nil: throw CancellationError()
            }
        }
    }
}

/// A piece that was read before its reader asked for it.
private final class FirstPiece: Sendable {
    private let piece: Mutex<Bytes?>

    init(_ piece: Bytes?) {
        self.piece = Mutex(piece)
    }

    func take() -> Bytes? { piece.withLock { $0.take() } }
}
