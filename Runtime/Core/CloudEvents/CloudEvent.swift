/// An event as CloudEvents 1.0 defines it (https://cloudevents.io), whoever sent it.
///
/// `Event.cloudEvent()` reads one from a request in binary or structured mode, `Reply.cloudEvent(_:)` sends one.
public struct CloudEvent: Sendable, Hashable {
    /// The event's id; together with `source` it names the event for good.
    public var id: String
    /// Where it comes from, as a URI reference.
    public var source: String
    /// What has happened, such as `com.example.order.placed`.
    public var type: String
    /// What it is about, within the source.
    public var subject: String?
    /// When it happened.
    public var time: Instant?
    /// The schema of the data, as a URI.
    public var dataSchema: String?
    /// The media type of the data; JSON where an event has data and does not say.
    public var dataContentType: String?
    /// Further attributes; their names are small letters and digits.
    ///
    /// Numbers and truth values are in their text form.
    public var extensions: [String: String]
    /// What there is to say besides, by its media type.
    public var data: Bytes?

    /// An event of its attributes and data.
    public init(
        id: String,
        source: String,
        type: String,
        subject: String? = nil,
        time: Instant? = nil,
        dataSchema: String? = nil,
        dataContentType: String? = nil,
        extensions: [String: String] = [:],
        data: Bytes? = nil
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.dataSchema = dataSchema
        self.dataContentType = dataContentType
        self.extensions = extensions
        self.data = data
    }

    /// The version of the specification that is read and written.
    static let version = "1.0"

    /// An event of its attributes by their names in the specification, `datacontenttype` among them.
    init(attributes: [String: String], data: Bytes?) throws(FunctionError) {
        func required(_ name: String) throws(FunctionError) -> String {
            guard let value = attributes[name] else { throw CloudEvent.fault(name, "is required") }
            return value
        }
        for (name, value) in attributes {
            guard CloudEvent.isName(name) else {
                throw CloudEvent.fault(name, "must have a name of small letters and digits")
            }
            guard !value.isEmpty else { throw CloudEvent.fault(name, "must not be empty") }
        }
        let version = try required("specversion")
        guard version == CloudEvent.version else {
            throw CloudEvent.fault("specversion", "must be 1.0, not \(version)")
        }
        let time = attributes["time"].map { Instant(rfc3339: $0) }
        guard time != .some(nil) else {
            throw CloudEvent.fault("time", "must be a timestamp of RFC 3339, such as 2026-11-27T18:00:00Z")
        }
        self.init(
            id: try required("id"),
            source: try required("source"),
            type: try required("type"),
            subject: attributes["subject"],
            time: time ?? nil,
            dataSchema: attributes["dataschema"],
            dataContentType: attributes["datacontenttype"],
            extensions: attributes.filter { !CloudEvent.known.contains($0.key) },
            data: data
        )
    }

    /// The attributes by their names, without the data's media type.
    var attributes: [(name: String, value: String)] {
        let own: [(String, String?)] = [
            ("specversion", CloudEvent.version), ("id", id), ("source", source), ("type", type),
            ("subject", subject),
            ("time", time?.rfc3339), ("dataschema", dataSchema),
        ]
        let further = extensions.filter { !CloudEvent.known.contains($0.key) }.sorted { $0.key < $1.key }
        return own.compactMap { name, value in value.map { (name, $0) } } + further.map { ($0.key, $0.value) }
    }

    private static let known: Set<String> = [
        "specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype",
    ]

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
    }

    static func fault(_ attribute: String, _ rule: String) -> FunctionError {
        .badRequest("bad_cloudevent", "the attribute \(attribute) \(rule) (CloudEvents 1.0)")
    }

    /// Whether data of a media type are JSON; those without a type are.
    static func isJSON(_ type: String?) -> Bool {
        guard let type else { return true }
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence.hasSuffix("/json") || essence.hasSuffix("+json")
    }
}
