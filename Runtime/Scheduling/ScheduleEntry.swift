import FunctionCore

/// One schedule: which function is invoked, when, and what happens to runs that are missed or overlap.
package struct ScheduleEntry: Sendable, Hashable {
    /// When it is due.
    package indirect enum Kind: Sendable, Hashable {
        /// By the wall clock of a zone.
        case cron(CronExpression, zone: TimeZoneRules)
        /// By elapsed time.
        case every(EverySchedule)
        /// Once.
        case at(Instant)
        /// By the sessions of a market.
        case sessions(SessionSchedule)
        /// At the opening of a window and then in this interval while it is open; without an interval only
        /// once.
        case window(rotation: String, window: String, every: Duration?)
    }

    package let id: String
    package let function: String
    package let kind: Kind
    package let limits: ScheduleLimits
    package let policy: SchedulePolicy
    /// What tells one definition of its times from another.
    package let revision: UInt64

    package init(
        id: String,
        function: String,
        kind: Kind,
        limits: ScheduleLimits = ScheduleLimits(),
        policy: SchedulePolicy = SchedulePolicy()
    ) {
        self.id = id
        self.function = function
        self.kind = kind
        self.limits = limits
        self.policy = policy
        revision = StableHash.of("\(function)|\(kind.text)|\(limits.text)")
    }

    /// With the usual limits; the two policies that most entries name.
    package init(
        id: String,
        function: String,
        kind: Kind,
        catchUp: SchedulePolicy.CatchUp,
        overlap: SchedulePolicy.Overlap = .skip
    ) {
        self.init(
            id: id,
            function: function,
            kind: kind,
            policy: SchedulePolicy(catchUp: catchUp, overlap: overlap)
        )
    }

    /// The key of one nominal time's run, the same whoever works it out: 32 characters of `0-9a-f`.
    ///
    /// What executes a run twice, as is possible when a host dies, can tell by it.
    package func idempotencyKey(of nominal: Instant) -> String {
        let text = "\(id)|\(revision)|\(nominal.nanoseconds)"
        return StableHash.hex(StableHash.of(text)) + StableHash.hex(StableHash.of("\(text)|"))
    }
}

extension ScheduleEntry.Kind {
    /// The kind in words; two kinds with the same text have the same times.
    package var text: String {
        switch self {
        case .cron(let cron, let zone):
            "cron \(cron) \(zone.name)" + (cron.daylight == .cron ? "" : " dst \(cron.daylight.rawValue)")
        case .every(let every):
            "every \(every.text)" + (every.anchor.nanoseconds == 0 ? "" : " from \(every.anchor.rfc3339)")
        case .at(let instant): "at \(instant.rfc3339)"
        case .sessions(let sessions): sessions.text
        case .window(let rotation, let window, let every):
            "window \(rotation).\(window)" + (every.map { " every \(EverySchedule.text(of: $0))" } ?? "")
        }
    }
}

/// What narrows an entry's times.
package struct ScheduleLimits: Sendable, Hashable {
    /// What is left out.
    package enum Exclusion: Sendable, Hashable {
        /// Times in a minute, or of a second, that the expression matches.
        case cron(CronExpression, zone: TimeZoneRules)
        /// Days of the zone's calendar.
        case dates(Set<CivilDate>, zone: TimeZoneRules)
        /// Days on which a market has a session, or has none.
        case calendar(MarketCalendar, sessions: Bool)
    }

    private struct Values: Sendable, Hashable {
        var start: Instant?
        var end: Instant?
        var exclusions: [Exclusion] = []
        var jitter = Duration.zero

        func hash(into hasher: inout Hasher) {
            // A calendar would be hashed with all its sessions.
            hasher.combine(start)
            hasher.combine(end)
            hasher.combine(exclusions.count)
            hasher.combine(jitter)
        }
    }

    private static let none = SharedValue(Values())
    private let values: SharedValue<Values>

    package init(
        start: Instant? = nil,
        end: Instant? = nil,
        exclusions: [Exclusion] = [],
        jitter: Duration = .zero
    ) {
        let values = Values(start: start, end: end, exclusions: exclusions, jitter: jitter)
        self.values = values == ScheduleLimits.none.value ? ScheduleLimits.none : SharedValue(values)
    }

    /// No nominal time lies before.
    package var start: Instant? { values.value.start }
    /// No nominal time lies after.
    package var end: Instant? { values.value.end }
    package var exclusions: [Exclusion] { values.value.exclusions }
    /// The run begins up to so much after its nominal time, and before the next one.
    package var jitter: Duration { values.value.jitter }

    /// The limits in words, for people and for the revision.
    package var text: String {
        var parts: [String] = []
        if let start { parts.append("from \(start.rfc3339)") }
        if let end { parts.append("to \(end.rfc3339)") }
        for exclusion in exclusions {
            switch exclusion {
            case .cron(let cron, let zone): parts.append("not cron \(cron) \(zone.name)")
            case .dates(let dates, _):
                parts.append("not \(dates.sorted().map(\.description).joined(separator: " "))")
            case .calendar(let calendar, let sessions):
                parts.append("not \(calendar.name) \(sessions ? "open" : "closed")")
            }
        }
        if jitter > .zero { parts.append("jitter \(EverySchedule.text(of: jitter))") }
        return parts.joined(separator: ", ")
    }

    /// Whether a nominal time is left out.
    func exclude(_ nominal: Instant) throws(SchedulingError) -> Bool {
        for exclusion in exclusions {
            switch exclusion {
            case .cron(let cron, let zone):
                let minute = Instant(nanoseconds: nominal.nanoseconds.rounded(downTo: 60_000_000_000))
                for start in [nominal, minute]
                where cron.next(after: start - .nanoseconds(1), zone: zone) == start {
                    return true
                }
            case .dates(let dates, let zone):
                if dates.contains(zone.civilTime(at: nominal).date) { return true }
            case .calendar(let calendar, let sessions):
                let isSession = try calendar.session(on: calendar.zone.civilTime(at: nominal).date) != nil
                if isSession == sessions { return true }
            }
        }
        return false
    }
}

/// What becomes of times that are missed, late, or overlap.
package struct SchedulePolicy: Sendable, Hashable {
    /// What becomes of nominal times that passed while nobody looked (the host was down, the clock was set).
    package enum CatchUp: Sendable, Hashable {
        /// They are missed, except for one that is at most `ScheduleMachine.punctuality` late.
        case none
        /// The latest is run, the others are coalesced into it.
        case latest
        /// So many of the latest are run in their order, 1 to 1,000. With `Overlap.skip` each waits for the
        /// one before it to finish.
        case all(max: Int)

        /// How many of the due nominal times may run.
        var limit: Int {
            switch self {
            case .none, .latest: 1
            case .all(let max): max
            }
        }
    }

    /// What becomes of a nominal time while an earlier one still runs.
    package enum Overlap: String, Sendable, Hashable, CaseIterable {
        /// It is not run.
        case skip
        /// It waits; a later one takes its place.
        case bufferOne
        /// It waits in a line of at most `ScheduleMachine.bufferLimit`.
        case bufferAll
        /// The earlier run is cancelled, and this one begins when it has ended.
        case cancelOther
        /// The earlier run is cancelled, and this one begins at once.
        case terminateOther
        /// Both run.
        case allow
    }

    private struct Values: Sendable, Hashable {
        var catchUp = CatchUp.latest
        var overlap = Overlap.skip
        var deadline: Duration?
        var isBoundToWindow = false
        var pauseOnFailure: Int?
        var remaining: Int?
    }

    private static let usual = SharedValue(Values())
    private let values: SharedValue<Values>

    package init(
        catchUp: CatchUp = .latest,
        overlap: Overlap = .skip,
        deadline: Duration? = nil,
        isBoundToWindow: Bool = false,
        pauseOnFailure: Int? = nil,
        remaining: Int? = nil
    ) {
        let values = Values(
            catchUp: catchUp,
            overlap: overlap,
            deadline: deadline,
            isBoundToWindow: isBoundToWindow,
            pauseOnFailure: pauseOnFailure,
            remaining: remaining
        )
        self.values = values == SchedulePolicy.usual.value ? SchedulePolicy.usual : SharedValue(values)
    }

    package var catchUp: CatchUp { values.value.catchUp }
    package var overlap: Overlap { values.value.overlap }
    /// How late a run may begin.
    package var deadline: Duration? { values.value.deadline }
    /// A run begins only while the window or session of its nominal time is open.
    package var isBoundToWindow: Bool { values.value.isBoundToWindow }
    /// After so many failures in a row it pauses.
    package var pauseOnFailure: Int? { values.value.pauseOnFailure }
    /// How many runs there are in all.
    package var remaining: Int? { values.value.remaining }
}
