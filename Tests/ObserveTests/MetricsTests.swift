import Observe
import Testing

@Suite("metrics", .timeLimit(.minutes(1)))
struct MetricsTests {
    private let metrics = Metrics([
        .init("requests_total", .counter, labels: ["function", "outcome"], help: "Requests by \\ and\nend."),
        .init("workers", .gauge, help: "Workers."),
        .init("nothing_total", .counter, labels: ["a"], help: "None yet."),
        .init("seconds", .histogram, labels: ["function"], help: "Durations."),
    ])

    @Test("the text is Prometheus text, with names, labels and help escaped")
    func golden() {
        metrics.add("requests_total", ["motto", "ok"])
        metrics.add("requests_total", ["motto", "ok"], by: 2)
        metrics.add("requests_total", ["a\"b\\c\nd", "failed"])
        metrics.set("workers", to: 2.5)
        metrics.observe("seconds", ["motto"], .milliseconds(3))
        metrics.observe("seconds", ["motto"], .seconds(1000))
        let head = #"""
            # HELP requests_total Requests by \\ and\nend.
            # TYPE requests_total counter
            requests_total{function="a\"b\\c\nd",outcome="failed"} 1
            requests_total{function="motto",outcome="ok"} 3
            # HELP workers Workers.
            # TYPE workers gauge
            workers 2.5
            # HELP nothing_total None yet.
            # TYPE nothing_total counter
            # HELP seconds Durations.
            # TYPE seconds histogram
            seconds_bucket{function="motto",le="0.0005"} 0
            seconds_bucket{function="motto",le="0.001"} 0
            seconds_bucket{function="motto",le="0.0025"} 0
            seconds_bucket{function="motto",le="0.005"} 1

            """#
        let tail = #"""
            seconds_bucket{function="motto",le="300"} 1
            seconds_bucket{function="motto",le="+Inf"} 2
            seconds_sum{function="motto"} 1000.003
            seconds_count{function="motto"} 2
            # HELP swiftlet_metrics_overflow_total Updates refused because there were too many series.
            # TYPE swiftlet_metrics_overflow_total counter
            swiftlet_metrics_overflow_total 0

            """#
        let text = metrics.text()
        #expect(text.hasPrefix(head), "\(text)")
        #expect(text.hasSuffix(tail), "\(text)")
        #expect(metrics.value("requests_total", ["motto", "ok"]) == 3)
    }

    @Test("a metric without labels is there before its first use")
    func zero() {
        #expect(metrics.text().contains("\nworkers 0\n"))
    }

    @Test("numbers that are none are written as Prometheus reads them")
    func numbers() {
        for (value, text) in [
            (Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"), (-3, "-3"),
        ] {
            metrics.set("workers", to: value)
            #expect(metrics.text().contains("\nworkers \(text)\n"))
        }
    }

    @Test("past 4096 series further ones are refused and counted, and the old ones go on")
    func overflow() {
        for index in 0..<4200 { metrics.add("requests_total", ["\(index)", "ok"]) }
        metrics.add("requests_total", ["0", "ok"])
        #expect(metrics.value("requests_total", ["0", "ok"]) == 2)
        #expect(metrics.value("requests_total", ["4199", "ok"]) == 0)
        #expect(metrics.text().contains("swiftlet_metrics_overflow_total 104\n"))
    }
}
