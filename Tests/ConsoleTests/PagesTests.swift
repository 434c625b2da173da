import Console
import FunctionCore
import Testing

@Suite("Pages of the console", .timeLimit(.minutes(1)))
struct PagesTests {
    private let now = Instant(seconds: 1_795_000_000)
    private let hostile = HTMLTests.hostile

    /// What is in every page whatever it shows, and what is in none.
    private func check(_ page: Page, _ place: String) {
        let frame = Page.Frame(
            now: hostile,
            isVirtual: true,
            degraded: [hostile],
            hasSession: true,
            notice: hostile,
            build: .failed([.init(place: hostile, message: hostile)], leftOut: 2, after: .seconds(3))
        )
        let text = page.document(frame)
        #expect(!text.contains("<img src=x") && !text.contains("onclick='alert"), "\(place)")
        #expect(!text.contains("<script>") && !text.contains(" style="), "\(place)")
        #expect(text.contains("<h1") && text.contains("<html lang=\"en\">"), "\(place)")
        #expect(text.contains("href=\"#main\"") && text.contains("<main id=\"main\""), "\(place)")
        for name in ["label", "button", "table", "section", "div", "svg", "form", "a", "li", "td", "th", "p"]
        {
            let opened = count("<\(name) ", in: text) + count("<\(name)>", in: text)
            #expect(opened == count("</\(name)>", in: text), "\(place): \(name)")
        }
    }

    private func count(_ word: String, in text: String) -> Int {
        text.split(separator: word, omittingEmptySubsequences: false).count - 1
    }

    private var function: FunctionView {
        var view = FunctionView(name: hostile)
        view.summary = hostile
        view.triggers = [.init(hostile, hostile, hostile), .init("HTTP", "GET /", "")]
        view.settings = [(hostile, hostile)]
        view.bindings = [hostile]
        view.samples = [
            .init(title: hostile, event: hostile), .init(title: "b", event: "{}"),
        ]
        return view
    }

    private var attempt: AttemptView {
        var view = AttemptView(id: hostile, function: hostile)
        (view.operation, view.trigger, view.trace, view.outcome) = (hostile, hostile, hostile, hostile)
        (view.code, view.message, view.replayOf) = (hostile, hostile, hostile)
        view.calls = [
            .init(binding: hostile, method: hostile, offset: .zero, duration: .seconds(1), error: hostile),
            .init(binding: "text", method: "generate", offset: .zero, duration: nil, error: nil),
        ]
        view.lines = [.init(time: now, level: "error", message: hostile, fields: [(hostile, hostile)])]
        return view
    }

    @Test("nothing that a function, a user or a peer chose comes through as markup")
    func hostileNames() {
        check([function].page, "functions")
        let reply = ReplyView(
            status: 500,
            type: hostile,
            text: hostile,
            error: hostile,
            took: .seconds(1),
            invocation: hostile,
            event: hostile
        )
        check(function.page(reply: reply), "function")
        check(Page.failure(hostile, hostile, back: Address("/console")), "failure")
        let invocations = InvocationsView(
            now: now,
            rows: [attempt],
            functions: [hostile],
            function: hostile,
            outcome: hostile,
            trigger: hostile,
            search: hostile,
            next: 7,
            isFirst: true
        )
        check(invocations.page, "invocations")
        let invocation = InvocationView(
            now: now,
            attempts: [attempt, attempt],
            linesLeftOut: 3,
            replays: [attempt],
            mayReplay: true,
            job: hostile
        )
        check(invocation.page, "invocation")
        var row = TraceView.Row(name: hostile, depth: 99, look: .call)
        (row.error, row.invocation, row.facts) = (hostile, hostile, [(hostile, hostile)])
        let gap = TraceView.Row(name: hostile, depth: 0, look: .missing)
        let trace = TraceView(
            now: now,
            id: hostile,
            began: now,
            duration: .zero,
            rows: [gap, row],
            missing: 1,
            leftOut: 1
        )
        check(trace.page, "trace")
    }

    @Test("nor does what is in Redis or stored")
    func hostileData() {
        let letter = DeadLettersView.Letter(
            id: hostile,
            code: hostile,
            message: hostile,
            attempts: hostile,
            fields: hostile
        )
        check(DeadLettersView(key: hostile, count: 1, letters: [letter]).page, "dead letters")
        check(
            StreamsView(rows: [.init(key: hostile, kind: hostile, length: 1, functions: [hostile])]).page,
            "streams"
        )
        let group = StreamView.Group(name: hostile, consumers: 1, pending: 1, lag: nil, last: hostile)
        check(
            StreamView(key: hostile, length: 1, groups: [group], entries: [(hostile, hostile)]).page,
            "stream"
        )
        let blob = DataView.Blob(key: hostile, size: 1, type: "image/png")
        check(
            DataView(
                prefix: hostile,
                blobs: [blob],
                next: hostile,
                used: 1,
                users: [(7, 1)],
                collections: [(hostile, 1)]
            ).page,
            "data"
        )
        check(BlobView(blob: blob, sha256: hostile, text: hostile).page, "blob")
        let record = RecordsView.Record(id: hostile, version: 1, updated: now, value: hostile)
        let records = RecordsView(
            now: now,
            title: hostile,
            aside: hostile,
            user: nil,
            collections: [(hostile, 1)],
            collection: hostile,
            records: [record]
        )
        check(records.page, "records")
    }

    @Test("a schedule's days show sessions, marks and now, whatever the names are")
    func chart() {
        let time = ScheduleView.Time(nominal: now, verdict: "failed", sentence: hostile, job: hostile)
        let later = ScheduleView.Time(nominal: now + .seconds(1), verdict: "succeeded", sentence: "")
        let span = ScheduleChart.Span(
            from: now - .seconds(36_000),
            to: now,
            look: "session",
            title: hostile,
            word: hostile
        )
        let chart = ScheduleChart(
            now: now,
            from: now - .seconds(86_400),
            to: now + .seconds(86_400),
            lanes: [.init(name: hostile, spans: [span], times: [time, later])]
        )
        var schedule = ScheduleView(
            id: hostile,
            function: hostile,
            when: hostile,
            next: now,
            running: 0,
            waiting: 0,
            runs: 1,
            failures: 0,
            paused: hostile,
            isOfWindow: false
        )
        schedule.times = [time]
        let view = SchedulesView(
            chart: chart,
            schedules: [schedule],
            isVirtual: true,
            speed: 60,
            mayBeSet: true
        )
        check(view.page, "schedules")
        check(schedule.page(now: now), "schedule")
        let text = view.page.document(Page.Frame(now: ""))
        #expect(text.contains("class=\"session\"") && text.contains("class=\"now\""))
        // Two times on one place are one mark, which shows the worse.
        #expect(text.contains("class=\"mark failed\"") && text.contains("and 1 more"))
    }

    @Test("the head of a page tells of a build under way, of one that failed where, and of one that is done")
    func builds() {
        func shown(_ build: BuildStrip) -> String { Page.Frame(now: "", build: build).parts[2].html.markup }
        #expect(shown(.building(since: .milliseconds(4900))).contains("> 4 s</span>"))
        let fault = BuildStrip.Fault(place: "A/B.swift:7:12", message: "no such thing")
        let failed = shown(.failed([fault], leftOut: 3, after: .seconds(2)))
        #expect(failed.contains("<code>A/B.swift:7:12</code> no such thing"))
        #expect(failed.contains("and 3 errors more"))
        #expect(shown(.done(functions: ["a", "b"], after: .seconds(2))).contains("New workers for a, b."))
        #expect(Page.Frame(now: "").parts[2].html.isEmpty)
    }

    @Test("a reply is shown as text by its type alone")
    func texts() {
        for type in [
            "", "text/html; charset=utf-8", "application/json", "application/problem+json", "image/svg+xml",
        ] {
            #expect(ReplyView.isText(type), "\(type)")
        }
        for type in ["image/png", "application/octet-stream", "audio/wav", "application/zip"] {
            #expect(!ReplyView.isText(type), "\(type)")
        }
    }

    @Test("what a browser would run is no preview")
    func previews() {
        #expect(
            BlobView.isShown("image/png") && BlobView.isShown("video/mp4") && BlobView.isShown("audio/wav")
        )
        for type in ["image/svg+xml", "text/html", "application/xhtml+xml", "application/pdf", ""] {
            #expect(!BlobView.isShown(type), "\(type)")
        }
    }
}
