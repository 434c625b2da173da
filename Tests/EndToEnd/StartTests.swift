import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("Starting a host", .timeLimit(.minutes(1)))
    struct StartTests {
        @Test("dev comes up on free ports, writes host.json and prints where everything is")
        func comesUp() async throws {
            try await DevHost.run { host in
                let note = try JSON.parse(Bytes(try #require(Text.read("\(host.data)/host.json"))))
                #expect(note["pid"]?.intValue == host.pid.map { Int($0) })
                #expect(
                    note["gateway"]?.stringValue == host.gateway
                        && host.gateway.hasPrefix("http://127.0.0.1:")
                )
                #expect(note["admin"]?.stringValue == host.admin && host.admin != host.gateway)
                #expect(!host.gateway.hasSuffix(":0") && !host.admin.hasSuffix(":0"))
                let banner = try await eventually("the banner") {
                    host.output.contains("Ctrl-C ends everything") ? host.output : nil
                }
                let functions = [
                    "questionnaire", "script", "video", "persona-image", "motto", "chatbot", "trading",
                    "learning",
                ]
                for word in functions + [host.gateway, host.admin, host.data, "offline", "redis.sock"] {
                    #expect(banner.contains(word), "the banner does not say \(word)")
                }
                #expect(banner.contains("POST /v1/users/{user}/videos (job)"))
                #expect(banner.contains("stream events:script.generated"))
                let next = banner.split(separator: "\n").drop { !$0.hasPrefix("  next") }.dropFirst()
                #expect(next.first?.contains("window") == true, "no schedule event in the banner")
            }
        }

        @Test("a second host on the same data directory exits with 73 and names the holder")
        func secondHost() async throws {
            try await DevHost.run { host in
                let pid = try #require(host.pid)
                let second = try await host.swiftlet("dev", "--port", "0", "--admin-port", "0")
                #expect(second.code == 73, "\(second.all)")
                #expect(
                    second.errors.contains("\(pid)") && second.errors.contains("--data"),
                    "\(second.errors)"
                )
                #expect(try await host.get("/v1/questionnaires").status == 200, "the first host is harmed")
                #expect(Text.read("\(host.data)/host.json") != nil, "the second host took host.json away")
            }
        }

        @Test("a busy port exits with 75, names the port and leaves no process behind")
        func busyPort() async throws {
            try await DevHost.run { host in
                let port = try #require(host.gateway.split(separator: ":").last.map(String.init))
                let place = try TemporaryPlace()
                defer { place.remove() }
                let ran = try await DevHost.swiftlet([
                    "dev", "--port", port, "--admin-port", "0", "--data", "\(place.path)/data",
                ])
                #expect(ran.code == 75, "\(ran.all)")
                #expect(ran.errors.contains("port \(port)") && ran.errors.contains("in use"), "\(ran.errors)")
                #expect(Text.read("\(place.path)/data/host.json") == nil)
                let redis = Text.read("\(place.path)/data/redis/redis.pid").flatMap {
                    pid_t($0.prefix { $0.isNumber })
                }
                if let redis { #expect(!Text.isAlive(redis), "its redis-server \(redis) still runs") }
            }
        }

        @Test("a broken project exits with 78 and tells all faults at once with file, line and hint")
        func brokenProject() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let project = try BrokenProject(in: place.path)
            let arguments = [
                "--functions", project.functions, "--schedules", "\(Installed.project)/schedules",
            ]
            let bundle = ["--bundle", "\(Installed.directory)/functions"]
            let ports = ["--port", "0", "--admin-port", "0", "--data", "\(place.path)/data"]
            let dev = try await DevHost.swiftlet(["dev"] + arguments + bundle + ports)
            let check = try await DevHost.swiftlet(["check"] + arguments + bundle)
            for ran in [dev, check] {
                #expect(ran.code == 78, "\(ran.all)")
                for fault in project.faults {
                    let line = ran.all.split(separator: "\n").first { $0.contains(fault.place) }
                    let told = try #require(line, "no line names \(fault.place): \(ran.all)")
                    #expect(told.contains(fault.word) && told.contains("("), "\(told)")
                }
            }
            let json = try await DevHost.swiftlet(["check", "--json"] + arguments + bundle)
            let objects = try json.lines.map { try JSON.parse(Bytes($0)) }
            #expect(objects.count >= project.faults.count)
            #expect(
                objects.allSatisfy {
                    $0["file"]?.stringValue != nil && $0["hint"]?.stringValue?.isEmpty == false
                }
            )
        }

        @Test("the faults of a configuration file and of the project are told in one go")
        func brokenSettings() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let project = try BrokenProject(in: place.path)
            let file = "\(place.path)/swiftlet.yaml"
            Text.write("gateway: {prot: 1, host: 0.0.0.0}\nlog: {level: loud}\n".utf8, to: file)
            let schedules = "\(Installed.project)/schedules"
            let ran = try await DevHost.swiftlet([
                "serve", "--config", file, "--functions", project.functions, "--schedules", schedules,
            ])
            #expect(ran.code == 78, "\(ran.all)")
            let faults = ["gateway.prot", "gateway.host", "log.level"] + project.faults.map(\.place)
            for fault in faults { #expect(ran.errors.contains(fault), "\(fault): \(ran.errors)") }
        }

        @Test("a gateway that others could reach is refused while nothing authenticates callers")
        func openGateway() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let ran = try await DevHost.swiftlet(
                ["dev", "--port", "0", "--admin-port", "0", "--data", "\(place.path)/data"],
                environment: ["SWIFTLET_HOST": "0.0.0.0"]
            )
            #expect(ran.code == 78, "\(ran.all)")
            #expect(
                ran.errors.contains("SWIFTLET_HOST") && ran.errors.contains("authenticates"),
                "\(ran.errors)"
            )
        }

        @Test("a bundle that is missing exits with 78 and says how to build it")
        func missingBundle() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let ran = try await DevHost.swiftlet([
                "dev", "--port", "0", "--admin-port", "0", "--data", "\(place.path)/data", "--bundle",
                "\(place.path)/nothing",
            ])
            #expect(ran.code == 78, "\(ran.all)")
            #expect(
                ran.errors.contains("\(place.path)/nothing") && ran.errors.contains("make build"),
                "\(ran.errors)"
            )
        }
    }
}

/// A copy of the project's manifests with three faults in them.
private struct BrokenProject {
    struct Fault {
        var place: String
        var word: String
    }

    let functions: String
    let faults: [Fault]

    init(in directory: String) throws {
        functions = "\(directory)/Functions"
        mkdir(functions, 0o700)
        for folder in Text.names(in: "\(Installed.project)/Functions") {
            guard let text = Text.read("\(Installed.project)/Functions/\(folder)/function.yaml") else {
                continue
            }
            mkdir("\(functions)/\(folder)", 0o700)
            Text.write(text.utf8, to: "\(functions)/\(folder)/function.yaml")
        }
        faults = [
            try BrokenProject.change("\(functions)/Motto", "timeout: 60s", "timeout: soon", word: "duration"),
            try BrokenProject.change("\(functions)/Video", "speech", "speach", word: "speech"),
            try BrokenProject.change(
                "\(functions)/Trading",
                "/v1/trading/status",
                "/v1/learning/status",
                word: "learning"
            ),
        ]
    }

    /// Replaces the first `old` and tells where it was.
    private static func change(_ folder: String, _ old: String, _ new: String, word: String) throws -> Fault {
        let file = "\(folder)/function.yaml"
        let text = try #require(Text.read(file))
        let range = try #require(text.firstRange(of: old), "\(file) has no \(old)")
        let line = text[..<range.lowerBound].count { $0.isNewline } + 1
        Text.write(text.replacing(old, with: new, maxReplacements: 1).utf8, to: file)
        return Fault(place: "\(file):\(line)", word: word)
    }
}
