import FunctionCore

/// The spans of one trace in the order of their links: each above its children, which come by their start.
///
/// What names a parent that is not among them stands below a row for that parent, and the tree says that it is
/// not complete. A list of rows instead of nested nodes: a chain of events may be thousands deep.
package struct SpanTree: Sendable {
    package struct Row: Sendable, Hashable {
        /// Nil for a parent that is not known, and which has only an id.
        package var span: Span?
        package var id: UInt64
        /// 0 for what stands below nothing.
        package var depth: Int
    }

    package let traceID: String
    package let rows: [Row]
    /// When its first span began, on the wall clock and on the real one.
    package let began: Instant
    package let start: Monotonic
    package let duration: Duration
    /// How many parents are not known.
    package let missing: Int
    /// How many spans there were beyond those that are kept.
    package let leftOut: Int

    /// Whether nothing of it is known to be missing.
    package var isComplete: Bool { missing == 0 && leftOut == 0 }

    package init(_ traceID: String, _ spans: [Span], began: Instant, leftOut: Int = 0) {
        self.traceID = traceID
        self.began = began
        self.leftOut = leftOut
        var links = SpanLinks(spans)
        rows = links.rows()
        missing = links.missing
        start = spans.map(\.start).min() ?? Monotonic(nanoseconds: 0)
        duration = (spans.map(\.end).max() ?? start) - start
    }

    package var spans: some Sequence<Span> { rows.lazy.compactMap(\.span) }

    /// What stands below nothing, as one span where it is one.
    package var root: Span? {
        let tops = rows.filter { $0.depth == 0 }
        return tops.count == 1 ? tops[0].span : nil
    }
}

/// Who is whose child.
private struct SpanLinks {
    private let spans: [Span]
    /// The children of each span, by their places in `spans`.
    private var children: [[Int]]
    private var roots: [Int] = []
    /// What hangs below parents that are not there, in the order of the first of each.
    private var orphans: [(parent: UInt64, spans: [Int])] = []
    private var isSeen: [Bool]
    private(set) var missing = 0

    init(_ unsorted: [Span]) {
        // Of what began at once the longer one stands first, so that a parent comes before its child.
        spans = unsorted.sorted { ($0.start, $1.duration, $0.id) < ($1.start, $0.duration, $1.id) }
        children = Array(repeating: [], count: spans.count)
        isSeen = Array(repeating: false, count: spans.count)
        let places = Dictionary(spans.indices.map { (spans[$0].id, $0) }) { first, _ in first }
        var groups: [UInt64: Int] = [:]
        for index in spans.indices {
            let parent = spans[index].place.parent
            if parent.id != 0, let above = places[parent.id], above != index {
                children[above].append(index)
            } else if parent.id == 0 || parent.isRemote {
                roots.append(index)
            } else if let group = groups[parent.id] {
                orphans[group].spans.append(index)
            } else {
                groups[parent.id] = orphans.count
                orphans.append((parent.id, [index]))
            }
        }
    }

    mutating func rows() -> [SpanTree.Row] {
        var rows: [SpanTree.Row] = []
        rows.reserveCapacity(spans.count)
        for root in roots { descend(from: root, 0, &rows) }
        for (parent, spans) in orphans {
            rows.append(SpanTree.Row(span: nil, id: parent, depth: 0))
            missing += 1
            for span in spans { descend(from: span, 1, &rows) }
        }
        // What is its own ancestor is reached from nowhere: ids were given twice.
        for index in spans.indices where !isSeen[index] {
            rows.append(SpanTree.Row(span: nil, id: spans[index].place.parent.id, depth: 0))
            missing += 1
            descend(from: index, 1, &rows)
        }
        return rows
    }

    private mutating func descend(from top: Int, _ depth: Int, _ rows: inout [SpanTree.Row]) {
        var due = [(top, depth)]
        while let (index, depth) = due.popLast() {
            guard !isSeen[index] else { continue }
            isSeen[index] = true
            rows.append(SpanTree.Row(span: spans[index], id: spans[index].id, depth: depth))
            due += children[index].reversed().map { ($0, depth + 1) }
        }
    }
}
