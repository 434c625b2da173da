import FunctionCore

/// A table of routes as a tree of segments.
///
/// A lookup copies no text but the parameters it returns.
struct RouteTree<Target: Sendable>: Sendable {
    /// What a lookup came to.
    enum Match {
        case found(Target, parameters: [String: String])
        /// The path is known, with these methods.
        case otherMethods([String])
        case unknown
    }

    private struct Leaf {
        var method: String
        var names: [String]
        var target: Target
    }

    /// A literal segment below a node: where its name is in `names`, and the node it leads to.
    private struct Literal {
        var name: Range<Int>
        var node: Int
    }

    private struct Node {
        var literals: [Literal] = []
        var parameter: Int?
        var leaves: [Leaf] = []
        /// Leaves of `{name*}`, which take all that follows.
        var rest: [Leaf] = []
    }

    /// A lookup under way: the values so far, and the methods of paths that matched.
    private struct Walk {
        var method: String
        var values: [Range<Int>] = []
        var allowed: [String] = []
    }

    private var nodes = [Node()]
    /// The names of all literals, one behind the other, so that a lookup counts no references.
    private var names: [UInt8] = []

    /// Adds a route; of two with one method and one erased pattern the first stays.
    mutating func insert(_ method: String, _ pattern: RoutePattern, _ target: Target) {
        let leaf = Leaf(method: method, names: pattern.segments.compactMap(\.name), target: target)
        var at = 0
        for segment in pattern.segments {
            switch segment {
            case .literal(let name): at = child(of: at, named: name)
            case .parameter: at = parameterChild(of: at)
            case .rest:
                if !nodes[at].rest.contains(where: { $0.method == method }) { nodes[at].rest.append(leaf) }
                return
            }
        }
        if !nodes[at].leaves.contains(where: { $0.method == method }) { nodes[at].leaves.append(leaf) }
    }

    /// Finds the route of a request target, whose query is ignored.
    ///
    /// A literal segment beats a parameter, and both beat the rest; HEAD finds the route of GET where it has
    /// none of its own.
    func match(_ method: String, _ target: String) -> Match {
        let bytes = target.utf8.span
        guard let path = Self.path(in: bytes) else { return .unknown }
        var walk = Walk(method: method)
        if let leaf = find(0, bytes, path, &walk) { return found(leaf, walk, target) }
        if method == "HEAD" {
            var again = Walk(method: "GET")
            if let leaf = find(0, bytes, path, &again) { return found(leaf, again, target) }
        }
        return walk.allowed.isEmpty ? .unknown : .otherMethods(walk.allowed)
    }

    private func found(_ leaf: Leaf, _ walk: Walk, _ target: String) -> Match {
        guard !leaf.names.isEmpty else { return .found(leaf.target, parameters: [:]) }
        var parameters: [String: String] = [:]
        parameters.reserveCapacity(leaf.names.count)
        for (name, range) in zip(leaf.names, walk.values) {
            let text = target.utf8.dropFirst(range.lowerBound).prefix(range.count)
            parameters[name] = percentDecoded(Substring(text))
        }
        return .found(leaf.target, parameters: parameters)
    }

    /// The bytes of the path after its first slash; nil where the target has no path.
    private static func path(in bytes: Span<UInt8>) -> Range<Int>? {
        guard bytes.count > 0, bytes[0] == 47 else { return nil }
        var end = 1
        while end < bytes.count, bytes[end] != 63 { end += 1 }
        return 1..<end
    }

    private func find(_ at: Int, _ bytes: Span<UInt8>, _ path: Range<Int>, _ walk: inout Walk) -> Leaf? {
        if path.isEmpty, at == 0 { return leaf(nodes[at].leaves, &walk) }
        var end = path.lowerBound
        while end < path.upperBound, bytes[end] != 47 { end += 1 }
        let segment = path.lowerBound..<end
        if let next = literal(at, bytes, segment), let leaf = descend(next, bytes, path, end, &walk) {
            return leaf
        }
        guard !segment.isEmpty else { return nil }
        if let next = nodes[at].parameter {
            walk.values.append(segment)
            if let leaf = descend(next, bytes, path, end, &walk) { return leaf }
            walk.values.removeLast()
        }
        guard !nodes[at].rest.isEmpty, let leaf = leaf(nodes[at].rest, &walk) else { return nil }
        walk.values.append(path)
        return leaf
    }

    /// Goes on below `next`, after the segment that ends at `end`.
    private func descend(
        _ next: Int,
        _ bytes: Span<UInt8>,
        _ path: Range<Int>,
        _ end: Int,
        _ walk: inout Walk
    ) -> Leaf? {
        guard end < path.upperBound else { return leaf(nodes[next].leaves, &walk) }
        return find(next, bytes, end + 1..<path.upperBound, &walk)
    }

    private func literal(_ at: Int, _ bytes: Span<UInt8>, _ segment: Range<Int>) -> Int? {
        for child in nodes[at].literals where child.name.count == segment.count {
            if isSame(child.name, bytes, segment.lowerBound) { return child.node }
        }
        return nil
    }

    private func isSame(_ name: Range<Int>, _ bytes: Span<UInt8>, _ start: Int) -> Bool {
        for offset in 0..<name.count where names[name.lowerBound + offset] != bytes[start + offset] {
            return false
        }
        return true
    }

    private func leaf(_ leaves: [Leaf], _ walk: inout Walk) -> Leaf? {
        for leaf in leaves where leaf.method == walk.method { return leaf }
        for leaf in leaves where !walk.allowed.contains(leaf.method) { walk.allowed.append(leaf.method) }
        return nil
    }

    private mutating func child(of at: Int, named name: [UInt8]) -> Int {
        if let known = literal(at, name.span, name.indices) { return known }
        nodes.append(Node())
        nodes[at].literals.append(
            Literal(name: names.count..<names.count + name.count, node: nodes.count - 1)
        )
        names += name
        return nodes.count - 1
    }

    private mutating func parameterChild(of at: Int) -> Int {
        if let known = nodes[at].parameter { return known }
        nodes.append(Node())
        nodes[at].parameter = nodes.count - 1
        return nodes.count - 1
    }
}
