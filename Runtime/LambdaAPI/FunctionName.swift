import LambdaEvents

/// A function as a caller of the Lambda API names it: by its name, by a part of its ARN or by all of it, with
/// a qualifier behind it.
package struct FunctionName: Sendable, Hashable {
    package var name: String
    /// What stands behind the name; `$LATEST` is the same as nothing.
    package var qualifier: String?

    /// The longest text, as Lambda has it.
    package static let lengthMax = 256

    /// Reads what stands in a request's path, percent-decoded.
    /// - Throws: `LambdaError` 400 that names the forms.
    package init(_ text: String, qualifier: String? = nil) throws(LambdaError) {
        guard let parts = FunctionName.parts(text), text.utf8.count <= FunctionName.lengthMax else {
            throw .invalidParameter(
                "FunctionName must be a name, name:qualifier, or an ARN such as \(LambdaPlace.host.arn(of: "NAME"))"
            )
        }
        let named = [parts.qualifier, qualifier].compactMap { $0 }.filter { !$0.isEmpty }
        guard Set(named).count < 2 else {
            throw .invalidParameter("the qualifier in FunctionName and the parameter Qualifier differ")
        }
        name = parts.name
        self.qualifier = named.first.flatMap { $0 == "$LATEST" ? nil : $0 }
    }

    /// The name, and the qualifier behind it; nil where the text is of none of the forms.
    private static func parts(_ text: String) -> (name: String, qualifier: String?)? {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)[...]
        if parts.first == "arn" {
            guard parts.count >= 7, parts[1].hasPrefix("aws"), parts[2] == "lambda", isRegion(parts[3]),
                isAccount(parts[4]), parts[5] == "function"
            else { return nil }
            parts = parts.dropFirst(6)
        } else {
            if parts.count > 1, let first = parts.first, isRegion(first) { parts.removeFirst() }
            if parts.count > 1, let first = parts.first, isAccount(first) { parts.removeFirst() }
            if parts.count > 1, parts.first == "function" { parts.removeFirst() }
        }
        guard let name = parts.first, isWord(name), parts.count <= 2 else { return nil }
        guard let qualifier = parts.dropFirst().first else { return (String(name), nil) }
        return qualifier == "$LATEST" || isWord(qualifier) ? (String(name), String(qualifier)) : nil
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    private static func isAccount(_ text: Substring) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// Such as `eu-central-1` or `us-gov-west-1`.
    private static func isRegion(_ text: Substring) -> Bool {
        let words = text.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 3, let last = words.last, last.count == 1, last.first?.isNumber == true,
            words[0].utf8.count == 2 || words[0] == "eusc"
        else { return false }
        return words.dropLast().allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (97...122).contains($0) } }
    }
}
