import FunctionCore

/// What a request's path asks of a folder, after everything that could lead out of it is refused.
package enum StaticName: Sendable, Hashable {
    /// A file or, without the slash at its end, a folder; relative, decoded.
    case entry(String)
    /// A folder, whose index is meant; empty for the topmost.
    case folder(String)
    /// The mount itself without its slash.
    case mount
    /// No name that is served.
    case refused

    /// Reads the path of a request target below `mount`, which is `/` or `/assets`.
    ///
    /// Each segment is decoded by itself, once, so that an encoded slash or a doubly encoded dot is what it
    /// is: a character that no name has.
    package init(_ target: String, below mount: String) {
        var path = target.prefix { $0 != "?" }
        let prefix = mount == "/" ? "" : mount
        guard path.hasPrefix(prefix) else {
            self = .refused
            return
        }
        path = path.dropFirst(prefix.count)
        guard path.utf8.first == 47 else {
            self = path.isEmpty ? .mount : .refused
            return
        }
        var segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let isFolder = segments.last?.isEmpty == true
        if isFolder { segments.removeLast() }
        var names: [String] = []
        for segment in segments {
            guard let name = StaticName.decoded(segment), StaticName.isServed(name, isTop: names.isEmpty)
            else {
                self = .refused
                return
            }
            names.append(name)
        }
        let name = names.joined(separator: "/")
        self = isFolder ? .folder(name) : .entry(name)
    }

    /// Dot files are often what is not meant for the world: `.git`, `.env`, `.htpasswd`.
    private static func isServed(_ name: String, isTop: Bool) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 255 else { return false }
        if name.utf8.first == 46 { return isTop && name == ".well-known" }
        return name.utf8.allSatisfy { $0 >= 32 && $0 != 127 && $0 != 47 && $0 != 92 }
    }

    /// Nil for an escape that is broken, or bytes that are no UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        guard text.utf8.contains(37) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == 37 else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16),
                high != 43, high != 45
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether a file's name carries a hash of its content, as bundlers write them: `app.3f9ac2d1.js`,
    /// `app-3f9ac2d1e0b7.css`.
    ///
    /// Eight hexadecimal digits or more, letters and figures among them, between a dot or dash and the
    /// extension. Other alphabets are too much like words: `guide-iPhone15.html` must not be kept for a
    /// year; for them a manifest has `immutable: true`.
    package static func carriesHash(_ name: String) -> Bool {
        let parts = (name.split(separator: "/").last ?? "").split(separator: ".")
        guard parts.count >= 2, let stem = parts.dropLast().last else { return false }
        let digits = stem.split(separator: "-").last ?? ""
        guard digits.utf8.count >= 8, parts.count > 2 || digits.utf8.count < stem.utf8.count else {
            return false
        }
        var figures = false, letters = false
        for byte in digits.utf8 {
            switch byte {
            case 48...57: figures = true
            case 97...102: letters = true
            default: return false
            }
        }
        return figures && letters
    }
}
