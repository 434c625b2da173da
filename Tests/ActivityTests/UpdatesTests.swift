import Activity
import FunctionCore
import Testing

@Suite("The feed of activity", .timeLimit(.minutes(1)))
struct UpdatesTests {
    @Test("a reader hears the kinds it asked for, in order")
    func kinds() async {
        let book = ActivityBook()
        let updates = book.updates([.invocation, .worker])
        book.add(line("not wanted", of: nil))
        book.add(entry("a"))
        book.tell(.build(["state": "idle"]))
        book.tell(
            .worker(ActivityWorker(time: Instant(seconds: 1), function: "echo", pid: 7, state: .ready))
        )
        book.add(entry("b"))
        var reader = updates.makeAsyncIterator()
        let names = await reader.next()?.map { $0.message.name }
        #expect(names == ["invocation", "worker", "invocation"])
    }

    @Test("a reader that is too slow loses what it has no room for, and is told how many")
    func slowReader() async throws {
        let book = ActivityBook()
        var slow = book.updates().makeAsyncIterator()
        for number in 0..<5000 { book.add(entry("i\(number)")) }
        let events = try #require(await slow.next())
        #expect(events.count == ActivityUpdates.pendingMax + 1)
        guard case .lost(let count) = events.last else { throw Unexpected(events.last) }
        #expect(count == 5000 - ActivityUpdates.pendingMax)
        // It hears on from there.
        book.add(entry("next"))
        guard case .invocation(let entry)? = await slow.next()?.first else { throw Unexpected(nil) }
        #expect(entry.id == "next")
    }

    @Test("a reader that has gone is told nothing any more")
    func gone() async {
        let book = ActivityBook()
        #expect(!book.isRead(.log))
        let updates = book.updates([.log])
        #expect(book.isRead(.log) && !book.isRead(.invocation))
        updates.end()
        #expect(!book.isRead(.log))
        let task = Task { for await _ in book.updates([.log]) {} }
        task.cancel()
        await task.value
        #expect(!book.isRead(.log))
    }

    private struct Unexpected: Error {
        let event: ActivityEvent?
        init(_ event: ActivityEvent?) { self.event = event }
    }
}
