/// What can be told of a body from its `content-type` without reading it.
package enum MediaType {
    /// Whether `text` has the form `type/subtype` with parameters (RFC 9110, 8.3.1).
    ///
    /// An accept list is not kept: which types a function understands is its own affair.
    static func isValid(_ text: String) -> Bool {
        if text == "application/json" { return true }
        var parts = text.split(separator: ";", omittingEmptySubsequences: false)[...]
        guard let essence = parts.popFirst() else { return false }
        let names = trimmed(essence).split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2, names.allSatisfy(isToken) else { return false }
        // A quoted value may hold a semicolon, so what comes after the first quote is left alone.
        for part in parts {
            if part.utf8.contains(34) { return true }
            let parameter = trimmed(part)
            if parameter.isEmpty { continue }
            let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, halves.allSatisfy(isToken) else { return false }
        }
        return true
    }

    /// A token of RFC 9110, 5.6.2.
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
    }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 94...122, 124, 126: true
        case 33, 35...39, 42, 43, 45, 46: true
        default: false
        }
    }

    /// Without the blanks and tabs around it.
    static func trimmed(_ text: Substring) -> Substring {
        var rest = text.drop { $0 == " " || $0 == "\t" }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return rest
    }
}
