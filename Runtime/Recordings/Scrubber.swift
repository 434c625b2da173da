import FunctionCore

/// Takes out of a recording what must not leave the host: known secrets wherever they are, and the values of header
/// fields, members and query parameters of certain names.
///
/// What holds none of them stays as it is, to the byte. It is applied to what a replay does before that is compared,
/// so that a secret of this host and one that was taken out are alike.
package struct Scrubber: Sendable {
    package static let mark = "[redacted]"
    /// Names whose values are never kept.
    package static let names = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"]

    /// Whether the value of an environment entry is a secret, by its name, or because it is one of `named`.
    package static func isSecret(_ name: String, _ named: [String]) -> Bool {
        ["KEY", "SECRET", "TOKEN", "PASSWORD"].contains { name.uppercased().hasSuffix($0) }
            || named.contains { $0.lowercased() == name.lowercased() }
    }

    private let names: Set<String>
    private var cleanBytes: @Sendable ([UInt8]) -> [UInt8]

    /// - Parameters:
    ///   - more: further names, in any case
    ///   - clean: takes known secrets out of text
    package init(_ more: [String] = [], clean: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }) {
        names = Set((Scrubber.names + more).map { $0.lowercased() })
        cleanBytes = clean
    }

    package func clean(_ recording: Recording) -> Recording {
        var own = self
        let credentials = credentials(of: recording)
        own.cleanBytes = { [cleanBytes] bytes in
            let mark = Array(Scrubber.mark.utf8)
            return cleanBytes(credentials.reduce(bytes) { $0.replacing(Array($1.utf8), with: mark) })
        }
        return own.scrubbed(recording)
    }

    /// What the event's header fields say that is not kept: gone as well where the function repeats it.
    private func credentials(of recording: Recording) -> [String] {
        let events = [recording.event] + (recording.event.events ?? [])
        let headers = events.flatMap { $0.request?.headers ?? [] }
        let values = headers.filter { isNamed($0.name) }.map(\.value)
        let words =
            values + values.compactMap { $0.split(separator: " ", maxSplits: 1).last.map { String($0) } }
        return Set(words).filter { $0.utf8.count >= 6 && $0 != Scrubber.mark }
            .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    private func scrubbed(_ recording: Recording) -> Recording {
        var recording = recording
        recording.principal = recording.principal.map(clean)
        recording.event = clean(recording.event)
        recording.tape = recording.tape.map { step in
            var step = step
            step.request = step.request.map(clean)
            step.bytes = step.bytes.map(clean)
            step.error = step.error.map(clean)
            return step
        }
        recording.outcome.error = recording.outcome.error.map(clean)
        if var reply = recording.reply {
            reply.headers = reply.headers.map(clean)
            let isWhole = reply.count == reply.body.bytes.count
            let body = clean(reply.body)
            reply.body = body
            if isWhole { reply.replace(body.bytes) }
            recording.reply = reply
        }
        return recording
    }

    private func clean(_ event: RecordedEvent) -> RecordedEvent {
        var event = event
        if var request = event.request {
            request.headers = request.headers.map(clean)
            request.target = cleanTarget(request.target)
            for (name, value) in request.parameters {
                request.parameters[name] = isNamed(name) ? Scrubber.mark : clean(value)
            }
            event.request = request
        }
        event.body = clean(event.body)
        event.events = event.events?.map { clean($0) }
        return event
    }

    package func clean(_ call: RecordedCall) -> RecordedCall {
        var call = call
        call.arguments = clean(call.arguments)
        return call
    }

    private func isNamed(_ name: String) -> Bool { names.contains(name.lowercased()) }

    private func clean(_ header: RecordedHeader) -> RecordedHeader {
        RecordedHeader(Header(header.name, isNamed(header.name) ? Scrubber.mark : clean(header.value)))
    }

    private func clean(_ text: String) -> String {
        String(decoding: cleanBytes(Array(text.utf8)), as: UTF8.self)
    }

    private func clean(_ error: RecordedError) -> RecordedError {
        var error = error
        error.message = clean(error.message)
        return error
    }

    private func cleanTarget(_ target: String) -> String {
        guard let mark = target.firstIndex(of: "?") else { return clean(target) }
        let pairs = target[target.index(after: mark)...].split(
            separator: "&",
            omittingEmptySubsequences: false
        )
        let cleaned = pairs.map { pair -> String in
            let name = pair.prefix { $0 != "=" }
            return isNamed(percentDecoded(name)) ? "\(name)=\(Scrubber.mark)" : String(pair)
        }
        return clean(target[...mark] + cleaned.joined(separator: "&"))
    }

    private func clean(_ recorded: RecordedBytes) -> RecordedBytes {
        var bytes = cleanBytes(recorded.bytes.array)
        let folded = bytes.map { (65...90).contains($0) ? $0 | 32 : $0 }
        if names.contains(where: { folded.contains($0.utf8) }), let json = try? JSON.parse(Bytes(bytes)) {
            bytes = scrub(json).bytes().array
        }
        return RecordedBytes(Bytes(bytes))
    }

    private func scrub(_ json: JSON) -> JSON {
        switch json {
        case .array(let elements): .array(elements.map(scrub))
        case .object(var object):
            // A header field as bindings write it: its name is a member of its own.
            scrub(&object, isField: object["name"]?.stringValue.map(isNamed) ?? false)
        default: json
        }
    }

    private func scrub(_ object: inout JSONObject, isField: Bool) -> JSON {
        for key in object.keys {
            guard let value = object[key] else { continue }
            object[key] = isNamed(key) || (isField && key == "value") ? .string(Scrubber.mark) : scrub(value)
        }
        return .object(object)
    }
}
