import FunctionCore
import Foundation
import Invocations
import Scaling
import Settings
import Testing

@Suite("recorded traces", .timeLimit(.minutes(1)))
struct ReplayTests {
    /// The remark `scale:` of a trace, read as in a `function.yaml`.
    private func scale(_ text: String, _ file: String) throws -> Manifest.Scale {
        let remark = try #require(text.split(separator: "\n").first { $0.hasPrefix("# scale: ") })
        let problems = Problems()
        var scale = Manifest.Scale()
        let root = SettingsNode.parse(String(remark.dropFirst(2)), file: file, problems: problems)
        if let node = root?.members(["scale"])["scale"] { ScaleReader.read(node, &scale) }
        #expect(problems.all == [])
        return scale
    }

    private func replay(_ name: String) throws -> (text: String, decisions: [ScaleDecision]) {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden/scaling/\(name).csv")
        let text = try String(contentsOf: path, encoding: .utf8)
        let trace = try ScaleTrace(text)
        let decisions = trace.replay(try scale(text, path.lastPathComponent))
        let remarks = text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { "\($0)\n" }.joined()
        let actual = remarks + trace.text(decisions)
        if ProcessInfo.processInfo.environment["GOLDEN"] == "update" {
            try actual.write(to: path, atomically: true, encoding: .utf8)
        } else {
            #expect(actual == text, "\(name)")
        }
        return (actual, decisions)
    }

    @Test(
        "a recorded trace leads to the workers that its golden file lists",
        arguments: [
            "hpa-cpu", "connected-users", "queue-depth", "busy-loop", "request-rate", "tier-general",
            "tier-ai", "reserved-base", "panic-burst",
        ]
    )
    func golden(_ name: String) throws {
        _ = try replay(name)
    }

    @Test("0, 25 and again 0 connected users are 0, 3 and 0 workers, one step after the other")
    func users() throws {
        var steps: [Int] = []
        for decision in try replay("connected-users").decisions where steps.last != decision.wanted {
            steps.append(decision.wanted)
        }
        #expect(steps == [0, 1, 2, 3, 2, 1, 0])
    }

    @Test("a reserved worker never goes, however long nothing comes")
    func reserved() throws {
        #expect(try replay("reserved-base").decisions.map(\.wanted).min() == 1)
    }

    @Test("of one load the tier with the models takes more workers, earlier, and none when it is over")
    func tiers() throws {
        let general = try replay("tier-general").decisions.map(\.wanted)
        let models = try replay("tier-ai").decisions.map(\.wanted)
        let rise = try #require(general.firstIndex { $0 > 1 })
        #expect(models[rise] > general[rise])
        #expect((models.max() ?? 0) >= 3 * (general.max() ?? 0))
        #expect(general.last == 1)
    }

    @Test("a trace that cannot be read is refused with the line and what is wrong")
    func faults() {
        func fault(_ text: String) -> String {
            do {
                _ = try ScaleTrace(text)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(fault("# a\ntime,cpus\n").hasPrefix("line 2: `cpus` is no column"))
        #expect(fault("cpu\n1\n").hasPrefix("line 1: a column `time`"))
        #expect(fault("time,cpu\n1,x\n").hasPrefix("line 2: cpu: `x` is no number"))
        #expect(fault("time,cpu\n1,1\n1,2\n").hasPrefix("line 3: time"))
    }
}
