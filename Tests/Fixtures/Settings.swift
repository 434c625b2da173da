import FunctionCore
import Glibc

/// What the event tells a fixture to do.
struct Settings {
    private let object: JSONObject

    init(_ event: Event) {
        object = (try? event.object())?.objectValue ?? JSONObject()
    }

    func integer(_ name: String, _ fallback: Int) -> Int {
        object[name]?.intValue.map { Int($0) } ?? fallback
    }

    func text(_ name: String) -> String {
        object[name]?.stringValue ?? ""
    }
}

/// Waits that many milliseconds, or until the task is cancelled.
func pause(_ milliseconds: Int) async throws {
    if milliseconds > 0 { try await Task.sleep(for: .milliseconds(milliseconds)) }
}

/// What the environment tells a fixture to do before there is an event.
func environment(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
}

/// A text of the kernel's, such as /proc/self/limits.
func contents(of path: String) -> String {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return String(decoding: all, as: UTF8.self) }
        all += buffer[..<count]
    }
}
