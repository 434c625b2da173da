import Activity
import FunctionCore
import Seeds
import Testing

/// A span that says what matters to a test.
func span(_ id: UInt64, below parent: UInt64 = 0, at start: Int64 = 0, isRemote: Bool = false) -> Span {
    Span(
        SpanPlace(traceID: "t", span: id, parent: ParentSpan(parent, isRemote: isRemote)),
        "span \(id)",
        function: "echo",
        start: Monotonic(nanoseconds: start),
        duration: .nanoseconds(10)
    )
}

@Suite("The tree of a trace", .timeLimit(.minutes(1)))
struct SpanTreeTests {
    private func tree(_ spans: [Span]) -> SpanTree { SpanTree("t", spans, began: Instant(seconds: 0)) }

    @Test("children stand below their parent, by their start")
    func order() {
        let tree = tree([
            span(3, below: 1, at: 5), span(2, below: 1, at: 3), span(4, below: 2, at: 9), span(1),
        ])
        #expect(tree.rows.map(\.id) == [1, 2, 4, 3])
        #expect(tree.rows.map(\.depth) == [0, 1, 2, 1])
        #expect(tree.isComplete && tree.root?.id == 1)
        #expect(tree.duration == .nanoseconds(19))
    }

    @Test("a parent that is not there has a row, with its children below, and the tree is not complete")
    func orphans() {
        let tree = tree([
            span(1), span(5, below: 9, at: 4), span(6, below: 9, at: 6), span(7, below: 8, at: 7),
        ])
        #expect(tree.rows.map(\.id) == [1, 9, 5, 6, 8, 7])
        #expect(tree.rows.map { $0.span == nil } == [false, true, false, false, true, false])
        #expect(tree.missing == 2 && !tree.isComplete && tree.root == nil)
    }

    @Test("a parent that was named from outside need not be there, and is the parent where it is")
    func remote() {
        let outside = tree([span(1, below: 99, isRemote: true)])
        #expect(outside.isComplete && outside.root?.id == 1)
        let inside = tree([span(1), span(2, below: 1, at: 1, isRemote: true)])
        #expect(inside.rows.map(\.depth) == [0, 1] && inside.root?.id == 1)
    }

    @Test(
        "spans that are their own ancestors, or have one id, are shown once each, and the tree is not complete"
    )
    func circles() {
        let own = tree([span(1, below: 1)])
        #expect(own.rows.count == 2 && !own.isComplete)
        let two = tree([span(1, below: 2), span(2, below: 1, at: 1), span(3, below: 2, at: 2)])
        #expect(two.rows.map(\.id) == [2, 1, 2, 3] && two.missing == 1)
        let twice = tree([span(1), span(1, at: 5), span(2, below: 1, at: 6)])
        #expect(twice.rows.map(\.id) == [1, 2, 1])
    }

    @Test("a chain of twenty thousand is a tree like any other")
    func depth() {
        let chain = (1...20_000 as ClosedRange<UInt64>).map { span($0, below: $0 - 1, at: Int64($0)) }
        let tree = tree(chain.reversed())
        #expect(tree.isComplete && tree.rows.last?.depth == 19_999)
    }

    @Test(
        "whatever is lost, each span that is left is shown once, below its parent or below the gap that it left",
        arguments: 1...60 as ClosedRange<UInt64>
    )
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var all = [span(1, at: 0)]
        for id in 2...UInt64.random(in: 2...200, using: &random) {
            let parent = UInt64.random(in: 1..<id, using: &random)
            let start = all[Int(parent) - 1].start.nanoseconds + .random(in: 0...5, using: &random)
            all.append(span(id, below: parent, at: start))
        }
        let loss = Int.random(in: 0...10, using: &random)
        let kept = all.filter { _ in Int.random(in: 0..<40, using: &random) >= loss }.shuffled(using: &random)
        let there = Set(kept.map(\.id))
        let gaps = Set(kept.map(\.place.parent.id).filter { $0 != 0 && !there.contains($0) })
        let tree = tree(kept)
        #expect(tree.spans.map(\.id).sorted() == kept.map(\.id).sorted())
        #expect(tree.missing == gaps.count && tree.isComplete == gaps.isEmpty)
        var above: [SpanTree.Row] = []
        var last: [UInt64: Monotonic] = [:]
        for row in tree.rows {
            above = Array(above.prefix(row.depth))
            #expect(above.count == row.depth, "a row is two steps below the one before it")
            if let span = row.span {
                #expect(above.last?.id ?? 0 == span.place.parent.id)
                #expect(
                    last[span.place.parent.id].map { $0 <= span.start } ?? true,
                    "siblings by their start"
                )
                last[span.place.parent.id] = span.start
            }
            above.append(row)
        }
    }
}
