import FunctionCore
import Glibc
import NIOCore
import NIOPosix

/// A listening port and its connections.
///
/// Bounds: connections, what waits on each, the time each may take for what; see `ServerSettings`.
package final class HTTPServer: Sendable {
    /// Where it listens; with port 0 asked for, the port that the kernel chose.
    package let host: String
    package let port: Int
    private let channel: any Channel
    private let loops: [ServerLoop]

    private init(host: String, port: Int, channel: any Channel, loops: [ServerLoop]) {
        self.host = host
        self.port = port
        self.channel = channel
        self.loops = loops
    }

    /// Listens on `host` and `port`, 0 for one that is free, and answers by `gateway`.
    ///
    /// A socket that listens already may be `inherited`, and belongs to the server then; `host` and `port` are
    /// for messages. `layer` is what connections go through before they come to HTTP. `clock` tells what the
    /// `date` header says. A `ServerError` names the port and the remedy.
    package static func bind(
        host: String,
        port: Int,
        inherited: Int32? = nil,
        group: any EventLoopGroup,
        gateway: Gateway,
        settings: ServerSettings = ServerSettings(),
        layer: any ConnectionLayer = PlainLayer(),
        clock: @escaping @Sendable () -> Instant
    ) async throws -> HTTPServer {
        let loops = group.makeIterator().map { ServerLoop(eventLoop: $0, clock: clock) }
        let count = ConnectionCount()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(settings.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: ReceiveSize())
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        throw ChannelError.operationUnsupported
                    }
                    let front = ConnectionFront(
                        gateway: gateway,
                        loop: loop,
                        settings: settings,
                        count: count
                    )
                    try layer.setUp(channel, front)
                }
            }
        let channel: any Channel
        do {
            if let inherited {
                channel = try await bootstrap.withBoundSocket(inherited).get()
            } else {
                channel = try await bootstrap.bind(host: host, port: port).get()
            }
        } catch {
            throw ServerError(error, host: host, port: port)
        }
        for loop in loops {
            try await loop.eventLoop.submit { loop.start(every: settings.sweepInterval) }.get()
        }
        let bound = channel.localAddress?.port ?? port
        return HTTPServer(host: host, port: bound, channel: channel, loops: loops)
    }

    /// A second descriptor of the listening socket, for another process: connections wait in it for as long
    /// as anybody has one.
    package func duplicate() async throws -> Int32 {
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
                let copy = fcntl($0, F_DUPFD_CLOEXEC, 0)
                guard copy >= 0 else { throw IOError(errnoCode: errno, reason: "dup") }
                return copy
            } ?? -1
        }.get()
    }

    /// Asks WebSockets to close; requests go on.
    package func retireUpgraded() {
        for loop in loops { loop.eventLoop.execute { loop.retireUpgraded() } }
    }

    /// Stops accepting, lets what is in flight finish within `grace`, and closes what is left then.
    ///
    /// With `patience` a connection on which nothing is asked has another second or two: what its client sends
    /// in that time is answered as ever, and the connection closes with the answer. So nobody who has just
    /// been let in, or is about to ask again, finds it closed.
    package func stop(grace: Duration, patience: Bool = false) async {
        if patience {
            // What the kernel has handed over already is on its way through the loops.
            try? await channel.setOption(.autoRead, value: false).get()
            try? await channel.eventLoop.scheduleTask(in: .milliseconds(100)) {}.futureResult.get()
        }
        try? await channel.close().get()
        let empty = loops.map { loop in loop.eventLoop.flatSubmit { loop.retire(patience: patience) } }
        guard let first = loops.first?.eventLoop else { return }
        let limit = first.scheduleTask(in: .nanoseconds(grace.nanoseconds)) { [loops] in
            for loop in loops { loop.eventLoop.execute { loop.end() } }
        }
        // What `end` closes empties the loops as well, so this waits no longer than the grace.
        _ = try? await EventLoopFuture.whenAllComplete(empty, on: first).get()
        limit.cancel()
        for loop in loops { try? await loop.eventLoop.submit { loop.end() }.get() }
    }
}

extension ServerError {
    /// The error of a bind, in words.
    init(_ error: any Error, host: String, port: Int) {
        let place = "port \(port) on \(host)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            let remedy = "stop what listens there, choose another port, or give 0 for one that is free"
            self.init(code: "port_in_use", message: "\(place) is in use; \(remedy)")
        case EACCES:
            let remedy = "choose a port from 1024 up, or grant the capability CAP_NET_BIND_SERVICE"
            self.init(code: "port_forbidden", message: "\(place) may not be opened by this user; \(remedy)")
        case EADDRNOTAVAIL:
            let remedy = "use an address of this machine, 127.0.0.1 or 0.0.0.0"
            self.init(
                code: "address_unavailable",
                message: "\(place): no interface has that address; \(remedy)"
            )
        default:
            self.init(code: "bind_failed", message: "\(place) cannot be opened: \(error)")
        }
    }
}

/// How much is read at once: 2 KiB, which holds nearly every request; from a client that fills it, 16 KiB.
///
/// A connection keeps its buffer while it is idle, which is the reason for both numbers; NIO's own choice
/// goes up to 64 KiB.
struct ReceiveSize: RecvByteBufferAllocator {
    private var size = 2048

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    func nextBufferSize() -> Int? { size }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard actualReadBytes >= size, size < 16 * 1024 else { return false }
        size = 16 * 1024
        return true
    }
}
