import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("swiftlet cron", .timeLimit(.minutes(1)))
    struct CronCommandTests {
        private func next(_ arguments: String..., input: String? = nil) async throws -> Ran {
            try await DevHost.swiftlet(["cron", "next"] + arguments, input: input)
        }

        @Test("the next times are printed in UTC and by the zone's clock, or as one JSON array")
        func next() async throws {
            let rest = ["--zone", "America/New_York", "--from", "2026-03-07T07:30:00Z", "--count", "2"]
            let plain = try await DevHost.swiftlet(["cron", "next", "30 2 * * *"] + rest)
            #expect(
                plain.lines == [
                    "2026-03-08T07:00:00Z  2026-03-08T03:00:00-04:00 America/New_York",
                    "2026-03-09T06:30:00Z  2026-03-09T02:30:00-04:00 America/New_York",
                ],
                "\(plain.all)"
            )
            let json = try await DevHost.swiftlet(["cron", "next", "30 2 * * *", "--json"] + rest)
            #expect(json.output == "[\"2026-03-08T07:00:00Z\",\"2026-03-09T06:30:00Z\"]\n" && json.code == 0)
            let shifted = try await DevHost.swiftlet(
                ["cron", "next", "0 30 2 ? * *", "--dialect", "quartz", "--dst", "shift", "--json"] + rest
            )
            #expect(
                shifted.output == "[\"2026-03-08T07:30:00Z\",\"2026-03-09T06:30:00Z\"]\n",
                "\(shifted.all)"
            )
            let local = try await next("0 9 * * *", "--from", "2026-03-08 09:00 UTC", "--count", "1")
            #expect(local.output == "2026-03-09T09:00:00Z\n", "\(local.all)")
        }

        @Test("words that are off end with 64 and say what is allowed; a date that never comes is told")
        func faults() async throws {
            let field = try await next("61 * * * *")
            #expect(field.code == 64 && field.errors.contains("field minute: \"61\" is not within 0-59"))
            let zone = try await next("* * * * *", "--zone", "Mars/Olympus")
            #expect(zone.code == 64 && zone.errors.contains("Mars/Olympus"))
            let gap = try await next("* * * * *", "--from", "2026-03-08 02:30 America/New_York")
            #expect(gap.code == 64 && gap.errors.contains("leaves this time out"), "\(gap.all)")
            for words in [
                ["--dst", "never"], ["--dialect", "posix"], ["--count", "100001"], ["--from", "now"],
            ] {
                #expect(try await DevHost.swiftlet(["cron", "next", "* * * * *"] + words).code == 64)
            }
            #expect(try await next().code == 64)
            let never = try await next("0 0 30 2 *")
            #expect(never.code == 0 && never.output.isEmpty && never.errors.contains("never comes"))
        }

        @Test("check tells each wrong expression with file, line and hint, and warns of one that never comes")
        func check() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            let folder = try #require(options.schedules)
            func checked(_ line: String) async throws -> Ran {
                let text = "schedule: one\nfunction: echo\n\(line)\n"
                Text.write(text.utf8, to: "\(folder)/one.yaml")
                return try await DevHost.swiftlet(
                    ["check", "--functions", options.functions ?? "", "--schedules", folder]
                        + ["--bundle", options.bundle ?? ""]
                )
            }
            let wrong = try await checked("cron: \"30 9 * * 1-9\"")
            #expect(wrong.code == 78 && wrong.output.contains("one.yaml:3: cron: "), "\(wrong.all)")
            #expect(wrong.output.contains("field day of week: \"1-9\" is not within 0-7"), "\(wrong.all)")
            #expect(wrong.output.contains("such as 30 9 * * 1-5"), "\(wrong.all)")
            let never = try await checked("cron: \"0 0 30 2 *\"")
            #expect(never.code == 0 && never.output.contains("all is well"), "\(never.all)")
            #expect(
                never.output.contains("one.yaml:3: cron: cron \"0 0 30 2 *\" never comes"),
                "\(never.all)"
            )
        }

        @Test("a batch gets one line of answer for each line, and a bad one does not stop the rest")
        func batch() async throws {
            let long = String(repeating: " ", count: 40_000)
            let input = """
                {"expr":"0 9 * * 1-5","zone":"America/New_York","from":"2026-03-06T14:00:00Z","count":2}
                {"expr":"0 99 * * *","zone":"UTC","from":"2026-03-06T14:00:00Z","count":2}
                nonsense

                \(long)
                {"expr":"0 0 30 2 *","zone":"UTC","from":"2026-03-06T14:00:00Z","count":2}
                {"expr":"* * * * *","zone":"UTC","from":"2026-03-06T14:00:00Z","count":"2"}
                {"expr":"30 1 * * *","zone":"America/New_York","from":"2026-11-01T00:00:00Z","count":2,"dst":"both"}
                {"expr":"0 0 12 ? * 2","zone":"UTC","from":"2026-03-06T14:00:00Z","count":1,"dialect":"quartz"}
                {"expr":"*/15 * * * * *","from":"2026-03-06T14:00:00.5+01:00","count":1}
                """
            let ran = try await next("--batch", input: input)
            #expect(ran.code == 0 && ran.lines.count == 10, "\(ran.all)")
            let answers = try ran.lines.map { try JSON.parse(Bytes($0)) }
            let expected: [Int: JSON] = [
                0: ["2026-03-09T13:00:00Z", "2026-03-10T13:00:00Z"], 5: [],
                7: ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"], 8: ["2026-03-09T12:00:00Z"],
                9: ["2026-03-06T13:00:15Z"],
            ]
            for (index, answer) in answers.enumerated() {
                if let wanted = expected[index] {
                    #expect(answer == wanted, "line \(index)")
                } else {
                    #expect(answer["error"]?.stringValue?.isEmpty == false, "line \(index): \(answer.text)")
                }
            }
            #expect(ran.lines.first == "[\"2026-03-09T13:00:00Z\",\"2026-03-10T13:00:00Z\"]")
        }
    }
}
