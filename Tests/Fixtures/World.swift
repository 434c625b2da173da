import FunctionCore
import Glibc

/// Calls a binding and tells what came of it: `fetch` of the event's `url`, whose body it returns; `leave: 1` returns
/// without reading the answer, `emit` emits, `large` sends a body over the limit.
struct CallFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        switch settings.text("binding") {
        case "emit":
            try await context.bindings.emit(OutgoingEvent(type: "test.said", data: "hello"))
            return .text("emitted")
        case "state":
            return .text(try await context.bindings.state.get(settings.text("key")) ?? "nothing")
        case "large":
            let bytes = Bytes([UInt8](repeating: 1, count: 18 << 20))
            let reference = try await context.bindings.blobs.put("temp/large", bytes, contentType: "a/b")
            return .text(reference.key)
        case "orphan":
            // A call that outlives its invocation.
            let bindings = context.bindings
            Task.detached { _ = try? await bindings.state.get("slow") }
            try await pause(50)
            return .text("left")
        default:
            let answer = try await context.bindings.fetch.send(FetchRequest(url: settings.text("url")))
            return Reply(status: answer.head.status, body: answer.body)
        }
    }
}

/// What the process may do, as the kernel says.
struct LimitsFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let names = environmentNames().sorted().map { JSON.string($0) }
        return .json([
            "limits": .string(contents(of: "/proc/self/limits")),
            "status": .string(contents(of: "/proc/self/status")),
            "environment": .array(names),
            "granted": .string(context.environment["GRANTED"] ?? ""),
            "descriptors": .array(openDescriptors().map { .integer(Int64($0)) }),
            "group": .integer(Int64(getpgrp())),
            "users": .array([getuid(), geteuid(), getgid(), getegid()].map { .integer(Int64($0)) }),
            "directory": .string(environment("TMPDIR")),
        ])
    }

    private func environmentNames() -> [String] {
        var names: [String] = []
        var next = environ
        while let entry = next.pointee {
            names.append(String(String(cString: entry).prefix { $0 != "=" }))
            next += 1
        }
        return names
    }

    private func openDescriptors() -> [Int] {
        (0..<64).filter { fcntl(Int32($0), F_GETFD) >= 0 }
    }
}
