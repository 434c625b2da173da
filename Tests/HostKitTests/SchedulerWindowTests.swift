import FunctionCore
import HostKit
import Invocations
import Journal
import Scheduling
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SchedulerWindowTests {
    private let workspace = Workspace()
    private let folder = ProjectFolder(SchedulerStand.files, realCalendar: true)

    private func open() async throws -> HostJournal { try await HostJournal.open(directory: workspace.path) }

    @Test("trading and learning take turns over Thanksgiving, the half day and the weekend, never both")
    func turns() async throws {
        let journal = try await open()
        let held = Mutex(false)
        let recorder = Recorder(on: testLoop) { _ in held.withLock { $0 } ? nil : .ok }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T14:29:00Z"), recorder)
        var runs: [Recorder.Seen] = []
        try await stand.whileRunning {
            // Once the scheduler has seen the clock, the times after it count.
            _ = try await until("the first look") {
                try await journal.schedules.lastCommitted("market.trading")
            }
            while stand.clock.now < at("2026-11-30T21:30:00Z") {
                let next = await stand.scheduler.upcoming(2).upcoming
                // The last run of each window stays under way until its window has ended.
                held.withLock { $0 = next[0].window != next[1].window }
                let run = try await stand.step(to: next[0].instant)
                #expect(stand.tokens.isCurrent(run.invocation.function, run.invocation.fencingToken ?? 0))
                #expect(run.event?.window == run.invocation.function)
                runs.append(run)
                if !held.withLock({ $0 }) {
                    _ = try await until("its end") { await stand.scheduler.runsUnderWay == 0 ? true : nil }
                }
            }
        }
        #expect(recorder.overlaps == [])
        #expect(recorder.underWay == 0)
        let spans = runs.reduce(into: [[Recorder.Seen]]()) { spans, run in
            if spans.last?.last?.invocation.function == run.invocation.function {
                spans[spans.count - 1].append(run)
            } else {
                spans.append([run])
            }
        }
        #expect(
            spans.map { $0[0].invocation.function }.enumerated().allSatisfy { index, name in
                name == (index % 2 == 0 ? "trading" : "learning")
            }
        )
        let opens = ["2026-11-25T14:30:00Z", "2026-11-27T14:30:00Z", "2026-11-30T14:30:00Z"]
        let trading = spans.filter { $0[0].invocation.function == "trading" }
        #expect(trading.map { $0[0].nominal } == opens.map(at))
        // The half day ends at one o'clock in New York.
        #expect(trading[1].last?.nominal == at("2026-11-27T17:30:00Z"))
        #expect(trading[1][0].event?.until == at("2026-11-27T17:55:00Z"))
        let tokens = spans.map { Set($0.compactMap(\.invocation.fencingToken)) }
        #expect(tokens.allSatisfy { $0.count == 1 })
        let order = tokens.compactMap(\.first)
        #expect(zip(order, order.dropFirst()).allSatisfy { $0 < $1 })
        await journal.close()
    }

    @Test("the next window's run waits until what its predecessor's end cancelled is gone")
    func lingering() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { $0.function == "trading" ? nil : .ok }
        recorder.setLingers(true)
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T14:30:00Z"), recorder)
        try await stand.whileRunning {
            try await recorder.wait("the run of trading") { $0.count == 1 }
            let old = recorder.seen[0].invocation.fencingToken ?? 0
            stand.clock.set(at("2026-11-25T21:15:00Z"))
            try await recorder.wait("the cancelling") { $0[0].isCancelled }
            _ = try await until("learning's token") { await stand.stage("learning") == "open" ? true : nil }
            #expect(!stand.tokens.isCurrent("trading", old))
            #expect(recorder.seen.count == 1)
            recorder.end(0, CollectedReply(outcome: .workerLost("killed")))
            try await recorder.wait("the run of learning") { $0.count == 2 }
            #expect(recorder.overlaps == [])
        }
        await journal.close()
    }

    @Test("a window drains until its run has ended, and the token serves until then")
    func draining() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { _ in nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T20:30:00Z"), recorder)
        try await stand.whileRunning {
            let token = try await recorder.wait("the run") { $0.count == 1 }[0].invocation.fencingToken ?? 0
            stand.clock.set(at("2026-11-25T20:55:00Z"))
            _ = try await until("the drain") { await stand.stage("trading") == "draining" ? true : nil }
            #expect(stand.tokens.isCurrent("trading", token))
            // Nothing begins in a window that drains, by hand neither.
            let byHand = Invocation(function: "trading", event: Event())
            let refused = await stand.scheduler.invoke(byHand, rotation: "market", window: "trading")
            #expect(refused == nil)
            recorder.end(0)
            _ = try await until("the end") { await stand.stage("trading") == "closed" ? true : nil }
            #expect(!stand.tokens.isCurrent("trading", token))
            #expect(!recorder.seen[0].isCancelled)
        }
        await journal.close()
    }

    @Test("what has not drained at the hard stop is cancelled, and its token refused")
    func hardStop() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { _ in nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T20:30:00Z"), recorder)
        try await stand.whileRunning {
            let token = try await recorder.wait("the run") { $0.count == 1 }[0].invocation.fencingToken ?? 0
            stand.clock.set(at("2026-11-25T20:55:59Z"))
            _ = try await until("the drain") { await stand.stage("trading") == "draining" ? true : nil }
            #expect(!recorder.seen[0].isCancelled)
            stand.clock.set(at("2026-11-25T20:56:00Z"))
            // By the clock alone, before the scheduler has seen it.
            #expect(!stand.tokens.isCurrent("trading", token))
            try await recorder.wait("the cancelling") { $0[0].isCancelled }
        }
        await journal.close()
    }

    @Test("a run by hand is one of the window's runs: it has the token, and is cancelled with it")
    func byHand() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { $0.trigger == "schedule" ? .ok : nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T15:10:00Z"), recorder)
        try await stand.whileRunning {
            _ = try await until("the window") { () -> Bool? in
                let token = await stand.scheduler.windows().first { $0.window == "trading" }?.token
                return stand.tokens.isCurrent("trading", token ?? 0) ? true : nil
            }
            let invocation = Invocation(function: "trading", event: Event())
            async let reply = stand.scheduler.invoke(invocation, rotation: "market", window: "trading")
            let seen = try await recorder.wait("the run") {
                $0.contains { $0.invocation.trigger == "invoke" }
            }
            let token = seen.last?.invocation.fencingToken ?? 0
            #expect(stand.tokens.isCurrent("trading", token))
            stand.clock.set(at("2026-11-25T20:55:30Z"))
            _ = try await until("the drain") { await stand.stage("trading") == "draining" ? true : nil }
            stand.clock.set(at("2026-11-25T21:20:00Z"))
            guard case .cancelled? = await reply?.outcome else {
                Issue.record("the run by hand was not cancelled")
                return
            }
            try await recorder.wait("learning") { $0.last?.invocation.function == "learning" }
            #expect(recorder.overlaps == [])
        }
        await journal.close()
    }

    @Test("a new scheduler on the same journal fences the old token and grants a higher one")
    func restart() async throws {
        let journal = try await open()
        let clock = standing("2026-11-25T14:30:00Z")
        let recorder = Recorder(on: testLoop) { _ in nil }
        let first = SchedulerStand(folder, journal, clock, recorder)
        let old = try await first.whileRunning {
            try await recorder.wait("the first run") { $0.count == 1 }[0].invocation.fencingToken ?? 0
        }
        #expect(recorder.seen[0].isCancelled)
        await journal.close()
        let again = try await open()
        let second = SchedulerStand(folder, again, clock, recorder)
        try await second.whileRunning {
            let run = try await second.step(to: at("2026-11-25T15:30:00Z"))
            let token = run.invocation.fencingToken ?? 0
            #expect(token > old)
            #expect(second.tokens.isCurrent("trading", token))
            #expect(!second.tokens.isCurrent("trading", old))
            // The run that the restart cut short is not repeated.
            #expect(recorder.seen.count { $0.nominal == at("2026-11-25T14:30:00Z") } == 1)
        }
        await again.close()
    }

    @Test("a state that cannot be read keeps the windows closed, as tokens would begin anew")
    func unreadableState() async throws {
        let journal = try await open()
        let row = RotationRow(
            kind: "granted",
            window: "trading",
            token: 9,
            at: at("2026-11-25T14:30:00Z"),
            opens: at("2026-11-25T14:30:00Z"),
            hardStop: at("2026-11-25T20:56:00Z"),
            reason: nil
        )
        _ = try await journal.rotations.record("market", "9|of a later version", row)
        let recorder = Recorder(on: testLoop)
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T14:30:00Z"), recorder)
        try await stand.whileRunning {
            _ = try await until("the first look") {
                try await journal.schedules.lastCommitted("market.trading")
            }
            let stage = await stand.stage("trading")
            #expect(stage == "closed")
            #expect(recorder.seen.isEmpty)
        }
        await journal.close()
    }

    @Test("at its end a window is asked for a checkpoint, and what it leaves reaches the next window")
    func handover() async throws {
        let files = SchedulerStand.files.merging([
            "schedules/market.yaml": """
            rotation: market
            calendar: XNYS
            phases:
              trading:
                {function: trading, while: regular, every: 1h, arm: 5m, cutoff: 2m before close,
                hardStop: 15s before close, checkpoint: 20s}
              learning: {function: learning, while: closed, every: 6h, from: close+15m, until: open-30m}
            """
        ]) { _, new in new }
        let folder = ProjectFolder(files, realCalendar: true)
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { invocation in
            guard invocation.event.operation == "checkpoint" else { return .ok }
            var reply = CollectedReply.ok
            reply.body = #"{"positions": 3}"#
            return reply
        }
        let stand = SchedulerStand(folder, journal, standing("2026-11-27T14:20:00Z"), recorder)
        try await stand.whileRunning {
            _ = try await until("the first look") {
                try await journal.schedules.lastCommitted("market.trading")
            }
            stand.clock.set(at("2026-11-27T14:26:00Z"))
            _ = try await until("the arming") { await stand.stage("trading") == "arming" ? true : nil }
            #expect(stand.warmth.warm == ["trading"])
            _ = try await stand.step(to: at("2026-11-27T14:30:00Z"))
            // The half day's cutoff: what runs has ended, so the checkpoint follows at once.
            stand.clock.set(at("2026-11-27T17:58:00Z"))
            let seen = try await recorder.wait("the checkpoint") { seen in
                seen.contains { $0.invocation.event.operation == "checkpoint" }
            }
            let checkpoint = try #require(seen.last)
            #expect(checkpoint.invocation.function == "trading")
            #expect(checkpoint.event?.until == at("2026-11-27T17:59:45Z"))
            #expect(checkpoint.invocation.fencingToken == seen.first?.invocation.fencingToken)
            _ = try await until("the end") { await stand.stage("trading") == "closed" ? true : nil }
            #expect(stand.warmth.warm.isEmpty)
            #expect(stand.warmth.rests == ["trading"], "its workers may go")
            let learning = try await stand.step(to: at("2026-11-27T18:15:00Z"))
            #expect(learning.event?.handover == #"{"positions": 3}"#)
            var audit = RotationAudit(gap: .seconds(60))
            for row in try await journal.rotations.rows(of: "market") {
                audit.take(try #require(RotationEvent(row)))
            }
            #expect(audit.findings == [])
            #expect(audit.grants == 2)
        }
        await journal.close()
    }

    @Test("schedules that change leave an open window its token and its run; an early close cuts it off")
    func replaced() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { _ in nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T15:30:00Z"), recorder)
        try await stand.whileRunning {
            let run = try await recorder.wait("the run") { $0.count == 1 }[0]
            let token = try #require(run.invocation.fencingToken)
            let more = SchedulerStand.files.merging([
                "schedules/more.yaml": "schedule: more\nfunction: learning\nevery: 1h\n"
            ]) { _, new in new }
            stand.scheduler.replace(ProjectFolder(more, realCalendar: true).load().project)
            _ = try await until("the new schedule") {
                try await journal.schedules.lastCommitted("more")
            }
            #expect(stand.tokens.isCurrent("trading", token))
            #expect(!recorder.seen[0].isCancelled)
            let text = try #require(SchedulerStand.files["schedules/market.yaml"])
            let early = more.merging([
                "schedules/market.yaml": text.replacing("until: close-5m", with: "until: open+30m")
            ]) { _, new in new }
            stand.scheduler.replace(ProjectFolder(early, realCalendar: true).load().project)
            _ = try await until("the drain") { await stand.stage("trading") == "draining" ? true : nil }
            #expect(stand.tokens.isCurrent("trading", token), "what runs has its time to end")
            #expect(!recorder.seen[0].isCancelled)
            recorder.end(0)
            _ = try await until("the end") { await stand.stage("trading") == "closed" ? true : nil }
            #expect(!stand.tokens.isCurrent("trading", token))
        }
        await journal.close()
    }

    @Test("nothing begins once the scheduler has been stopped")
    func stopped() async throws {
        let journal = try await open()
        let recorder = Recorder(on: testLoop) { _ in nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T14:30:00Z"), recorder)
        try await stand.whileRunning { try await recorder.wait("the run") { $0.count == 1 } }
        #expect(recorder.underWay == 0)
        stand.clock.set(at("2026-11-25T15:30:00Z"))
        let late = await stand.scheduler.invoke(
            Invocation(function: "trading", event: Event()),
            rotation: "market",
            window: "trading"
        )
        #expect(late == nil)
        #expect(recorder.seen.count == 1)
        await journal.close()
    }
}
