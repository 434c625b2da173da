import Console
import FunctionCore
import HTTPTrigger
import Journal
import Scheduling
import WorkerPool

/// What the console shows of schedules, and what it may be told to do with them.
extension ConsoleRoutes {
    var scheduleRoutes: [EndpointRoute] {
        [
            page("/console/schedules") { _ in try await self.schedules().page },
            live("/console/live/schedules") { _ in try await self.schedules().parts },
            page("/console/schedules/{id}") { request in
                try await self.schedule(request).page(now: self.host.clock.now)
            },
            form("/console/schedule/pause/{id}") { request in
                try await self.host.scheduler.pause(self.entry(request).id, note: "by the console")
                return "/console/schedules?done=paused"
            },
            form("/console/schedule/resume/{id}") { request in
                try await self.host.scheduler.resume(self.entry(request).id)
                return "/console/schedules?done=resumed"
            },
            form("/console/schedule/trigger/{id}") { request in
                _ = try await self.host.scheduler.trigger(self.entry(request))
                return "/console/schedules?done=triggered"
            },
            form("/console/clock") { request in
                try self.setClock(request.fields)
                return "/console/schedules?done=clock"
            },
        ]
    }

    private func entry(_ request: EndpointRequest) throws -> ScheduleEntry {
        let id = request.parameters["id"] ?? ""
        guard let entry = host.project.book.entries.first(where: { $0.id == id }) else {
            throw FunctionError.notFound("There is no schedule \(id).")
        }
        return entry
    }

    private func setClock(_ fields: [String: String]) throws {
        guard host.clockMayBeSet else {
            throw FunctionError.conflict("real_clock", "This host runs on the real clock.")
        }
        if let text = fields["set"], !text.isEmpty {
            do throws(SchedulingError) {
                host.clock.set(try Instant(text: text) { name throws(SchedulingError) in try .load(name) })
            } catch {
                throw FunctionError.invalid("set", "instant", error.message)
            }
        }
        if let seconds = fields["advance"].flatMap({ Int64($0) }), (1...604_800).contains(seconds) {
            host.clock.advance(.seconds(seconds))
        }
        if let speed = fields["speed"].flatMap({ Double($0) }), (0...100_000).contains(speed) {
            host.clock.setSpeed(speed)
        }
    }

    // MARK: Looking

    private func schedules() async throws -> SchedulesView {
        let standings = await host.scheduler.standings(of: host.project.book.entries)
        return SchedulesView(
            chart: try await chart(),
            schedules: standings.map { ScheduleView($0) },
            isVirtual: host.clock.isVirtual,
            speed: host.clock.reading.speed,
            mayBeSet: host.clockMayBeSet
        )
    }

    private func schedule(_ request: EndpointRequest) async throws -> ScheduleView {
        let entry = try entry(request)
        var view = ScheduleView(await host.scheduler.standings(of: [entry])[0])
        view.times = try await host.stores.journal.schedules.entries(entry.id, limit: 50).map(\.consoleTime)
        view.policy = [
            ("when", entry.kind.text), ("limits", entry.limits.text), ("catch up", entry.policy.catchUp.text),
            ("overlap", entry.policy.overlap.rawValue),
        ].filter { !$0.1.isEmpty }
        return view
    }

    /// Two days back and four ahead.
    private func chart() async throws -> ScheduleChart {
        // From a full hour on: what is seen moves once an hour, not with every second.
        let now = host.clock.now
        let hour = Instant(seconds: now.seconds - now.seconds % 3600)
        let (from, to) = (hour - .seconds(2 * 86_400), hour + .seconds(4 * 86_400))
        let book = host.project.book
        var lanes: [ScheduleChart.Lane] = []
        for calendar in book.followedCalendars {
            lanes.append(ScheduleChart.Lane(name: calendar.name, spans: calendar.consoleSpans(from, to)))
        }
        for rotation in book.rotations.sorted(by: { $0.id < $1.id }) {
            lanes.append(ScheduleChart.Lane(name: rotation.id, spans: rotation.consoleSpans(from, to)))
        }
        let coming = await host.scheduler.upcoming(SchedulePlan.previewLimit, until: to).upcoming
        for entry in book.entries {
            var times = try await host.stores.journal.schedules.entries(entry.id, limit: 1000).filter {
                $0.decision.nominal >= from
            }.map(\.consoleTime)
            for run in coming where run.id == entry.id {
                times.append(ScheduleView.Time(nominal: run.instant, verdict: "ahead", sentence: ""))
            }
            lanes.append(ScheduleChart.Lane(name: entry.id, times: times))
        }
        return ScheduleChart(now: now, from: from, to: to, lanes: lanes)
    }
}

extension ScheduleBook {
    /// The calendars that a rotation or a schedule goes by, by name.
    fileprivate var followedCalendars: [MarketCalendar] {
        var found: [String: MarketCalendar] = [:]
        for rotation in rotations { found[rotation.calendar.name] = rotation.calendar }
        for entry in entries {
            if case .sessions(let schedule) = entry.kind { found[schedule.calendar.name] = schedule.calendar }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension ScheduleView {
    fileprivate init(_ standing: Scheduler.Standing) {
        let entry = standing.entry
        var isOfWindow = false
        if case .window = entry.kind { isOfWindow = true }
        self.init(
            id: entry.id,
            function: entry.function,
            when: entry.kind.text,
            next: standing.next,
            running: standing.running,
            waiting: standing.waiting,
            runs: standing.state.runs,
            failures: standing.state.failures,
            paused: standing.state.pause,
            isOfWindow: isOfWindow
        )
    }
}

extension ScheduleLedger.Entry {
    fileprivate var consoleTime: ScheduleView.Time {
        let verdict = end?.rawValue ?? (decision.verdict == .run ? "running" : decision.verdict.name)
        return ScheduleView.Time(nominal: decision.nominal, verdict: verdict, sentence: sentence, job: job)
    }
}

extension MarketCalendar {
    /// Sessions with their pauses, and the weekdays that have none.
    fileprivate func consoleSpans(_ from: Instant, _ to: Instant) -> [ScheduleChart.Span] {
        var spans: [ScheduleChart.Span] = []
        var date = zone.civilTime(at: from).date
        let last = zone.civilTime(at: to).date
        while date <= last {
            if let session = (try? session(on: date)) ?? nil {
                let title = "\(name) \(date): \(session.open.rfc3339) to \(session.close.rfc3339)"
                let aside = session.isEarlyClose ? ", early close" : session.isLateOpen ? ", late open" : ""
                spans.append(
                    ScheduleChart.Span(
                        from: session.open,
                        to: session.close,
                        look: "session",
                        title: title + aside
                    )
                )
                if let pause = session.pause {
                    spans.append(
                        ScheduleChart.Span(
                            from: pause.lowerBound,
                            to: pause.upperBound,
                            look: "pause",
                            title: "pause"
                        )
                    )
                }
            } else if (1...5).contains(date.weekday) {
                let midnight = zone.instant(of: CivilTime(seconds: date.daysSinceEpoch * 86_400))
                let next = zone.instant(of: CivilTime(seconds: (date.daysSinceEpoch + 1) * 86_400))
                spans.append(
                    ScheduleChart.Span(
                        from: midnight,
                        to: next,
                        look: "holiday",
                        title: "\(name) \(date): closed",
                        word: "closed"
                    )
                )
            }
            date = date.adding(days: 1)
        }
        return spans
    }
}

extension RotationPlan {
    /// Windows, and behind each what it has for draining and the hand-over.
    fileprivate func consoleSpans(_ from: Instant, _ to: Instant) -> [ScheduleChart.Span] {
        let names = windows.map(\.name)
        return spans.filter { $0.hardStop > from && $0.opens < to }.flatMap { span -> [ScheduleChart.Span] in
            let look = names.first == span.window ? "window" : "window alt"
            let title = "\(span.window): \(span.opens.rfc3339) to \(span.closes.rfc3339)"
            return [
                ScheduleChart.Span(
                    from: span.opens,
                    to: span.closes,
                    look: look,
                    title: title,
                    word: span.window
                ),
                ScheduleChart.Span(
                    from: span.closes,
                    to: span.hardStop,
                    look: "drain",
                    title:
                        "\(span.window): drains until \(span.ends.rfc3339), fenced at \(span.hardStop.rfc3339)"
                ),
            ]
        }
    }
}
