import FunctionCore
import LambdaEvents
import NIOCore
import NIOHTTP1
import Wire
import WorkerPool

/// What the runtime sends, turned into facts for the machine and replies for the pool.
extension RuntimeWorker {
    func opened(_ connection: RuntimeConnection) {
        // Whoever has another user is no part of the worker, however it has come by the address.
        let isStranger = connection.user.map { $0 != user } ?? false
        guard connections.count < RuntimeWorker.connectionsMax, !isStranger else { return connection.close() }
        connections[connection.client] = connection
    }

    func closed(_ connection: RuntimeConnection) {
        guard connections.removeValue(forKey: connection.client) != nil else { return }
        perform(machine.left(connection.client))
    }

    func brokeOff(_ connection: RuntimeConnection) {
        // Answered at once: nothing more can be read.
        guard let receiving = connection.receiving else { return }
        connection.receiving = nil
        if case .next = receiving { return }
        perform(machine.brokeOff(connection.client))
    }

    func received(_ head: HTTPRequestHead, from connection: RuntimeConnection) {
        let client = connection.client
        connection.receiving = .nothing(.notFound)
        switch RuntimeRoute(head.method, head.uri) {
        case .next: connection.receiving = .next
        case .ping: connection.receiving = .nothing(.pong)
        case .unknown: break
        case .wrongMethod: connection.receiving = .nothing(.notAllowed)
        case .response(let request):
            let mode = head.headers.first(name: "lambda-runtime-function-response-mode")
            connection.head = head
            perform(machine.responded(client, to: request, asError: false, mode: mode?.lowercased()))
        case .error(let request):
            connection.head = head
            perform(machine.responded(client, to: request, asError: true, mode: nil))
        case .initError:
            connection.head = head
            perform(machine.beganInitError(client))
        }
    }

    func take(_ key: RuntimeMachine.Key, from client: RuntimeMachine.Client, asError: Bool) {
        guard let connection = connections[client], let head = connection.head else { return }
        let mode = head.headers.first(name: "lambda-runtime-function-response-mode")
        if asError {
            connection.receiving = .error(key, head)
        } else if mode == nil || served[key]?.head.kind == .redis {
            connection.receiving = .reply(key, head)
        } else {
            connection.receiving = .stream(key)
            served[key]?.source = client
            beginStream(key, head)
        }
    }

    func takeInitError(from client: RuntimeMachine.Client) {
        guard let connection = connections[client], let head = connection.head else { return }
        connection.receiving = .initError(head)
    }

    func received(_ piece: ByteBuffer, from connection: RuntimeConnection) {
        switch connection.receiving {
        case nil, .nothing, .next: break
        case .stream(let key): addToStream(key, piece)
        case .reply, .error, .initError:
            connection.body.writeImmutableBuffer(piece)
            guard connection.body.readableBytes > RuntimeAnswer.payloadMax else { return }
            connection.body = ByteBuffer()
            perform(machine.exceeded(connection.client))
        }
    }

    func receivedEnd(_ trailers: HTTPHeaders?, from connection: RuntimeConnection) {
        let client = connection.client
        let receiving = connection.receiving
        connection.receiving = nil
        switch receiving {
        case nil: break
        case .nothing(let answer): connection.respond(answer)
        case .next:
            connection.isWaiting = true
            perform(machine.asked(client))
        case .reply(let key, let head):
            reply(key, head, connection.body)
            perform(machine.sent(client))
        case .stream(let key):
            endStream(key, trailers)
            perform(machine.sent(client))
        case .error(let key, let head):
            let failure = RuntimeFailure("function_error", told: connection.body, head)
            let error = failure.error(for: served[key]?.head.kind ?? .plain)
            served[key]?.reply.finish(error)
            perform(machine.sent(client))
        case .initError(let head):
            perform(
                machine.toldInitError(
                    client,
                    RuntimeFailure(FunctionError.startFailed, told: connection.body, head)
                )
            )
        }
        connection.body = ByteBuffer()
    }

    // MARK: Replies

    /// A whole reply, read as the event's trigger wants it.
    private func reply(_ key: RuntimeMachine.Key, _ head: HTTPRequestHead, _ body: ByteBuffer) {
        guard let invocation = served[key] else { return }
        let reply: Reply
        do throws(FunctionError) {
            switch invocation.head.kind {
            case .http: reply = try HTTPPayloadReply.read(Bytes(Array(body.readableBytesView)))
            case .redis:
                guard let batch = invocation.batch else { fallthrough }
                reply = try BatchItemFailures.reply(Bytes(Array(body.readableBytesView)), to: batch)
            default:
                let type = head.headers.first(name: "content-type") ?? "application/json"
                served[key]?.reply.begin(200, [Header("content-type", type)])
                served[key]?.reply.add(body)
                served[key]?.reply.finish()
                return
            }
        } catch {
            served[key]?.reply.finish(error)
            return
        }
        served[key]?.reply.begin(reply.status, reply.headers)
        served[key]?.reply.add(ByteBuffer(bytes: reply.body.array))
        served[key]?.reply.finish()
    }

    private func beginStream(_ key: RuntimeMachine.Key, _ head: HTTPRequestHead) {
        let type = head.headers.first(name: "content-type") ?? "application/octet-stream"
        if type == StreamPrelude.contentType, served[key]?.head.kind == .http {
            served[key]?.prelude = StreamPrelude.Reader()
        } else {
            served[key]?.reply.begin(200, [Header("content-type", type)])
            pump(key)
        }
    }

    private func addToStream(_ key: RuntimeMachine.Key, _ piece: ByteBuffer) {
        guard var prelude = served[key]?.prelude else {
            served[key]?.reply.add(piece)
            return pump(key)
        }
        do throws(FunctionError) {
            let whole = try prelude.take(Bytes(Array(piece.readableBytesView)))
            served[key]?.prelude = whole == nil ? prelude : nil
            guard let whole else { return }
            served[key]?.reply.begin(whole.status, whole.headers)
            served[key]?.reply.add(ByteBuffer(bytes: whole.rest.array))
        } catch {
            served[key]?.reply.finish(error)
        }
        pump(key)
    }

    private func endStream(_ key: RuntimeMachine.Key, _ trailers: HTTPHeaders?) {
        guard let invocation = served[key] else { return }
        // All has been read: the connection is for other requests now, however slow the reply's reader is.
        if let source = invocation.source { connections[source]?.setReading(true) }
        served[key]?.source = nil
        guard let type = trailers?.first(name: "lambda-runtime-function-error-type") else {
            let isCut = served[key]?.prelude != nil
            served[key]?.reply.finish(isCut ? RuntimeFailure.truncated.error(for: .http) : nil)
            return
        }
        let told = trailers?.first(name: "lambda-runtime-function-error-body").flatMap { Bytes(base64: $0) }
        let failure = RuntimeFailure("function_error", told: told ?? Bytes(), header: type, contentType: nil)
        served[key]?.reply.finish(failure.error(for: invocation.head.kind))
    }
}

extension RuntimeFailure {
    init(_ code: String, told body: ByteBuffer, _ head: HTTPRequestHead) {
        self.init(
            code,
            told: Bytes(Array(body.readableBytesView)),
            header: head.headers.first(name: "lambda-runtime-function-error-type"),
            contentType: head.headers.first(name: "content-type")
        )
    }
}

extension RuntimeConnection {
    func respond(_ answer: RuntimeAnswer) {
        let type = answer == .pong ? "text/plain" : "application/json"
        respond(answer.status, ["content-type": type], ByteBuffer(bytes: answer.body.array))
    }
}
