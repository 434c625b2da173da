/// Markup in which every text is escaped: there is no way to put one in as it is.
package struct HTML: Sendable, Hashable {
    /// What is sent.
    package private(set) var markup: String

    private init(markup: String) {
        self.markup = markup
    }

    package static let nothing = HTML(markup: "")

    /// A text, escaped.
    package init(_ text: some StringProtocol) {
        self.init(markup: HTML.escaped(text))
    }

    /// What parts make together.
    package init(_ parts: [HTML]) {
        self.init(markup: parts.lazy.map(\.markup).joined())
    }

    package var isEmpty: Bool { markup.isEmpty }

    /// An element with its end.
    fileprivate init(_ name: StaticString, _ attributes: [Attribute], _ content: HTML) {
        self.init(markup: "<\(name)\(HTML.written(attributes))>\(content.markup)</\(name)>")
    }

    /// An element that has no content.
    fileprivate init(void name: StaticString, _ attributes: [Attribute]) {
        self.init(markup: "<\(name)\(HTML.written(attributes))>")
    }

    /// The whole document, for `Page`.
    static func document(_ root: HTML) -> HTML { HTML(markup: "<!doctype html>\n\(root.markup)\n") }

    private static func written(_ attributes: [Attribute]) -> String {
        attributes.lazy.map { attribute in
            guard let value = attribute.value else { return "" }
            return value.isEmpty ? " \(attribute.name)" : " \(attribute.name)=\"\(escaped(value))\""
        }.joined()
    }

    /// Safe in content and in quoted attributes alike; characters that HTML cannot hold become U+FFFD.
    private static func escaped(_ text: some StringProtocol) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): out += "&amp;".utf8
            case UInt8(ascii: "<"): out += "&lt;".utf8
            case UInt8(ascii: ">"): out += "&gt;".utf8
            case UInt8(ascii: "\""): out += "&quot;".utf8
            case UInt8(ascii: "'"): out += "&#39;".utf8
            case 0..<9, 11, 12, 14..<32, 127: out += "\u{FFFD}".utf8
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// An element: `tag("p", .class("note")) { "text" }`.
package func tag(
    _ name: StaticString,
    _ attributes: Attribute?...,
    @HTMLBuilder content: () -> HTML = { .nothing }
) -> HTML {
    HTML(name, attributes.compactMap { $0 }, content())
}

/// An element without content or end: `void("input", .name("user"))`.
package func void(_ name: StaticString, _ attributes: Attribute?...) -> HTML {
    HTML(void: name, attributes.compactMap { $0 })
}

/// Puts texts and elements together; texts are escaped.
@resultBuilder
package enum HTMLBuilder {
    package static func buildExpression(_ html: HTML) -> [HTML] { [html] }
    package static func buildExpression(_ html: HTML?) -> [HTML] { html.map { [$0] } ?? [] }
    package static func buildExpression(_ html: [HTML]) -> [HTML] { html }
    package static func buildExpression(_ text: String) -> [HTML] { [HTML(text)] }
    package static func buildBlock(_ parts: [HTML]...) -> [HTML] { parts.flatMap { $0 } }
    package static func buildOptional(_ part: [HTML]?) -> [HTML] { part ?? [] }
    package static func buildEither(first part: [HTML]) -> [HTML] { part }
    package static func buildEither(second part: [HTML]) -> [HTML] { part }
    package static func buildArray(_ parts: [[HTML]]) -> [HTML] { parts.flatMap { $0 } }
    package static func buildFinalResult(_ parts: [HTML]) -> HTML { HTML(parts) }
}
