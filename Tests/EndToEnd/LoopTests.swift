import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

/// On its own, as the others of this target have a minute each and this one compiles.
@Suite("The developer's loop", .serialized, .timeLimit(.minutes(10)))
struct LoopTests {
    private let source = "Functions/Hello/HelloFunction.swift"
    private let manifest = "Functions/Hello/function.yaml"

    @Test(
        "a package of one's own is built, served and tested; what is saved is served, and no request fails"
    )
    func ownPackage() async throws {
        let project = try OwnProject()
        defer { project.remove() }
        try await project.make()
        let written = try project.read(source)
        try await project.serve { gateway, admin in
            let greeting = "\(gateway)/v1/hello/Ada"
            #expect(try await HTTP.get(greeting).json == ["greeting": "Good day, Ada!"])
            try await project.swiftlet("invoke", "counter", "--sample", "redis", in: project.path)
            let neighbours = try await workers(of: "counter", admin)
            #expect(!neighbours.isEmpty)
            try await settled(admin)
            let requests = Requests()
            try await requests.run(lanes: 2) {
                // Slow enough to leave the compiler a processor.
                try await Task.sleep(for: .milliseconds(10))
                return try await HTTP.get(greeting)
            } while: {
                try await edit(project, greeting)
                try await fail(project, greeting, admin)
                try await mend(project, greeting)
            }
            #expect(requests.failures == [] && requests.answered > 20)
            // Only the function whose sources were changed got new workers.
            #expect(try await workers(of: "counter", admin) == neighbours)
            try await moveRoute(project, gateway)
        }
        // Its test is of what was written.
        project.write(written, to: source)
        let ran = try await project.test()
        #expect(ran.status.succeeded, "\(ran.output.text)\(ran.errors.text)")
    }

    private func workers(of name: String, _ admin: String) async throws -> [Int] {
        let list = try await HTTP.get("\(admin)/v1/functions").json["functions"]?.arrayValue ?? []
        let entry = list.first { $0["name"]?.stringValue == name }
        return (entry?["pids"]?.arrayValue ?? []).compactMap(\.intValue)
    }

    /// Waits for the build at the start, after which a change is a matter of seconds.
    private func settled(_ admin: String) async throws {
        _ = try await eventually("the first build's end", within: .seconds(120)) {
            try await HTTP.get("\(admin)/v1/build").json["state"] == "done" ? true : nil
        }
    }

    private func served(_ greeting: String, _ url: String) async throws {
        let begin = Monotonic.now
        _ = try await eventually("`\(greeting)`", within: .seconds(120)) {
            try await HTTP.get(url).json["greeting"]?.stringValue == greeting ? true : nil
        }
        print("saved to served: \(Monotonic.now - begin)")
    }

    private func edit(_ project: OwnProject, _ url: String) async throws {
        project.write(try project.read(source).replacing("Good day", with: "Good evening"), to: source)
        try await served("Good evening, Ada!", url)
    }

    private func fail(_ project: OwnProject, _ url: String, _ admin: String) async throws {
        let broken = try project.read(source).replacing(
            "Good evening, \\(input.name)!",
            with: "\\(nobody)"
        )
        let line = broken.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
            $0.contains("nobody")
        }
        project.write(broken, to: source)
        let state = try await eventually("the compiler's error", within: .seconds(120)) {
            let state = try await HTTP.get("\(admin)/v1/build").json
            // Not `: nil`, which is a JSON too.
            return state["state"] == "failed" ? state : JSON?.none
        }
        let error = state["errors"]?[0]
        #expect(error?["file"]?.stringValue == source, "\(state.text)")
        #expect(error?["line"]?.intValue == (line ?? 0) + 1)
        #expect(project.output.contains("build failed: \(source):\((line ?? 0) + 1):"))
        #expect(try await HTTP.get(url).json == ["greeting": "Good evening, Ada!"])
    }

    private func mend(_ project: OwnProject, _ url: String) async throws {
        project.write(try project.read(source).replacing("\\(nobody)", with: "Good night!"), to: source)
        try await served("Good night!", url)
    }

    private func moveRoute(_ project: OwnProject, _ gateway: String) async throws {
        let begin = Monotonic.now
        project.write(try project.read(manifest).replacing("/v1/hello", with: "/v1/hullo"), to: manifest)
        _ = try await eventually("the new route", within: .seconds(30)) {
            try await HTTP.get("\(gateway)/v1/hullo/Ada").status == 200 ? true : nil
        }
        print("manifest saved to in force: \(Monotonic.now - begin)")
    }
}
