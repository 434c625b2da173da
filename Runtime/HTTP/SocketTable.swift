import FunctionCore
import Synchronization

/// The WebSocket connections of a host, by function.
///
/// Threading: any.
package final class SocketTable: Sendable {
    private struct Function {
        /// Handshakes that a function decides on are counted as well, so that the bound holds.
        var count = 0
        var open: [String: SocketConnection] = [:]
    }

    private let functions = Mutex<[String: Function]>([:])

    package init() {}

    /// Keeps a place for a connection, unless there are as many as there may be.
    func reserve(_ function: String, limit: Int) -> Bool {
        functions.withLock { functions in
            guard functions[function, default: Function()].count < limit else { return false }
            functions[function, default: Function()].count += 1
            return true
        }
    }

    /// Gives the place back.
    func release(_ function: String) {
        functions.withLock { $0[function]?.count -= 1 }
    }

    func add(_ connection: SocketConnection) {
        functions.withLock { $0[connection.client.route.function]?.open[connection.client.id] = connection }
    }

    func remove(_ connection: SocketConnection) {
        functions.withLock { functions in
            // No two have one id, as the host gives it.
            functions[connection.client.route.function]?.open[connection.client.id] = nil
        }
    }

    func find(_ id: String, of function: String) -> SocketConnection? {
        functions.withLock { $0[function]?.open[id] }
    }

    func ids(of function: String) -> [String] {
        functions.withLock { $0[function].map { Array($0.open.keys) } ?? [] }
    }
}
