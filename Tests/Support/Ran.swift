import FunctionCore
import Glibc
import Processes

/// A program that ran to its end, and what it said.
package struct Ran: Sendable {
    package var code: Int32
    package var output: String
    package var errors: String

    package var lines: [String] { output.split(separator: "\n").map(String.init) }
    /// Both outputs, for a message.
    package var all: String { output + errors }

    /// Runs a program, 30 seconds at most.
    package static func run(_ spec: ChildSpec, input: String? = nil) async throws -> Ran {
        var spec = spec
        var ends: [Int32] = [-1, -1]
        if let input {
            guard pipe(&ends) == 0 else { throw DevHost.Failure("no pipe: errno \(errno)") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            // At most what a pipe holds, so that nobody has to read yet.
            precondition(write(ends[1], input, input.utf8.count) == input.utf8.count)
            close(ends[1])
            spec.descriptors[0] = ends[0]
        }
        defer { close(ends[0]) }
        let ran = try await ChildProcess.run(spec, timeout: .seconds(30))
        guard case .exited(let code) = ran.status else {
            throw DevHost.Failure("\(spec.executable) ended by \(ran.status): \(ran.errors.text)")
        }
        return Ran(code: code, output: ran.output.text, errors: ran.errors.text)
    }
}

/// Looks again and again until there is something.
///
/// For what real processes do; a test of one module hands it its time instead.
package func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(30),
    _ look: () async throws -> Value?
) async throws -> Value {
    let end = Monotonic.now + limit
    while true {
        if let value = try await look() { return value }
        guard Monotonic.now < end else { throw DevHost.Failure("\(what) did not come within \(limit)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs what blocks on a thread of its own.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        startThread("test") { continuation.resume(with: Result { try body() }) }
    }
}
