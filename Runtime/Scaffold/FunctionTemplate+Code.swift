// `%N` stands for the function's name, `%M` for its module, `%T` for its type.

extension FunctionTemplate {
    static let httpCode = """
        import FunctionCore

        /// Greets by name.
        public struct %T: TypedFunction {
            /// What it is asked.
            public struct Input: Decodable, Sendable {
                var name: String
            }

            /// What it answers.
            public struct Output: Encodable, Sendable {
                var greeting: String
            }

            /// Nothing is kept between events.
            public init() {}

            /// Answers one input.
            public func handle(_ input: Input, _ context: Context) async throws -> Output {
                guard input.name.count <= 40 else {
                    throw FunctionError.invalid("name", "length", "name must have at most 40 characters")
                }
                return Output(greeting: "Good day, \\(input.name)!")
            }
        }
        """

    static let redisCode = """
        import FunctionCore

        /// Counts the names that come by the stream.
        public struct %T: AsyncFunction {
            /// Nothing is kept between events.
            public init() {}

            /// Answers one batch of entries.
            public func handle(_ event: Event, _ context: Context) async throws -> Reply {
                let batch = try event.decode(RedisEvent.self)
                var failures: [(id: String, error: FunctionError)] = []
                for entry in batch.entries {
                    guard let name = entry.data["name"]?.stringValue else {
                        failures.append((entry.id, .deadLetter("no_name", "an entry must have a name")))
                        continue
                    }
                    // An entry may come again: what is noted under its own id counts once.
                    let isNew = try await context.bindings.state.replace(
                        "%N:entry:\\(entry.id)",
                        expected: nil,
                        with: name
                    )
                    if isNew { _ = try await context.bindings.state.increment("%N:count:\\(name)") }
                }
                guard failures.isEmpty else { return .failing(failures) }
                return .json(["counted": .integer(Int64(batch.entries.count))])
            }
        }
        """

    static let scheduleCode = """
        import FunctionCore

        /// Notes when it was due.
        public struct %T: TypedFunction {
            /// A firing of the schedule.
            public typealias Input = ScheduledEvent

            /// What it answers.
            public struct Output: Encodable, Sendable {
                var due: String
            }

            /// Nothing is kept between events.
            public init() {}

            /// Answers one firing.
            public func handle(_ input: ScheduledEvent, _ context: Context) async throws -> Output {
                let due = input.nominal.rfc3339
                context.log.info("due", ["at": due])
                try await context.bindings.state.set("%N:last", due)
                return Output(due: due)
            }
        }
        """

    static let streamCode = """
        import FunctionCore

        /// Counts to a number, an event each.
        public struct %T: StreamingFunction {
            struct Input: Decodable {
                var to: Int
            }

            /// Nothing is kept between events.
            public init() {}

            /// Answers one request.
            public func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
                let input = try event.decode(Input.self)
                guard (1...1000).contains(input.to) else {
                    throw FunctionError.invalid("to", "range", "to must be from 1 to 1000")
                }
                try reply.start(headers: [.eventStream])
                for number in 1...input.to {
                    // Waits while the client does not read, and throws when it has gone.
                    try await reply.event("\\(number)", id: "\\(number)")
                }
            }
        }
        """

    static let httpTest = """
        import FunctionCore
        import FunctionTesting
        import Testing

        @testable import %M

        @Suite(.timeLimit(.minutes(1)))
        struct %MTests {
            @Test("it greets by name")
            func greets() async throws {
                let function = try FunctionTest(FunctionEntry("%N", %T.self))
                let event = Event.http("GET", "/v1/%N/Ada", parameters: ["name": "Ada"])
                let reply = try await function.invoke(event)
                #expect(try reply.json() == ["greeting": "Good day, Ada!"])
            }

            @Test("a name that is too long is refused")
            func refuses() async throws {
                let function = try FunctionTest(FunctionEntry("%N", %T.self))
                let name = JSON.string(String(repeating: "a", count: 41))
                let error = await #expect(throws: FunctionError.self) {
                    try await function.invoke(["name": name])
                }
                #expect(error?.status == 422)
            }
        }
        """

    static let redisTest = """
        import FunctionCore
        import FunctionTesting
        import Testing

        @testable import %M

        @Suite(.timeLimit(.minutes(1)))
        struct %MTests {
            @Test("names are counted, an entry that comes again is not, and one without a name fails alone")
            func counts() async throws {
                let entry = FunctionEntry("%N", %T.self)
                let function = try FunctionTest(entry, grants: ["state"])
                let entries: [JSON] = [["name": "Ada"], ["name": "Ada"], ["nobody": true]]
                for _ in 0..<2 {
                    let reply = try await function.invoke(.redis("%N", entries))
                    #expect(try reply.json()["failed"]?.arrayValue?.count == 1)
                }
                #expect(function.world.string("%N:count:Ada") == "2")
            }
        }
        """

    static let scheduleTest = """
        import FunctionCore
        import FunctionTesting
        import Testing

        @testable import %M

        @Suite(.timeLimit(.minutes(1)))
        struct %MTests {
            @Test("it notes when it was due")
            func notes() async throws {
                let entry = FunctionEntry("%N", %T.self)
                let function = try FunctionTest(entry, grants: ["state"])
                let firing = ScheduledEvent(schedule: "%N", nominal: function.world.now)
                try await function.invoke(.schedule(firing))
                #expect(function.world.string("%N:last") == function.world.now.rfc3339)
            }
        }
        """

    static let streamTest = """
        import FunctionCore
        import FunctionTesting
        import Testing

        @testable import %M

        @Suite(.timeLimit(.minutes(1)))
        struct %MTests {
            @Test("it counts, an event each")
            func counts() async throws {
                let function = try FunctionTest(FunctionEntry("%N", %T.self))
                #expect(try await function.invoke(["to": 3]).events == ["1", "2", "3"])
            }

            @Test("a client that leaves ends it")
            func leaves() async throws {
                let function = try FunctionTest(FunctionEntry("%N", %T.self))
                let reply = try await function.invoke(.plain(["to": 1000]), leavesAfter: 2)
                #expect(reply.events == ["1", "2"])
            }
        }
        """
}
