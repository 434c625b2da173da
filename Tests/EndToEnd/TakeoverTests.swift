import FunctionCore
import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

extension Scenarios {
    @Suite("One host process in another's place", .timeLimit(.minutes(2)))
    struct TakeoverTests {
        private func place() throws -> TemporaryPlace {
            let place = try TemporaryPlace()
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            return place
        }

        private func post(_ url: String, _ body: JSON) async throws -> HTTP.Answer {
            try await HTTP.send("POST", url, body.bytes(), [.json])
        }

        /// Runs `body` while clients with new connections, slow requests and kept connections go on; none of
        /// them may fail.
        private func underLoad(_ gateway: String, while body: () async throws -> Void) async throws {
            let port = try #require(gateway.split(separator: ":").last.flatMap { Int($0) })
            let (quick, slow, kept) = (Requests(), Requests(), Requests())
            try await quick.run(lanes: 3) {
                try await post("\(gateway)/echo", ["a": 1])
            } while: {
                try await slow.run(lanes: 1) {
                    try await post("\(gateway)/slow", ["ms": 300])
                } while: {
                    let client = Mutex(KeepAliveClient(port: port))
                    try await kept.run(lanes: 1) {
                        let fault = try await onThread { client.withLock { $0.ask() } }
                        try await Task.sleep(for: .milliseconds(10))
                        return HTTP.Answer(
                            status: fault == nil ? 200 : 0,
                            headers: [],
                            body: Bytes(fault ?? "")
                        )
                    } while: {
                        try await body()
                    }
                }
            }
            #expect(quick.failures == [] && quick.answered > 10)
            #expect(slow.failures == [] && slow.answered > 1)
            #expect(kept.failures == [] && kept.answered > 10)
        }

        @Test("under load, by --take-over and by SIGUSR2: no connection is refused, no request fails")
        func takeover() async throws {
            let place = try place()
            defer { place.remove() }
            let first = try ServeProcess(in: place.path)
            let gateway = try await first.ready().gateway
            let second = try await { () async throws -> ServeProcess in
                var second: ServeProcess?
                try await underLoad(gateway) {
                    _ = try await eventually("some load") {
                        try await post("\(gateway)/echo", [:]).status == 200 ? 1 : nil
                    }
                    let new = try ServeProcess(in: place.path, ["--take-over"])
                    second = new
                    #expect(try await new.ready().gateway == gateway)
                    #expect(try await first.ended() == .exited(0))
                }
                return try #require(second)
            }()
            try await underLoad(gateway) {
                second.signal(SIGUSR2)
                #expect(try await second.ended() == .exited(0))
                _ = try await eventually("the third") {
                    ServeProcess.serving(in: place.path).map { $0 != second.pid } == true ? true : nil
                }
            }
            let third = try #require(ServeProcess.serving(in: place.path))
            #expect(try await post("\(gateway)/echo", [:]).status == 200)
            kill(third, SIGTERM)
            _ = try await eventually("the third's end") { Text.isAlive(third) ? nil : true }
        }

        @Test(
            "a successor with a fault leaves the old host serving, even where it fails with the data in hand"
        )
        func failure() async throws {
            let place = try place()
            defer { place.remove() }
            let first = try ServeProcess(in: place.path)
            let gateway = try await first.ready().gateway
            try await underLoad(gateway) {
                // Found before anything is handed over.
                let port = try ServeProcess(in: place.path, ["--take-over", "--bundle", "/nowhere"])
                #expect(try await port.ended() == .exited(78))
                // Found when the old host has closed its stores: it opens them again.
                let late = try ServeProcess(in: place.path, ["--take-over"], more: "redis: {url: nonsense}")
                #expect(try await late.ended() == .exited(78))
                #expect(try await first.ready().gateway == gateway)
                #expect(try await post("\(gateway)/echo", [:]).status == 200)
            }
            #expect(first.status == nil)
            first.signal(SIGTERM)
            #expect(try await first.ended() == .exited(0))
        }

        @Test("without a host to take over from, --take-over starts like any other")
        func nobody() async throws {
            let place = try place()
            defer { place.remove() }
            let host = try ServeProcess(in: place.path, ["--take-over"])
            let gateway = try await host.ready().gateway
            #expect(try await post("\(gateway)/echo", [:]).status == 200)
            host.signal(SIGTERM)
            #expect(try await host.ended() == .exited(0))
        }

        @Test(
            "a socket that the service manager holds outlives its host: who comes in between is answered by the next"
        )
        func activation() async throws {
            let place = try place()
            defer { place.remove() }
            let (listener, port) = try listen()
            defer { close(listener) }
            for _ in 0..<2 {
                // Nobody accepts yet; the connection waits in the socket.
                let waiting = Task { try await post("http://127.0.0.1:\(port)/echo", ["a": 1]) }
                let host = try ServeProcess(in: place.path, listening: listener)
                #expect(try await host.ready().gateway == "http://127.0.0.1:\(port)")
                #expect(try await waiting.value.status == 200)
                host.signal(SIGTERM)
                #expect(try await host.ended() == .exited(0))
            }
        }

        /// A socket that listens on a free port of loopback.
        private func listen() throws -> (descriptor: Int32, port: Int) {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                // SAFETY: a sockaddr_in begins as a sockaddr does, and its own size is given with it.
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) + Glibc.listen(descriptor, 64)
                        + getsockname(descriptor, address, &length)
                }
            }
            try #require(status == 0)
            return (descriptor, Int(in_port_t(bigEndian: address.sin_port)))
        }
    }
}
