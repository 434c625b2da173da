/// All that a function can reach beyond its event.
///
/// Each is a call to a service of the host, which holds the keys and the handles; what `bindings:` in the
/// manifest does not grant throws `binding_not_granted`.
public struct Bindings: Sendable {
    private let caller: any BindingCaller

    /// Bindings over a carrier; made by the worker, and by tests.
    public init(_ caller: any BindingCaller) {
        self.caller = caller
    }

    /// Language models.
    public var text: TextBinding { TextBinding(caller: caller) }
    /// Image models.
    public var images: ImagesBinding { ImagesBinding(caller: caller) }
    /// Speech synthesis.
    public var speech: SpeechBinding { SpeechBinding(caller: caller) }
    /// Video rendering.
    public var render: RenderBinding { RenderBinding(caller: caller) }
    /// A user's records, in the user's shard.
    public var users: UsersBinding { UsersBinding(caller: caller) }
    /// Documents shared by all users.
    public var documents: DocumentsBinding { DocumentsBinding(caller: caller) }
    /// Files.
    public var blobs: BlobsBinding { BlobsBinding(caller: caller) }
    /// Small shared state in Redis.
    public var state: StateBinding { StateBinding(caller: caller) }
    /// Prices.
    public var marketData: MarketDataBinding { MarketDataBinding(caller: caller) }
    /// Orders; granted to the trading function alone.
    public var broker: BrokerBinding { BrokerBinding(caller: caller) }
    /// The function's WebSocket clients.
    public var connections: ConnectionsBinding { ConnectionsBinding(caller: caller) }
    /// Outbound HTTP.
    public var fetch: FetchBinding { FetchBinding(caller: caller) }

    /// Says that something happened.
    ///
    /// The event is in the host's outbox when the call returns, and is relayed to the Redis stream
    /// `events:<type>` at least once. To say it together with a change of user data, use `users.write`.
    public func emit(_ event: OutgoingEvent) async throws {
        let _: Nothing = try await caller.value("emit", "emit", event)
    }

    /// Tells the invocation's job how far it is.
    ///
    /// Percent never falls; a lower one counts as the one before.
    public func progress(stage: String, percent: Int) async throws {
        let _: Nothing = try await caller.value(
            "progress",
            "set",
            ProgressReport(stage: stage, percent: percent)
        )
    }

    /// Invokes another function and waits for its reply's body.
    /// - Throws: what that function failed with; `depth_exceeded` 16 calls down.
    public func invoke(_ function: String, _ input: JSON) async throws -> JSON {
        try await caller.value("invoke", "invoke", InvokeRequest(function: function, input: input))
    }
}

/// Something that happened, to be told to whoever listens.
public struct OutgoingEvent: Sendable, Codable {
    /// What happened, in dotted words: `questionnaire.submitted`.
    public var type: String
    /// What there is to know about it.
    public var data: JSON
    /// The event's id; the same id is relayed as one event however often it is said.
    ///
    /// Made up where it is nil.
    public var id: String?

    /// An event.
    public init(type: String, data: JSON, id: String? = nil) {
        self.type = type
        self.data = data
        self.id = id
    }
}

/// The argument of `progress.set`.
public struct ProgressReport: Sendable, Codable {
    /// The stage that has begun.
    public var stage: String
    /// How much of the whole is done, 0 to 100.
    public var percent: Int

    /// A report.
    public init(stage: String, percent: Int) {
        self.stage = stage
        self.percent = percent
    }
}

/// The argument of `invoke.invoke`.
public struct InvokeRequest: Sendable, Codable {
    /// The function's name.
    public var function: String
    /// Its event's object.
    public var input: JSON

    /// A request.
    public init(function: String, input: JSON) {
        self.function = function
        self.input = input
    }
}
