/// The path of a route: literal segments, `{name}` for one segment, and at the end `{name*}` for one or
/// more.
package struct RoutePattern: Sendable, Hashable {
    /// One segment.
    enum Segment: Sendable, Hashable {
        case literal([UInt8])
        case parameter(String)
        case rest(String)
    }

    /// What belongs to the host itself.
    package static let reservedPrefix = "/_swiftlet/"

    /// As it was written.
    package let text: String
    let segments: [Segment]

    /// Reads a pattern.
    /// - Throws: `RouteFault` naming the segment and the rule.
    package init(_ text: String) throws(RouteFault) {
        guard text.utf8.first == 47 else {
            throw RouteFault("the path `\(text)` must begin with `/`")
        }
        var segments: [Segment] = []
        let parts =
            text.utf8.count == 1
            ? [] : text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let segment = try Self.segment(part, in: text)
            if case .rest = segment, index != parts.count - 1 {
                throw RouteFault(
                    "`\(part)` in `\(text)` matches all that follows, so it must be the last segment"
                )
            }
            segments.append(segment)
        }
        let names = segments.compactMap(\.name)
        guard Set(names).count == names.count else {
            throw RouteFault("`\(text)` has a parameter twice; give each a name of its own")
        }
        self.text = text
        self.segments = segments
    }

    /// The patterns of a folder at `path`: itself, with a slash at its end, and all that is below it.
    static func folder(_ path: String) throws(RouteFault) -> [RoutePattern] {
        let top = try RoutePattern(path)
        let below = try RoutePattern(path == "/" ? "/{file*}" : path + "/{file*}")
        if top.segments.isEmpty { return [top, below] }
        return [top, try endpoint(path + "/"), below]
    }

    /// The pattern of one of the host's own endpoints, which may end in a slash.
    static func endpoint(_ text: String) throws(RouteFault) -> RoutePattern {
        guard text.utf8.count > 1, text.utf8.last == 47 else { return try RoutePattern(text) }
        let folder = try RoutePattern(String(text.dropLast()))
        return RoutePattern(text: text, segments: folder.segments + [.literal([])])
    }

    private init(text: String, segments: [Segment]) {
        self.text = text
        self.segments = segments
    }

    /// The pattern with the names of its parameters taken out: what two routes are compared by.
    package var erased: String {
        segments.reduce(into: segments.isEmpty ? "/" : "") { text, segment in
            switch segment {
            case .literal(let bytes): text += "/" + String(decoding: bytes, as: UTF8.self)
            case .parameter: text += "/{}"
            case .rest: text += "/{*}"
            }
        }
    }

    /// Whether the path lies in the host's own part.
    package var isReserved: Bool {
        (text + "/").hasPrefix(Self.reservedPrefix)
    }

    private static func segment(_ part: Substring, in text: String) throws(RouteFault) -> Segment {
        guard part.utf8.first == 123 else {
            guard !part.isEmpty, part.utf8.allSatisfy(isLiteral) else {
                throw RouteFault(
                    "the segment `\(part)` of `\(text)` must be letters, digits and `-._~:@!$'()*+,=`, "
                        + "or `{name}`"
                )
            }
            return .literal(Array(part.utf8))
        }
        var name = part.dropFirst()
        guard name.utf8.last == 125 else {
            throw RouteFault("`\(part)` in `\(text)` lacks its closing brace")
        }
        name.removeLast()
        let takesRest = name.utf8.last == 42
        if takesRest { name.removeLast() }
        guard let first = name.utf8.first, isLetter(first),
            name.utf8.allSatisfy({ isLetter($0) || isDigit($0) })
        else {
            throw RouteFault(
                "`\(part)` in `\(text)`: a parameter's name is letters, digits and `_`, as in `{user}`"
            )
        }
        return takesRest ? .rest(String(name)) : .parameter(String(name))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte == 95 || (97...122).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte)
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "-.~:@!$'()*+,=".utf8.contains(byte)
    }
}

extension RoutePattern.Segment {
    /// The parameter's name.
    var name: String? {
        switch self {
        case .literal: nil
        case .parameter(let name), .rest(let name): name
        }
    }
}

/// What is wrong with a route, in words.
package struct RouteFault: Error, Sendable, CustomStringConvertible {
    package var message: String

    init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
