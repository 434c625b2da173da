import ArgumentParser
import FunctionCore
import HostKit
import Settings

/// `swiftlet clock`.
struct Clock: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows and sets the wall clock of a development host.",
        discussion: "Time limits of functions, grace and idleness follow the real clock always.",
        subcommands: [Show.self, Set.self, Advance.self, Speed.self, Freeze.self]
    )

    fileprivate static func show(_ clock: JSON, _ output: OutputOptions) {
        if output.json { return print(clock.text) }
        let speed = clock["speed"]?.doubleValue ?? 1
        let kind =
            clock["virtual"]?.boolValue != true
            ? "real" : speed == 0 ? "virtual, stands still" : "virtual, speed \(speed)"
        print("\(clock["now"]?.stringValue ?? "")  (\(kind))")
    }

    fileprivate static func change(_ body: JSON, _ address: HostAddress, _ output: OutputOptions) {
        show(HostClient(base: address.urls().admin).value("POST", "/v1/clock", body: body), output)
    }

    /// `swiftlet clock show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the clock.")
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.show(HostClient(base: address.urls().admin).value("GET", "/v1/clock"), output)
        }
    }

    /// `swiftlet clock set`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sets the clock to an instant.")
        @Argument(help: "Such as 2026-11-20T14:25:00Z or \"2026-11-20 09:25 America/New_York\".")
        var instant: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.change(["set": .string(instant)], address, output)
        }
    }

    /// `swiftlet clock advance`.
    struct Advance: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Moves the clock, forwards or back.")
        @Argument(help: "Such as 30s, 5m, 8h, 2d; -1h moves it back.") var duration: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let isBack = duration.hasPrefix("-")
            guard let step = parseDuration(String(duration.dropFirst(isBack ? 1 : 0))) else {
                leave(64, "`\(duration)` is no duration; write 30s, 5m, 8h or 2d, or -1h to go back")
            }
            Clock.change(["advance": .number(step.milliseconds / (isBack ? -1000 : 1000))], address, output)
        }
    }

    /// `swiftlet clock speed`.
    struct Speed: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sets how many seconds pass in a real one.")
        @Argument(help: "0 stands still, 60 passes a minute in a second.") var factor: Double
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            guard (0...100_000).contains(factor) else {
                leave(64, "the speed \(factor) is not within 0, which stands still, and 100000")
            }
            Clock.change(["speed": .number(factor)], address, output)
        }
    }

    /// `swiftlet clock freeze`.
    struct Freeze: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets the clock stand still; `set` and `advance` move it, `speed 1` lets it go on."
        )
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.change(["speed": 0], address, output)
        }
    }
}
