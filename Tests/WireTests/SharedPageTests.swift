import FunctionCore
import Glibc
import Synchronization
import Testing
import Wire

@Suite("shared page", .timeLimit(.minutes(1)))
struct SharedPageTests {
    /// Gives `body` a page of its own.
    private func withPage<Result>(_ body: (SharedPage) throws -> Result) rethrows -> Result {
        // SAFETY: the memory is `length` zeroed bytes and is freed after the last use of the page.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: SharedPage.length, alignment: 4096)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: SharedPage.length)
        defer { memory.deallocate() }
        return try body(SharedPage(memory))
    }

    private static let noon = Instant(nanoseconds: 1_800_000_000_000_000_000)

    @Test("a clock at rest stands still and one at the real speed runs with the monotonic clock")
    func speeds() {
        withPage { page in
            let start = Monotonic.now
            page.setClock(wall: SharedPageTests.noon, monotonic: start + .seconds(-100), speed: 0)
            #expect(page.now == SharedPageTests.noon)
            page.setClock(wall: SharedPageTests.noon, monotonic: start + .seconds(-100), speed: 1)
            let real = page.now.nanoseconds - SharedPageTests.noon.nanoseconds
            #expect((100_000_000_000...160_000_000_000).contains(real))
            page.setClock(wall: SharedPageTests.noon, monotonic: start + .seconds(-100), speed: 60)
            let fast = page.now.nanoseconds - SharedPageTests.noon.nanoseconds
            #expect((6_000_000_000_000...9_600_000_000_000).contains(fast))
        }
    }

    @Test("a speed beyond all measure stops no worker", arguments: [1e300, .infinity, -.infinity, .nan])
    func speedsBeyondMeasure(_ speed: Double) {
        withPage { page in
            page.setClock(wall: SharedPageTests.noon, monotonic: Monotonic.now + .seconds(-100), speed: speed)
            _ = page.now
        }
    }

    @Test("a reader never sees half of a change")
    func tornReads() {
        withPage { page in
            // All settings lie on one line: wall and monotonic moved by the same. Half of one and half of another is off
            // by an hour at least.
            let origin = Monotonic.now
            func set(_ hours: Int64) {
                page.setClock(
                    wall: Instant(nanoseconds: SharedPageTests.noon.nanoseconds + hours * 3_600_000_000_000),
                    monotonic: origin + .seconds(hours * 3600),
                    speed: 1
                )
            }
            set(0)
            let stop = Atomic<Bool>(false)
            withThread(
                {
                    var hours: Int64 = 0
                    while !stop.load(ordering: .relaxed) {
                        hours = (hours + 1) % 24
                        set(hours)
                    }
                },
                meanwhile: {
                    var torn = 0
                    for _ in 0..<300_000 {
                        let due = SharedPageTests.noon.nanoseconds + (Monotonic.now - origin).nanoseconds
                        if abs(page.now.nanoseconds - due) > 600_000_000_000 { torn += 1 }
                    }
                    stop.store(true, ordering: .relaxed)
                    #expect(torn == 0)
                }
            )
        }
    }

    @Test("a slot tells which invocation has begun, and only that one")
    func begun() {
        withPage { page in
            #expect(!page.hasBegun(slot: 0, id: 1))
            #expect(page.begin(slot: 0, id: 1))
            #expect(page.begin(slot: UInt16(SharedPage.slots - 1), id: 2))
            #expect(page.hasBegun(slot: 0, id: 1))
            #expect(!page.hasBegun(slot: 0, id: 2))
            #expect(!page.hasBegun(slot: 1, id: 1))
            #expect(page.hasBegun(slot: UInt16(SharedPage.slots - 1), id: 2))
            // Out of the page: nothing is written, and what cannot be known counts as begun.
            #expect(page.begin(slot: UInt16(SharedPage.slots), id: 3))
            #expect(page.begin(slot: .max, id: 3))
            #expect(page.hasBegun(slot: .max, id: 4))
            #expect(!page.takeBack(slot: .max))
            // The marks do not touch the clock.
            page.setClock(wall: SharedPageTests.noon, monotonic: .now, speed: 0)
            #expect(page.begin(slot: 1, id: .max - 1))
            #expect(page.now == SharedPageTests.noon)
        }
    }

    @Test(
        "what has begun is not taken back, and what was taken back does not begin, until the slot is cleared"
    )
    func takingBack() {
        withPage { page in
            #expect(page.begin(slot: 5, id: 1))
            #expect(!page.takeBack(slot: 5))
            page.clear(slot: 5)
            #expect(page.takeBack(slot: 5))
            #expect(!page.begin(slot: 5, id: 2))
            #expect(!page.hasBegun(slot: 5, id: 2))
            page.clear(slot: 5)
            #expect(page.begin(slot: 5, id: 3))
        }
    }

    @Test("of both sides that reach for a slot at once exactly one has it")
    func race() {
        withPage { page in
            let rounds: UInt16 = 500
            for slot in 0..<rounds { page.clear(slot: slot) }
            let begun = Atomic(0)
            var taken = 0
            withThread({
                for slot in 0..<rounds where page.begin(slot: slot, id: 1) {
                    begun.add(1, ordering: .relaxed)
                }
            }) {
                for slot in (0..<rounds).reversed() where page.takeBack(slot: slot) { taken += 1 }
            }
            #expect(begun.load(ordering: .relaxed) + taken == Int(rounds))
        }
    }
}

/// Runs one body on a thread of its own while the other runs here; returns when both have ended.
private func withThread(_ body: @escaping () -> Void, meanwhile: () -> Void) {
    final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    // SAFETY: the box is handed over exactly once, and the thread has ended before this returns.
    let box = Unmanaged.passRetained(Box(body))
    let error = pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument else { return nil }
            // SAFETY: the box retained above, taken exactly once.
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        },
        box.toOpaque()
    )
    precondition(error == 0, "the system allows no further thread")
    meanwhile()
    pthread_join(thread, nil)
}
