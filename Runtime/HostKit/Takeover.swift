import FunctionCore
import Glibc
import Processes

/// How one host process takes another's place, message by message, on a socket in the data directory.
///
///     new: takeover 1      old: listeners gateway admin, with both sockets
///     new: ready           (it has read and checked all that it is going to run)
///                          old: stops accepting, ends what it has, closes its stores
///                          old: yours, with the lock
///     new: serving         old: exits
///
/// New connections wait in the listening sockets meanwhile. The lock is never free: both hold it by the same
/// descriptor until one exits. A new host that dies or gives up before `serving` leaves its place to the old
/// one, which starts again on what it has kept.
package enum Takeover {
    package static let name = "takeover.sock"
    private static let greeting = "takeover 1"
    /// How long a new host may take for a step of its own; it is killed then, so that two never own the data.
    private static let stepMax = Duration.seconds(60)

    // MARK: The old host

    /// A new host that asks.
    ///
    /// Its messages block: on a thread of its own.
    package struct Request: Sendable {
        fileprivate let socket: MessageSocket
        package let pid: pid_t

        /// Passes the listening sockets on, and waits until the new host has prepared itself; false where it
        /// gives up.
        package func prepare(_ listeners: [String: Int32]) -> Bool {
            guard let gateway = listeners["gateway"], let admin = listeners["admin"],
                socket.send("listeners gateway admin", [gateway, admin])
            else { return false }
            return socket.receive(within: Takeover.stepMax)?.text == "ready"
        }

        /// Passes the data on, and waits until the new host serves.
        ///
        /// Where it does not, false, and then it is gone for good.
        package func complete(lock: Int32) -> Bool {
            if socket.send("yours", [lock]), socket.receive(within: Takeover.stepMax)?.text == "serving" {
                return true
            }
            // It may still be at work on the data, and is not the parent's to wait for: its socket closes with
            // it.
            kill(pid, SIGKILL)
            _ = socket.receive(within: .seconds(10))
            return false
        }
    }

    /// Hears who asks, on a thread of its own, until `stop`.
    package final class Listener: Sendable {
        private let descriptor: Int32
        private let path: String

        /// Nil with errno where the socket cannot be made.
        package init?(in directory: String, _ asked: @escaping @Sendable (Request) -> Void) {
            guard let descriptor = MessageSocket.listen(in: directory, name: Takeover.name) else {
                return nil
            }
            self.descriptor = descriptor
            path = "\(directory)/\(Takeover.name)"
            startThread("takeover") {
                while let socket = MessageSocket.accept(descriptor) {
                    guard let peer = socket.peer,
                        socket.receive(within: .seconds(5))?.text == Takeover.greeting
                    else { continue }
                    asked(Request(socket: socket, pid: peer.pid))
                }
                close(descriptor)
            }
        }

        package func stop() {
            unlink(path)
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    // MARK: The new host

    /// A host that is asked for its place.
    package struct Predecessor: Sendable {
        private let socket: MessageSocket
        package let listeners: [String: Int32]

        /// Asks the host of a data directory; nil where none runs there.
        /// - Throws: `HostError` where one runs and does not answer.
        package init?(in directory: String) throws(HostError) {
            guard let socket = MessageSocket.connect(in: directory, name: Takeover.name) else { return nil }
            guard socket.send(Takeover.greeting), let answer = socket.receive(within: Takeover.stepMax),
                answer.text == "listeners gateway admin", answer.descriptors.count == 2
            else {
                let remedy = "it may be stopping, or handing over already; try again"
                throw HostError(.unavailable, "the running host does not hand over; \(remedy)")
            }
            self.socket = socket
            listeners = ["gateway": answer.descriptors[0], "admin": answer.descriptors[1]]
        }

        /// Says that this process is ready, and waits for the data, for as long as the other one's grace lasts.
        package func takeOver() throws(HostError) -> Inheritance {
            guard socket.send("ready"), let answer = socket.receive(within: .seconds(15 * 60)),
                answer.text == "yours", let lock = answer.descriptors.first
            else { throw HostError(.unavailable, "the running host has not handed over; see its log") }
            return Inheritance(listeners: listeners, lock: lock)
        }

        /// Tells the other one to go.
        package func serving() { _ = socket.send("serving") }
    }
}
