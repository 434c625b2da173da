import FunctionCore
import Invocations
import NIOCore
import WorkerPool

/// Runs the same invocation again and again, the next when the last has ended. All of it on one loop.
// SAFETY: touched on `eventLoop` only.
final class Lane: ReplySink, @unchecked Sendable {
    /// What the lanes have still to do together, and what is to happen when that is done.
    // SAFETY: touched on the lanes' loop only.
    final class Course: @unchecked Sendable {
        var toBegin: Int
        var toEnd: Int
        let done: EventLoopPromise<Void>

        init(_ count: Int, _ done: EventLoopPromise<Void>) {
            toBegin = count
            toEnd = count
            self.done = done
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let eventLoop: any EventLoop
    private let pool: FunctionPool
    private let invocation: Invocation
    private let course: Course
    private var dispatched: (any Dispatched)?
    private var received = 0

    init(_ pool: FunctionPool, _ invocation: Invocation, _ course: Course) {
        eventLoop = pool.loop
        self.pool = pool
        self.invocation = invocation
        self.course = course
    }

    func go() {
        guard course.toBegin > 0 else { return }
        course.toBegin -= 1
        received = 0
        dispatched = pool.dispatch(invocation, to: self)
    }

    func head(status: Int, headers: [Header]) {}

    func chunk(_ bytes: ByteBuffer) {
        received += bytes.readableBytes
        dispatched?.grant(bytes.readableBytes)
    }

    func end(_ outcome: Outcome) {
        guard case .replied(200) = outcome, received == invocation.event.body.count else {
            return course.done.fail(Failure(description: "an echo of \(received) bytes ended as \(outcome)"))
        }
        course.toEnd -= 1
        if course.toEnd == 0 { course.done.succeed() } else { go() }
    }
}
