import FunctionCore
import Invocations

extension ManifestReader {
    // MARK: Cross-origin requests

    static func readCORS(_ node: SettingsNode) -> Manifest.CORS? {
        let members = node.members(["origins", "methods", "headers", "exposed", "credentials", "maxAge"])
        guard let origins = members["origins"] ?? node.missing("origins", "[https://app.example.com]") else {
            return nil
        }
        var cors = Manifest.CORS(origins: origins.list.compactMap(readOrigin))
        if origins.list.isEmpty {
            origins.wrong("no origin is named", hint: "name one, or leave `cors` out")
        }
        cors.methods =
            members["methods"]?.list.compactMap { $0.word(["GET", "POST", "PUT", "PATCH", "DELETE"]) } ?? []
        cors.headers = members["headers"]?.list.compactMap(readFieldName) ?? cors.headers
        cors.exposed = members["exposed"]?.list.compactMap(readFieldName) ?? cors.exposed
        cors.credentials = members["credentials"]?.flag() ?? false
        cors.maxAge = members["maxAge"]?.duration(.zero ... .seconds(86_400)) ?? cors.maxAge
        if cors.origins.contains("*"), cors.origins.count > 1 {
            origins.wrong("`*` stands for all origins", hint: "let it stand alone, or take it out")
        }
        for (name, values) in [
            ("origins", cors.origins), ("headers", cors.headers), ("exposed", cors.exposed),
        ] where cors.credentials && values.contains("*") {
            (members[name] ?? node).wrong(
                "`*` and `credentials: true` exclude one another, in every browser",
                hint: "name each one, or take `credentials` out"
            )
        }
        return cors
    }

    /// An origin as browsers send it: scheme, host in small letters, a port that is not the scheme's own.
    private static func readOrigin(_ node: SettingsNode) -> String? {
        guard let text = node.string() else { return nil }
        if text == "*" { return text }
        let isWritten = ["http://", "https://"].contains { scheme in
            guard text.hasPrefix(scheme) else { return false }
            var host = text.dropFirst(scheme.count)
            if host.hasPrefix("*.") { host = host.dropFirst(2) }
            let isKnown = host.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (48...57).contains(byte) || "-.:[]".utf8.contains(byte)
            }
            let usual = scheme == "http://" ? ":80" : ":443"
            return isKnown && !host.isEmpty && !host.hasPrefix(".") && !host.hasSuffix(usual)
        }
        if isWritten { return text }
        node.wrong(
            "`\(text)` is no origin",
            hint: "write such as https://app.example.com, https://*.example.com or http://localhost:5173: "
                + "no path, small letters, no port that goes without saying"
        )
        return nil
    }

    private static func readFieldName(_ node: SettingsNode) -> String? {
        guard let name = node.string() else { return nil }
        let isToken =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (97...122).contains(byte | 0x20) || (48...57).contains(byte) || "-_*".utf8.contains(byte)
            }
        if isToken, name == "*" || !name.contains("*") { return name.lowercased() }
        node.wrong("`\(name)` is no header name", hint: "write such as content-type")
        return nil
    }

    /// Who sends webhooks: a host's name, as the sender asks by it, or `*`.
    static func readSender(_ node: SettingsNode) -> String? {
        guard let name = node.string() else { return nil }
        let isName = name.utf8.allSatisfy { byte in
            (97...122).contains(byte | 0x20) || (48...57).contains(byte) || "-.".utf8.contains(byte)
        }
        if name == "*" || (isName && !name.isEmpty) { return name }
        node.wrong("`\(name)` is no sender's name", hint: "write such as eventemitter.example.com, or `*`")
        return nil
    }

    // MARK: Static folders

    /// A folder lies below that of the manifest, so that a function brings its pages along and nothing else.
    static func readStatic(_ node: SettingsNode, file: String) -> Manifest.StaticFolder? {
        let members = node.members(["path", "folder", "maxAge", "immutable"])
        guard let path = (members["path"] ?? node.missing("path", "/assets"))?.string(),
            let folder = (members["folder"] ?? node.missing("folder", "web/assets"))?.string()
        else { return nil }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isPlain = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".."
                && segment.utf8.allSatisfy { byte in
                    (97...122).contains(byte | 0x20) || (48...57).contains(byte) || "-._~".utf8.contains(byte)
                }
        }
        guard path == "/" || (path.hasPrefix("/") && isPlain) else {
            members["path"]?.wrong(
                "`\(path)` is no place for a folder",
                hint: "write `/`, or such as /assets: letters, digits and `-._~`, no slash at the end"
            )
            return nil
        }
        let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
        guard !folder.isEmpty, !parts.contains(""), !parts.contains("..") else {
            members["folder"]?.wrong(
                "`\(folder)` does not lie below the manifest's folder",
                hint: "write such as web/assets"
            )
            return nil
        }
        let own = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        var result = Manifest.StaticFolder(
            path: path,
            folder: own.isEmpty ? folder : own.joined(separator: "/") + "/" + folder,
            line: node.line
        )
        result.maxAge = members["maxAge"]?.duration(.zero ... .seconds(366 * 86_400)) ?? .zero
        result.immutable = members["immutable"]?.flag() ?? false
        return result
    }
}
