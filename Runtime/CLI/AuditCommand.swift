import ArgumentParser
import FunctionCore
import HostKit
import Storage

/// `swiftlet audit`.
struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Recounts what was accepted and what became of it; exit code 1 where it does not add up.",
        discussion: """
            Of each function: accepted = completed + dead-lettered + cancelled + pending. What expired is a \
            dead letter. Asks the running host; where none runs, reads the journal in the data directory.
            """
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() async throws {
        let report = try await report()
        let lines = report["lines"]?.arrayValue ?? []
        if output.json {
            print(report.text)
        } else {
            table(lines)
        }
        guard report["balanced"]?.boolValue == true else { throw ExitCode(1) }
    }

    private func report() async throws -> JSON {
        if address.admin != nil { return askHost() }
        do {
            return try await auditStopped(address.directory)
        } catch let error as HostError {
            // Who is refused the directory's lock asks the host that has it.
            guard readText("\(address.directory)/host.json") != nil else { leaveFor(error) }
            return askHost()
        } catch let error as StorageError {
            leave(73, error.message)
        }
    }

    private func askHost() -> JSON {
        HostClient(base: address.urls().admin).value("GET", "/v1/audit")
    }

    private func table(_ lines: [JSON]) {
        let columns = ["accepted", "completed", "dead_lettered", "cancelled", "pending"]
        let width = max(8, (lines.compactMap { $0["function"]?.stringValue?.count }.max() ?? 0) + 2)
        let head = columns.map { Banner.padded($0.replacingUnderscore, 15) }.joined()
        let place = max(10, (lines.compactMap { $0["source"]?.stringValue?.count }.max() ?? 0) + 2)
        print(Banner.padded("function", width) + Banner.padded("source", place) + head)
        for line in lines {
            let name = Banner.padded(line["function"]?.stringValue ?? "", width)
            let source = Banner.padded(line["source"]?.stringValue ?? "", place)
            print(name + source + columns.map { Banner.padded("\(line[$0]?.intValue ?? 0)", 15) }.joined())
            for problem in line["problems"]?.arrayValue ?? [] {
                print("  does not add up: \(problem.stringValue ?? "")")
            }
        }
    }
}

extension String {
    fileprivate var replacingUnderscore: String { String(map { $0 == "_" ? "-" : $0 }) }
}
