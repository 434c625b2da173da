import FunctionCore

/// A place in a trace as X-Ray's header says it: `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1`.
extension TraceContext {
    /// Reads the header; nil where it has no root that is one.
    ///
    /// Without a parent the position is a new one. Members that are not known, such as `Lineage`, are passed over.
    package init?(xray header: String) {
        var members: [Substring: Substring] = [:]
        for part in header.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { members[pair[0].drop { $0 == " " }] = pair[1] }
        }
        guard let root = members["Root"]?.split(separator: "-", omittingEmptySubsequences: false),
            root.count == 3, root[0] == "1", root[1].utf8.count == 8, root[2].utf8.count == 24
        else { return nil }
        let flags = members["Sampled"] == "1" ? "01" : "00"
        let parent = members["Parent"].map { String($0) } ?? TraceContext.begin().spanID
        self.init(traceparent: "00-\(root[1])\(root[2])-\(parent)-\(flags)".lowercased())
    }

    /// The header's value.
    package var xray: String {
        "Root=1-\(traceID.prefix(8))-\(traceID.dropFirst(8));Parent=\(spanID);Sampled=\(sampled ? 1 : 0)"
    }
}
