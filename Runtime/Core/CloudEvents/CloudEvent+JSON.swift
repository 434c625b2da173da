/// Structured mode: the event is one JSON object.
extension CloudEvent {
    /// The event that a document is.
    /// - Throws: `FunctionError` 400 `bad_cloudevent`, naming the attribute.
    init(json: JSON) throws(FunctionError) {
        guard case .object(let object) = json else {
            throw .badRequest("bad_cloudevent", "an event in structured mode is a JSON object")
        }
        var attributes: [String: String] = [:]
        for (name, value) in object where name != "data" && name != "data_base64" {
            switch value {
            case .null: break
            case .string(let text): attributes[name] = text
            case .bool, .integer: attributes[name] = value.text
            case .number, .array, .object:
                throw CloudEvent.fault(name, "must be a string, a whole number or a truth value")
            }
        }
        let data = try CloudEvent.data(object, type: attributes["datacontenttype"])
        if data != nil, attributes["datacontenttype"] == nil {
            attributes["datacontenttype"] = "application/json"
        }
        try self.init(attributes: attributes, data: data)
    }

    private static func data(_ object: JSONObject, type: String?) throws(FunctionError) -> Bytes? {
        var plain = object["data"]
        if plain?.isNull == true { plain = Optional.none }
        guard let encoded = object["data_base64"], !encoded.isNull else {
            guard let plain else { return nil }
            if !isJSON(type), let text = plain.stringValue { return Bytes(text) }
            return plain.bytes()
        }
        guard plain == nil else { throw fault("data", "and data_base64 exclude each other") }
        guard let bytes = encoded.stringValue.flatMap({ Bytes(base64: $0) }) else {
            throw fault("data_base64", "must be a string of Base64")
        }
        return bytes
    }

    /// The event as a document.
    package var json: JSON {
        var object = JSONObject(attributes.map { ($0.name, .string($0.value)) })
        if let dataContentType { object["datacontenttype"] = .string(dataContentType) }
        guard let data else { return .object(object) }
        if CloudEvent.isJSON(dataContentType), let value = try? JSON.parse(data), !value.isNull {
            object["data"] = value
        } else if !CloudEvent.isJSON(dataContentType),
            let text = String(validating: data.array, as: UTF8.self)
        {
            object["data"] = .string(text)
        } else {
            object["data_base64"] = .string(data.base64)
        }
        return .object(object)
    }
}

extension Event {
    /// The CloudEvents that a request carries, in binary, structured or batched mode.
    ///
    /// The content type says which. An event that did not come by HTTP is read as one in structured mode.
    /// - Throws: `FunctionError` 400, naming the attribute and its rule; 415 for a format other than JSON.
    public func cloudEvents() throws -> [CloudEvent] {
        guard let request else { return [try CloudEvent(json: try document(of: body))] }
        let type = request.headers.first("content-type")?.lowercased() ?? ""
        guard type.hasPrefix("application/cloudevents") else {
            guard request.headers.contains(where: { sameName($0.name, "ce-specversion") }) else {
                throw FunctionError.badRequest(
                    "not_a_cloudevent",
                    "the request has neither a content type application/cloudevents… nor the field ce-specversion"
                )
            }
            return [try CloudEvent(headers: request.headers, body: body)]
        }
        let format = type.prefix { $0 != ";" && $0 != " " }
        let isBatch = format.hasPrefix("application/cloudevents-batch")
        guard format == "application/cloudevents+json" || format == "application/cloudevents-batch+json"
        else {
            throw FunctionError(
                status: 415,
                code: "unsupported_event_format",
                message:
                    "events are read in JSON: application/cloudevents+json, application/cloudevents-batch+json",
                retry: .never
            )
        }
        guard isBatch else { return [try CloudEvent(json: try document(of: body))] }
        guard let list = try document(of: body).arrayValue else {
            throw FunctionError.badRequest("bad_cloudevent", "a batch of events is a JSON array")
        }
        return try list.map { try CloudEvent(json: $0) }
    }

    /// The one CloudEvent that a request carries.
    /// - Throws: `FunctionError` 400, naming the attribute and its rule, also for a batch of another number.
    public func cloudEvent() throws -> CloudEvent {
        let events = try cloudEvents()
        guard events.count == 1 else {
            throw FunctionError.badRequest(
                "bad_cloudevent",
                "one event is taken here, not a batch of \(events.count)"
            )
        }
        return events[0]
    }

    private func document(of body: Bytes) throws -> JSON {
        do {
            return try JSON.parse(body)
        } catch {
            throw FunctionError.badRequest("bad_json", "the body is not JSON: \(error)")
        }
    }
}

extension Reply {
    /// A reply that is an event: in binary mode, or with `structured` as one JSON object.
    public static func cloudEvent(_ event: CloudEvent, status: Int = 200, structured: Bool = false) -> Reply {
        guard structured else {
            return Reply(status: status, headers: event.headers, body: event.data ?? Bytes())
        }
        let type = Header("content-type", "application/cloudevents+json; charset=utf-8")
        return Reply(status: status, headers: [type], body: event.json.bytes())
    }
}
