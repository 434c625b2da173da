/// Something that code must not say, but in the places that are named here with their reason.
struct BannedWord: Sendable {
    let word: Word
    /// Where it is banned: beginnings of paths.
    let scope: [String]
    /// Where it is allowed nevertheless: beginnings of paths, each with its reason beside it in the table.
    let allowed: [String]
    let fix: String

    init(_ word: String, in scope: [String] = product, except allowed: [String] = [], fix: String) {
        self.word = Word(word)
        self.scope = scope
        self.allowed = allowed
        self.fix = fix
    }

    /// Every line of a file's code that says the word, where it may not.
    func violations(in source: SourceText, of path: String) -> [Violation] {
        guard scope.contains(where: { path.hasPrefix($0) }), !allowed.contains(where: { path.hasPrefix($0) })
        else {
            return []
        }
        return source.code.indices.filter { word.isIn(source.code[$0]) }.map {
            Violation(path: path, line: $0 + 1, rule: "`\(word.text)` is banned here", fix: fix)
        }
    }
}

private let product = ["Runtime/", "Functions/"]
private let everywhere = ["Runtime/", "Functions/", "Tests/"]
/// The rooms where a worker's start-up time is spent, or that are pure.
private let lean = [
    "Runtime/Core/", "Runtime/Wire/", "Runtime/WorkerKit/", "Runtime/Scheduling/", "Runtime/Pool/",
    "Runtime/LambdaEvents/", "Functions/",
]
private let noFoundation = "use FunctionCore and Glibc; Foundation adds some 6 ms to a worker's start"
private let clock = "take the instant from Context.now or a HostClock, so that a virtual clock rules it"

extension BannedWord {
    static let table: [BannedWord] = [
        BannedWord("import Foundation", in: lean, fix: noFoundation),
        BannedWord("import FoundationEssentials", in: lean, fix: noFoundation),
        BannedWord("Date()", fix: clock),
        BannedWord("Date.now", fix: clock),
        BannedWord("gettimeofday(", fix: clock),
        BannedWord(
            "CLOCK_REALTIME",
            except: [
                "Runtime/HostKit/VirtualClock.swift",  // the host's one clock
                "Runtime/WorkerKit/Inline.swift",  // an inline run has no host that could give another
            ],
            fix: clock
        ),
        BannedWord(
            "Task.sleep",
            in: everywhere,
            except: [
                "Runtime/Providers/ProviderClient.swift",  // the wait of a retry, handed in by tests
                "Runtime/HostKit/OfflineServer.swift",  // a model's pace, in a process of its own
                "Runtime/CLI/",  // a command that waits for a host
                "Runtime/FunctionTesting/",  // a handler's time limit, in the tests of functions
                "Tests/EndToEnd/", "Tests/Support/",  // real processes answer when they answer
                "Tests/Fixtures/",  // functions that are slow on purpose
            ],
            fix: "wait for the event itself, or for a loop's timer; a test hands the machine its time"
        ),
        BannedWord(
            "DispatchQueue.global",
            in: everywhere,
            except: [
                "Runtime/Storage/SQLiteFile.swift"  // opening and closing: few calls in a host's life
            ],
            fix: "use a lane or a thread of its own (BlockingLane, startThread), which has a bound"
        ),
        BannedWord("Thread.", fix: "use startThread: blocking work has a named thread of its own"),
        BannedWord(
            "Foundation.Process",
            fix: "use ChildProcess; Foundation's leaks descriptors into children"
        ),
        BannedWord(
            "getenv(",
            except: [
                "Runtime/CLI/",  // resolves the settings, once
                "Runtime/Processes/ChildSpec.swift",  // PATH and LANG, which children are given
            ],
            fix: "add a key to Configuration"
        ),
        BannedWord("setenv(", fix: "pass an environment to ChildSpec"),
        BannedWord(
            "fatalError(",
            fix: "throw; for a programmer's error `preconditionFailure` with a sentence"
        ),
        BannedWord("print(", except: ["Runtime/CLI/"], fix: "log through Telemetry or Context.log"),
        BannedWord("try!", fix: "throw, or explain by preconditionFailure why it cannot fail"),
        BannedWord("as!", fix: "use `as?` and answer for nil"),
    ]
}
