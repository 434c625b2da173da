import FunctionCore
import Storage
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct UsersTests {
    private let workspace = Workspace()
    private let clock = HandClock()

    private func withUsers(
        openLimit: Int = 64,
        _ body: (UsersBinding, ShardMap) async throws -> Void
    ) async throws {
        let shards = try await ShardMap.open(directory: workspace.path, openLimit: openLimit)
        let caller = DirectCaller(service: UsersService(shards, clock: clock))
        try await body(Bindings(caller).users, shards)
        await shards.close()
    }

    @Test(
        "a thousand users share a shard, and the first user is 1",
        arguments: [(1, 1), (1000, 1), (1001, 2), (2000, 2), (1_000_000, 1000), (12_345_678, 12_346)]
    )
    func places(_ user: Int, _ shard: Int) throws {
        #expect(try ShardPlace(user: user).number == shard)
        #expect(try ShardPlace(user: 1001).file == "shard-0002.sqlite")
    }

    @Test("a user below 1 is refused with field, rule and remedy", arguments: [0, -5])
    func nobody(_ user: Int) async throws {
        try await withUsers { users, shards in
            let error = await fault { _ = try await users.get(user, "a", "b") }
            #expect(error?.status == 422)
            #expect(error?.faults.first?.path == "user")
            #expect(error?.faults.first?.rule == "range")
            #expect(throws: FunctionError.self) { try shards.locate(user) }
        }
        #expect(try names(in: workspace.path + "/users").isEmpty)
    }

    @Test("records are stored in the user's shard, with versions and times, and listed by their last change")
    func records() async throws {
        try await withUsers { users, shards in
            let first = try await users.write(1500, [.put(collection: "answers", id: "a", value: ["n": 1])])
            #expect(first.committed && first.records.first?.version == 1)
            clock.set(at(5))
            _ = try await users.write(
                1500,
                [
                    .put(collection: "answers", id: "b", value: 2),
                    .put(collection: "answers", id: "a", value: ["n": 3]),
                    .put(collection: "scripts", id: "a", value: 4),
                    .delete(collection: "answers", id: "none"),
                ]
            )
            let record = try await users.get(1500, "answers", "a")
            #expect(record?.version == 2)
            #expect(record?.value == ["n": 3])
            #expect(record?.created == at(0) && record?.updated == at(5))
            #expect(try await users.list(1500, "answers").map(\.id) == ["a", "b"])
            #expect(try await users.list(1500, "answers", limit: 1).map(\.id) == ["a"])
            #expect(try await users.get(1501, "answers", "a")?.version == nil)
            _ = try await users.write(1500, [.delete(collection: "answers", id: "a")])
            #expect(try await users.get(1500, "answers", "a")?.version == nil)
            #expect(try shards.locate(1500).hasSuffix("users/shard-0002.sqlite"))
        }
        let files = try names(in: workspace.path + "/users")
        #expect(files == ["shard-0002.sqlite"])
    }

    @Test("who only looks sees the users that have records, by number, and makes no file")
    func looking() async throws {
        try await withUsers { users, shards in
            #expect(try await shards.users(limit: 9).isEmpty)
            for (user, count) in [(2500, 1), (7, 2), (9, 1)] {
                let writes = (0..<count).map { UserWrite.put(collection: "a", id: "\($0)", value: 1) }
                _ = try await users.write(user, writes)
            }
            let found = try await shards.users(limit: 9)
            #expect(found.map(\.user) == [7, 9, 2500] && found.map(\.count) == [2, 1, 1])
            #expect(try await shards.users(limit: 2).map(\.user) == [7, 9])
            #expect(try await shards.collections(of: 4000).isEmpty)
        }
        #expect(try names(in: workspace.path + "/users") == ["shard-0001.sqlite", "shard-0003.sqlite"])
    }

    @Test("a create that meets a record commits nothing and gives back what is there")
    func create() async throws {
        try await withUsers { users, shards in
            _ = try await users.write(7, [.put(collection: "videos", id: "v", value: "first")])
            let result = try await users.write(
                7,
                [
                    .put(collection: "videos", id: "other", value: 1),
                    .emit(OutgoingEvent(type: "video.made", data: nil)),
                    .create(collection: "videos", id: "v", value: "second"),
                ]
            )
            #expect(!result.committed)
            #expect(result.records.map(\.value) == ["first"])
            #expect(try await users.get(7, "videos", "other")?.version == nil)
            #expect(try await ShardOutbox(shards).pending(limit: 9).isEmpty)
        }
    }

    @Test("of 50 concurrent creates of one record, one is committed and all see it")
    func concurrentCreates() async throws {
        try await withUsers { users, shards in
            let results = try await withThrowingTaskGroup(of: UserWriteResult.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        try await users.write(
                            42,
                            [
                                .create(collection: "answers", id: "one", value: .integer(Int64(number))),
                                .emit(OutgoingEvent(type: "questionnaire.submitted", data: ["user": 42])),
                            ]
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter(\.committed).count == 1)
            #expect(Set(results.flatMap(\.records).map(\.value)).count == 1)
            #expect(results.allSatisfy { $0.records.count == 1 })
            #expect(try await ShardOutbox(shards).pending(limit: 9).count == 1)
        }
    }

    @Test("what a transaction says waits in its shard until it is relayed, across a restart")
    func outbox() async throws {
        try await withUsers { users, shards in
            var wakes = shards.outboxAppended.wakes().makeAsyncIterator()
            for user in [5, 5, 2500] {
                let event = OutgoingEvent(
                    type: "script.made",
                    data: ["user": .integer(Int64(user))],
                    id: "e\(user)"
                )
                _ = try await users.write(user, [.put(collection: "s", id: "1", value: nil), .emit(event)])
            }
            #expect(await wakes.next() != nil)
        }
        try await withUsers { _, shards in
            let outbox = ShardOutbox(shards)
            let rows = try await outbox.pending(limit: 10)
            #expect(rows.map(\.event.id) == ["e5", "e2500"])
            #expect(rows.map(\.shard.number) == [1, 3])
            #expect(rows.first?.event.source == "questionnaire")
            #expect(
                rows.first?.event.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            )
            #expect(try await outbox.pending(limit: 1).map(\.event.id) == ["e5"])
            try await outbox.markRelayed([rows[0]], now: at(9))
            #expect(try await outbox.pending(limit: 10).map(\.event.id) == ["e2500"])
            try await outbox.markRelayed(rows, now: at(9))
            #expect(try await outbox.pending(limit: 10).isEmpty)
            #expect(try await outbox.pending(limit: 10).isEmpty)
        }
    }

    @Test("every fault of a transaction is named with its step")
    func faults() async throws {
        try await withUsers { users, _ in
            let large = JSON.string(String(repeating: "x", count: 1024 * 1024))
            let error = await fault {
                _ = try await users.write(
                    1,
                    [
                        .put(collection: "", id: "a/b", value: 1),
                        .create(collection: "a", id: "b", value: large),
                        .emit(OutgoingEvent(type: "no good", data: nil)),
                    ]
                )
            }
            #expect(
                error?.faults.map { "\($0.path) \($0.rule)" } == [
                    "writes[0].collection length", "writes[0].id characters", "writes[1].value size",
                    "writes[2].type characters",
                ]
            )
            #expect(await fault { _ = try await users.write(1, []) }?.faults.first?.path == "writes")
            #expect(
                await fault { _ = try await users.list(1, "a", limit: 1001) }?.faults.first?.path == "limit"
            )
        }
    }

    @Test("no more than the limit of shards stays open, and a closed one opens again with its records")
    func openFiles() async throws {
        try await withUsers(openLimit: 3) { users, shards in
            for shard in 0..<8 {
                _ = try await users.write(
                    shard * 1000 + 1,
                    [.put(collection: "c", id: "i", value: .integer(Int64(shard)))]
                )
                #expect(await shards.openCount <= 3)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<40 {
                    group.addTask {
                        let shard = round % 8
                        let record = try await users.get(shard * 1000 + 1, "c", "i")
                        #expect(record?.value.intValue == shard)
                        _ = try await users.write(
                            shard * 1000 + 2,
                            [.put(collection: "c", id: "\(round)", value: 1)]
                        )
                    }
                }
                try await group.waitForAll()
            }
            #expect(await shards.openCount <= 3)
        }
    }

    @Test("a shard of a later version fails its users only, with 503")
    func newer() async throws {
        try await withUsers { users, _ in
            _ = try await users.write(1, [.put(collection: "c", id: "i", value: 1)])
        }
        let steps = Array(repeating: "SELECT 1", count: 9)
        let later = Schema(name: "user shard", applicationID: 0x5377_5501, steps: steps)
        await (try await SQLiteFile.open(workspace.path + "/users/shard-0001.sqlite", schema: later)).close()
        try await withUsers { users, _ in
            #expect(await fault { _ = try await users.get(1, "c", "i") }?.code == "storage_failed")
            #expect(await fault { _ = try await users.get(1, "c", "i") }?.status == 503)
            let other = try await users.get(1001, "c", "i")
            #expect(other?.version == nil)
        }
    }
}
