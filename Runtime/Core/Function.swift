/// A stateless entry point: made once a worker, before the worker says that it is ready; then handles events.
///
/// A function conforms to one of the four shapes below, and its `function.yaml` says by what it is triggered.
public protocol Function: Sendable {
    /// Makes the handler. Work done here is start-up time; there is no invocation and no binding yet.
    init() throws
}

/// A function that answers without waiting for anything: the shortest path there is.
public protocol SynchronousFunction: Function {
    /// Answers one event. Runs on the thread that reads the worker's channel, so it must not block.
    func handle(_ event: Event, _ context: Context) throws -> Reply
}

/// A function that may wait: for bindings, above all.
public protocol AsyncFunction: Function {
    /// Answers one event. Runs in a task of its own, which is cancelled when the invocation is.
    func handle(_ event: Event, _ context: Context) async throws -> Reply
}

/// A function that takes several events at once.
///
/// Such as texts of which one request to a model makes as many vectors. `batch:` in its `function.yaml` says how many, and how long the first may wait for the others.
public protocol BatchFunction: Function {
    /// Answers events of any trigger, the one that came first in front.
    ///
    /// Gives one result for each, in their order; an error is that event's alone, and a throw that of all. The
    /// events have one principal, and share the invocation's id, deadline and bindings. Runs in a task of its
    /// own, which is cancelled when nobody waits for any of the answers.
    func handle(_ events: [Event], _ context: Context) async throws -> [Result<Reply, FunctionError>]
}

/// A function that answers piece by piece.
public protocol StreamingFunction: Function {
    /// Answers one event through `reply`. The reply ends when the call returns.
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws
}

/// A function from one type to another; the JSON is seen to.
///
/// Of a CloudEvent the input is the data; `Context.cloudEvent` has the attributes.
public protocol TypedFunction: Function {
    /// What the event's object is decoded as; a mismatch is answered with 422 and never reaches the function.
    associatedtype Input: Decodable & Sendable
    /// What the reply's JSON is encoded from.
    associatedtype Output: Encodable & Sendable
    /// Answers one input.
    func handle(_ input: Input, _ context: Context) async throws -> Output
}

/// A function from one type to another that answers without waiting for anything.
public protocol SynchronousTypedFunction: Function {
    /// What the event's object is decoded as; a mismatch is answered with 422 and never reaches the function.
    associatedtype Input: Decodable
    /// What the reply's JSON is encoded from.
    associatedtype Output: Encodable
    /// Answers one input. Runs on the thread that reads the worker's channel, so it must not block.
    func handle(_ input: Input, _ context: Context) throws -> Output
}

/// The shape to which all functions reduce.
public enum Handler: Sendable {
    /// Runs on the reader thread.
    case synchronous(@Sendable (Event, Context) throws -> Reply)
    /// Runs in a task and returns its reply whole.
    case async(@Sendable (Event, Context) async throws -> Reply)
    /// Runs in a task and returns a result for each event.
    case batch(@Sendable ([Event], Context) async throws -> [Result<Reply, FunctionError>])
    /// Runs in a task and writes its reply piece by piece.
    case streaming(@Sendable (Event, Context, ReplyStream) async throws -> Void)
}

/// A function's place in a bundle: its name and how to make its handler.
public struct FunctionEntry: Sendable {
    /// The name in lower case with dashes, as in `function.yaml`.
    public let name: String
    /// Makes the handler; runs once a worker.
    public let make: @Sendable () throws -> Handler

    /// A function that answers at once.
    public init<F: SynchronousFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .synchronous { event, context in try function.handle(event, context) }
        }
    }

    /// A function that may wait.
    public init<F: AsyncFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .async { event, context in try await function.handle(event, context) }
        }
    }

    /// A function that takes several events at once.
    public init<F: BatchFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .batch { events, context in try await function.handle(events, context) }
        }
    }

    /// A function that answers piece by piece.
    public init<F: StreamingFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .streaming { event, context, reply in try await function.handle(event, context, reply) }
        }
    }

    /// A function from one type to another.
    public init<F: TypedFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .async { event, context in
                let (input, context): (F.Input, Context) = try event.typed(context)
                return try .encoding(try await function.handle(input, context))
            }
        }
    }

    /// A function from one type to another that answers at once.
    public init<F: SynchronousTypedFunction>(_ name: String, _ type: F.Type) {
        self.name = name
        self.make = {
            let function = try F()
            return .synchronous { event, context in
                let (input, context): (F.Input, Context) = try event.typed(context)
                return try .encoding(try function.handle(input, context))
            }
        }
    }
}
