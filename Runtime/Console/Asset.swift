/// A file of the console, compiled into the program.
package struct Asset: Sendable {
    package let name: String
    package let contentType: String
    package let text: String
    /// Another text has another one, so that browsers may keep what they have.
    private let version: String

    private init(name: String, contentType: String, text: String) {
        self.name = name
        self.contentType = contentType
        self.text = text
        // FNV-1a.
        let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        version = String(hash, radix: 16)
    }

    package static let stylesheet = Asset(
        name: "style.css",
        contentType: "text/css; charset=utf-8",
        text: Stylesheet.text
    )
    package static let script = Asset(
        name: "console.js",
        contentType: "text/javascript; charset=utf-8",
        text: Script.text
    )
    package static let icon = Asset(
        name: "icon.svg",
        contentType: "image/svg+xml",
        text: """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">\
            <path d="M2 14V8a6 6 0 1 1 6 6z" fill="#a23c12"/></svg>
            """
    )
    package static let all = [stylesheet, script, icon]

    var address: Address { Address("/console/assets", name).with("v", version) }
}
