/// Gathers acknowledgements: one request of them is under way at a time, and what comes meanwhile leaves with
/// the next, so that they cost less the more there are.
///
/// Bounded by what the stream machine holds.
struct AckQueue {
    struct Request: Hashable {
        var ids: [String]
        var counted: Bool
        var ending: StreamEnding
    }

    /// Ids in one request: a script holds up the server while it runs.
    static let requestBound = 500

    private var waiting: [Request] = []
    private var isUnderWay = false

    mutating func add(_ ids: [String], counted: Bool, as ending: StreamEnding) {
        var rest = ids[...]
        while !rest.isEmpty {
            if let last = waiting.indices.last, waiting[last].ending == ending,
                waiting[last].ids.count < AckQueue.requestBound
            {
                let part = rest.prefix(AckQueue.requestBound - waiting[last].ids.count)
                waiting[last].ids += part
                waiting[last].counted = waiting[last].counted || counted
                rest = rest.dropFirst(part.count)
            } else {
                waiting.append(Request(ids: [], counted: counted, ending: ending))
            }
        }
    }

    /// What is to be sent now; nil while a request is under way, and where there is none.
    mutating func next() -> Request? {
        guard !isUnderWay, !waiting.isEmpty else { return nil }
        isUnderWay = true
        return waiting.removeFirst()
    }

    mutating func answered() {
        isUnderWay = false
    }
}
