import FunctionCore
import LambdaEvents
import LambdaRuntime
import Processes
import Testing

@Suite("Runtime machine", .timeLimit(.minutes(1)))
struct RuntimeMachineTests {
    /// A machine whose runtime waits for its first event by the client 1.
    private func serving() -> RuntimeMachine {
        var machine = RuntimeMachine()
        #expect(machine.asked(1) == [.ready])
        return machine
    }

    @Test("an invocation goes to the client that waits, and its reply ends it")
    func round() {
        var machine = serving()
        #expect(machine.invoked(7, request: "a") == [.hand(7, 1, again: false)])
        #expect(machine.responded(1, to: "a", asError: false, mode: nil) == [.take(7, 1, asError: false)])
        #expect(machine.sent(1) == [.complete(7), .answer(1, .accepted)])
        #expect(!machine.holds(7))
        #expect(machine.asked(1) == [])
        #expect(machine.invoked(8, request: "b") == [.hand(8, 1, again: false)])
        #expect(machine.responded(2, to: "b", asError: true, mode: nil) == [.take(8, 2, asError: true)])
        #expect(machine.sent(2) == [.complete(8), .answer(2, .accepted)])
    }

    @Test("who asks again while an invocation is in progress gets the same event, by any connection")
    func again() {
        var machine = serving()
        _ = machine.invoked(7, request: "a")
        #expect(machine.asked(1) == [.hand(7, 1, again: true)])
        #expect(machine.asked(2) == [.hand(7, 2, again: true)])
        // Of several at once each connection has its own.
        var many = RuntimeMachine(concurrency: 2)
        #expect(many.asked(1) == [.ready])
        #expect(many.invoked(7, request: "a") == [.hand(7, 1, again: false)])
        #expect(many.invoked(8, request: "b") == [])
        #expect(many.asked(2) == [.hand(8, 2, again: false)])
        #expect(many.asked(1) == [.hand(7, 1, again: true)])
    }

    @Test("what does not fit the runtime's state is refused as AWS does")
    func refusals() throws {
        var machine = serving()
        #expect(machine.responded(1, to: "x", asError: false, mode: nil) == [.answer(1, .invalidRequestID)])
        _ = machine.left(1)
        #expect(machine.invoked(7, request: "a") == [])
        let early = machine.responded(2, to: "a", asError: false, mode: nil)
        guard case .answer(2, let forbidden) = early.first else { return #expect(Bool(false), "\(early)") }
        #expect(forbidden.status == 403)
        let error = try JSON.parse(forbidden.body)
        #expect(error["errorType"]?.stringValue == "InvalidStateTransition")
        let words = "State transition from Ready to InvocationResponse failed for runtime."
        #expect(error["errorMessage"]?.stringValue == words + " Error: State transition is not allowed")
        #expect(machine.asked(1) == [.hand(7, 1, again: false)])
        #expect(
            machine.responded(1, to: "a", asError: false, mode: "buffered")
                == [.fail(7, .invalidResponseMode), .answer(1, .invalidResponseMode)]
        )
        let late = machine.beganInitError(2)
        guard case .answer(2, let refused) = late.first else { return #expect(Bool(false), "\(late)") }
        #expect(refused.status == 403)
        #expect(RuntimeAnswer.tooLarge.status == 413)
        #expect(RuntimeAnswer.tooLarge.body.text.contains("(6291556 bytes)"))
    }

    @Test("a reply that is too long or breaks off fails its invocation")
    func broken() {
        var machine = serving()
        _ = machine.invoked(7, request: "a")
        _ = machine.responded(1, to: "a", asError: false, mode: nil)
        #expect(machine.exceeded(1) == [.fail(7, .tooLarge), .answer(1, .tooLarge)])
        #expect(machine.sent(1) == [.answer(1, .invalidRequestID)])
        #expect(machine.asked(1) == [])
        _ = machine.invoked(8, request: "b")
        _ = machine.responded(1, to: "b", asError: false, mode: "streaming")
        #expect(machine.left(1) == [.fail(8, .truncated), .answer(1, .truncated)])
    }

    @Test("a start that fails is told to the first invocation, and the worker ends")
    func failedStart() {
        var reported = RuntimeMachine()
        let failure = RuntimeFailure("init_failed", told: "{}", header: "Runtime.No", contentType: nil)
        #expect(reported.beganInitError(1) == [.takeInitError(1)])
        #expect(reported.toldInitError(1, failure) == [.answer(1, .accepted), .startFailed(failure)])
        #expect(reported.exited(.exited(1), .exited("exit status 1")) == [])
        #expect(reported.invoked(7, request: "a") == [.fail(7, failure), .end(.exited(1))])
        var dead = RuntimeMachine()
        let end = dead.exited(.exited(0), .exited("exit status 0"))
        guard case .startFailed = end.first, end.count == 1 else { return #expect(Bool(false), "\(end)") }
        let actions = dead.invoked(7, request: "a")
        guard case .fail(7, let exit) = actions.first else { return #expect(Bool(false), "\(actions)") }
        #expect(exit.type == "Runtime.ExitError")
        #expect(exit.message == "RequestId: a Error: Runtime exited without providing a reason")
        #expect(actions.last == .end(.exited(0)))
        // One that nobody invoked leaves when it is asked.
        var idle = RuntimeMachine()
        _ = idle.exited(.signalled(9), .outOfMemory)
        #expect(idle.drained() == [.end(.signalled(9))])
    }

    @Test("a start that takes too long goes on in the first invocation's time")
    func slowStart() {
        var machine = RuntimeMachine()
        #expect(machine.initTimeEnded() == [.ready])
        #expect(machine.invoked(7, request: "a") == [])
        #expect(machine.asked(1) == [.hand(7, 1, again: false)])
        #expect(machine.initTimeEnded() == [])
    }

    @Test("what the pool took back stays out, and the client gets the next")
    func takenBack() {
        var machine = RuntimeMachine(concurrency: 4)
        #expect(machine.initTimeEnded() == [.ready])
        _ = machine.invoked(7, request: "a")
        _ = machine.invoked(8, request: "b")
        #expect(machine.asked(1) == [.hand(7, 1, again: false)])
        #expect(machine.takenBack(7, from: 1) == [.leaveOut(7), .hand(8, 1, again: false)])
    }

    @Test("a caller's leaving does not stop the runtime; a time limit makes its reply void")
    func cancelled() {
        var machine = serving()
        _ = machine.invoked(7, request: "a")
        #expect(machine.cancelled(7, isOverdue: false) == [])
        #expect(machine.cancelled(7, isOverdue: true) == [.leaveOut(7)])
        #expect(machine.responded(1, to: "a", asError: false, mode: nil) == [.answer(1, .invalidRequestID)])
    }
}
