import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet jobs`.
struct Jobs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The running host's jobs and dead letters.",
        subcommands: [
            List.self, Show.self, Retry.self, Cancel.self, Tail.self, Redrive.self, Purge.self,
        ],
        defaultSubcommand: List.self
    )

    /// Which jobs are meant.
    struct Selection: ParsableArguments {
        @Option(help: "Only this function's.") var function: String?
        @Option(help: "Only those whose last error has this code.") var error: String?
        @Option(help: "Only those that changed last at or after that instant, as 2026-11-20T14:25:00Z.")
        var from: String?
        @Option(help: "Only those that changed last before that instant.") var until: String?

        func query(_ more: [(String, String?)] = []) -> String {
            let all = [("function", function), ("error", error), ("from", from), ("until", until)] + more
            return all.compactMap { name, value in value.map { "\(name)=\(encoded($0))" } }
                .joined(separator: "&")
        }

        var isEmpty: Bool { function == nil && error == nil && from == nil && until == nil }
    }

    /// A host that is asked, and a job of it.
    struct OneJob: ParsableArguments {
        @Argument(help: "The job's id.") var id: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func value(_ method: String, _ step: String = "") -> JSON {
            let client = HostClient(base: address.urls().admin)
            return client.value(method, "/v1/jobs/\(encoded(id))\(step)")["job"] ?? .null
        }
    }

    /// A job as one line.
    static func line(_ job: JSON) -> String {
        let text = ["id", "state", "function", "stage"].map {
            Banner.padded(job[$0]?.stringValue ?? "-", 14)
        }.joined()
        let fault = job["error"].map {
            "\($0["code"]?.stringValue ?? ""): \($0["message"]?.stringValue ?? "")"
        }
        return "\(text)\(job["percent"]?.intValue ?? 0) %  \(fault ?? "")"
    }
}

extension Jobs {
    /// `swiftlet jobs list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists jobs, newest first.")

        @Option(
            help: "Only this state's: queued, running, retry_wait, completed, failed, cancelled, expired."
        )
        var state: String?
        @Option(help: "How many at most, 1 to 500.") var limit = 50
        @Option(help: "The next page: the `next` that --json shows.") var before: Int?
        @OptionGroup var selection: Selection
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let query = selection.query([
                ("state", state), ("limit", "\(limit)"), ("before", before.map { "\($0)" }),
            ])
            let answer = HostClient(base: address.urls().admin).value("GET", "/v1/jobs?\(query)")
            let jobs = answer["jobs"]?.arrayValue ?? []
            for job in jobs { print(output.json ? job.text : Jobs.line(job)) }
            if jobs.count == limit, let next = answer["next"]?.intValue {
                writeError("there may be more: --before \(next)")
            }
        }
    }

    /// `swiftlet jobs show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a job with its result or its error, and each attempt that failed."
        )

        @OptionGroup var job: OneJob

        func run() {
            let found = job.value("GET")
            print(job.output.json ? found.text : found.bytes(pretty: true).text)
        }
    }

    /// `swiftlet jobs retry`.
    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Queues a dead letter, or a cancelled job, once more with all its attempts."
        )

        @OptionGroup var job: OneJob

        func run() {
            let found = job.value("POST", "/retry")
            print(job.output.json ? found.text : Jobs.line(found))
        }
    }

    /// `swiftlet jobs cancel`.
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a job.",
            discussion: """
                One that waits never runs. One that runs is asked to stop, and its worker is ended where it \
                does not within the function's grace.
                """
        )

        @OptionGroup var job: OneJob

        func run() {
            let found = job.value("POST", "/cancel")
            print(job.output.json ? found.text : Jobs.line(found))
        }
    }

    /// `swiftlet jobs tail`.
    struct Tail: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints each change of a job until it has ended; exit code 1 where it did not complete."
        )

        @OptionGroup var job: OneJob

        func run() throws {
            var last: JSON?
            while true {
                let found = job.value("GET")
                if found["revision"] != last?["revision"] {
                    print(job.output.json ? found.text : Jobs.line(found))
                    fflush(nil)
                }
                last = found
                switch found["state"]?.stringValue {
                case "completed": return
                case "failed", "cancelled", "expired": throw ExitCode(1)
                default: usleep(200_000)
                }
            }
        }
    }
}

// MARK: - Dead letters

extension Jobs {
    /// Many dead letters, and whether all of them may be meant.
    struct Many: ParsableArguments {
        @OptionGroup var selection: Selection
        @Flag(help: "All dead letters; needed where nothing else is said.") var all = false
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func post(_ step: String, _ what: String) {
            guard all || !selection.isEmpty else {
                leave(64, "say which: --function, --error, --from, --until, or --all")
            }
            let path = "/v1/jobs/\(step)?\(selection.query())"
            let answer = HostClient(base: address.urls().admin).value("POST", path)
            print(output.json ? answer.text : "\(answer["jobs"]?.intValue ?? 0) \(what)")
        }
    }

    /// `swiftlet jobs redrive`.
    struct Redrive: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Queues dead letters once more, failed and expired ones, with all their attempts."
        )

        @OptionGroup var many: Many

        func run() { many.post("redrive", "dead letters are queued again") }
    }

    /// `swiftlet jobs purge`.
    struct Purge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes dead letters, failed and expired ones; their numbers stay in the audit."
        )

        @OptionGroup var many: Many

        func run() { many.post("purge", "dead letters are removed") }
    }
}
