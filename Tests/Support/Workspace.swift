import Foundation
import Glibc

/// A directory for one test; it goes with the object.
package final class Workspace: Sendable {
    package let path: String

    package init() {
        var template = Array((NSTemporaryDirectory() + "/swiftlet-test-XXXXXX").utf8CString)
        precondition(mkdtemp(&template) != nil, "mkdtemp failed")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// The bytes of a file.
package func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = fread(&piece, 1, piece.count, file)
        if count == 0 { return all }
        all += piece[..<count]
    }
}

/// Writes a file whole.
package func store(_ bytes: [UInt8], at path: String) {
    guard let file = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}
