import FunctionCore

/// The body of a batch event, and of the reply to it.
package enum BatchPayload {
    package typealias Outcome = Result<Reply, FunctionError>

    package static func body(of events: [Event]) -> Bytes {
        var writer = WireWriter()
        writer.integer(UInt32(events.count))
        for event in events {
            writer.integer(event.kind.rawValue)
            writer.string(event.operation)
            writer.integer(UInt8(event.request == nil ? 0 : 1))
            if let request = event.request { writer.request(request) }
            writer.block(event.body)
        }
        return Bytes(writer.bytes)
    }

    package static func events(in body: Bytes) throws(WireError) -> [Event] {
        try read(body) { reader throws(WireError) in
            let number = try reader.integer(UInt8.self)
            guard let kind = Event.Kind(rawValue: number), kind != .batch else {
                throw WireError("an event of unknown kind \(number)")
            }
            let operation = try reader.string()
            let request = try reader.integer(UInt8.self) == 0 ? nil : try reader.request()
            return Event(kind: kind, operation: operation, request: request, body: try reader.block())
        }
    }

    package static func body(of outcomes: [Outcome]) -> Bytes {
        var writer = WireWriter()
        writer.integer(UInt32(outcomes.count))
        for outcome in outcomes {
            switch outcome.flatMap(refused) {
            case .success(let reply):
                writer.integer(UInt16(reply.status))
                writer.headers(reply.headers)
                writer.block(reply.body)
            case .failure(let error):
                writer.integer(UInt16(0))
                ErrorPayload.write(error, to: &writer)
            }
        }
        return Bytes(writer.bytes)
    }

    package static func outcomes(in body: Bytes) throws(WireError) -> [Outcome] {
        try read(body) { reader throws(WireError) in
            let status = Int(try reader.integer(UInt16.self))
            guard status != 0 else { return .failure(try ErrorPayload.read(&reader)) }
            return .success(
                Reply(status: status, headers: try reader.headers(), body: try reader.block())
            )
        }
    }

    private static func refused(_ reply: Reply) -> Outcome {
        ReplyHead.refusal(of: reply.status).map { .failure($0) } ?? .success(reply)
    }

    private static func read<Element>(
        _ body: Bytes,
        _ element: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        var failure: WireError?
        var elements: [Element] = []
        // SAFETY: the reader does not outlive the array's buffer; what it gives out is copied.
        body.array.withUnsafeBytes { buffer in
            do throws(WireError) {
                var reader = WireReader(buffer)
                let count = try reader.integer(UInt32.self)
                elements.reserveCapacity(min(Int(count), 1024))
                for _ in 0..<count { elements.append(try element(&reader)) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }
}
