/// The log lines of invocations that ended of late or still run.
///
/// Bounds: `lineMax` lines and `sizeMax` bytes of one invocation, the first ones; `totalMax` bytes of all, of which
/// the invocations go whose first line is the oldest.
struct LineShelf {
    private struct Lines {
        var lines: [ActivityLine] = []
        var size = 0
        var leftOut = 0
    }

    static let lineMax = 200
    static let sizeMax = 64 * 1024
    static let totalMax = 4 << 20

    private var shelf: [String: Lines] = [:]
    /// In the order of their first lines; those before `first` have gone.
    private var order: [String] = []
    private var first = 0
    private var total = 0

    mutating func add(_ line: ActivityLine, of invocation: String) {
        var lines = shelf.removeValue(forKey: invocation) ?? Lines()
        if lines.lines.isEmpty { order.append(invocation) }
        let size = line.size
        // The first line is kept in any case: an invocation on the shelf has one.
        if lines.lines.isEmpty
            || (lines.lines.count < LineShelf.lineMax && lines.size + size <= LineShelf.sizeMax)
        {
            lines.lines.append(line)
            lines.size += size
            total += size
        } else {
            lines.leftOut += 1
        }
        shelf[invocation] = lines
        while total > LineShelf.totalMax, first < order.count - 1 { removeOldest() }
    }

    func lines(of invocation: String) -> (kept: [ActivityLine], leftOut: Int) {
        shelf[invocation].map { ($0.lines, $0.leftOut) } ?? ([], 0)
    }

    /// Those with a line that holds the word, in its message or a field's value.
    func invocations(saying word: SearchWord) -> Set<String> {
        Set(
            shelf.lazy.filter { _, lines in
                lines.lines.contains { word.isIn($0.message) || $0.fields.values.contains(where: word.isIn) }
            }.map(\.key)
        )
    }

    private mutating func removeOldest() {
        total -= shelf.removeValue(forKey: order[first])?.size ?? 0
        first += 1
        if first > 1024, first > order.count / 2 {
            order.removeFirst(first)
            first = 0
        }
    }
}
