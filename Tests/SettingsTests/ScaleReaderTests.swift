import FunctionCore
import Invocations
import Scaling
import Settings
import Testing

@Suite("scale and resources in function.yaml", .timeLimit(.minutes(1)))
struct ScaleReaderTests {
    private func read(_ text: String) -> (manifest: Manifest?, problems: [Problem]) {
        let problems = Problems()
        let result = ManifestReader.read("name: a\n" + text, file: "function.yaml", problems: problems)
        return (result?.manifest, problems.all)
    }

    @Test("targets, windows and the panic mode are read")
    func scale() throws {
        let (manifest, problems) = read(
            """
            limits: {perWorker: 8}
            scale:
              min: 1
              max: 9
              target: {inFlight: 8, queueDepth: 4, connections: 10, requestRate: 50, cpu: 70}
              window: 40s
              tolerance: 5
              stabilization: 2m
              scaleDownDelay: 15s
              panic: {threshold: 150, window: 5s}
            """
        )
        #expect(problems == [])
        let scale = try #require(manifest?.scale)
        #expect(
            scale.target == [.inFlight: 8, .queueDepth: 4, .connections: 10, .requestRate: 50, .cpu: 70]
        )
        #expect(scale.window == .seconds(40))
        #expect(scale.tolerance == 5)
        #expect(scale.stabilization == .seconds(120))
        #expect(scale.scaleDownDelay == .seconds(15))
        #expect(scale.panic.threshold == 150)
        #expect(scale.panic.window == .seconds(5))
    }

    @Test("without a target all is as ever, and the panic window is a tenth of the window")
    func defaults() throws {
        #expect(read("scale: {min: 1, max: 2, idle: 1h}").manifest?.scale.target == [:])
        let scale = try #require(read("scale: {target: {cpu: 70}, window: 60s}").manifest?.scale)
        #expect(scale.panic.window == .seconds(6))
        #expect(scale.panic.threshold == 200)
    }

    @Test("needs are read as Kubernetes writes them")
    func resources() throws {
        let (manifest, problems) = read(
            """
            resources:
              cpu: 500m
              memory: 64MiB
              slots:
                desk: 1
                gpu: {model: 4000MiB, inference: 2500MiB, techniques: [fp16, vae-slicing]}
            """
        )
        #expect(problems == [])
        let resources = try #require(manifest?.resources)
        #expect(resources.cpu == 500)
        #expect(resources.memory == 64 << 20)
        #expect(resources.slots.map(\.name) == ["desk", "gpu"])
        #expect(resources.slots[1].inference == 2500 << 20)
        #expect(resources.slots[1].techniques == ["fp16", "vae-slicing"])
        #expect(parseCPU("1.5") == 1500)
        #expect(parseCPU("2") == 2000)
        #expect(parseCPU("m") == nil)
    }

    @Test(
        "what is wrong is told with its line and a remedy",
        arguments: [
            ("scale: {target: {inflight: 3}}", "scale.target.inflight: unknown key", "inFlight"),
            (
                "scale: {target: {inFlight: 3}}", "inFlight: 3 is above `limits.perWorker` 1",
                "raise perWorker"
            ),
            ("scale: {target: {cpu: 0}}", "scale.target.cpu: a whole number", "1"),
            ("scale: {window: 10s}", "scale.window: it has no effect without a target", "target"),
            (
                "scale: {target: {cpu: 1}, panic: {window: 60s}}", "`panic.window` is longer than `window`",
                "tenth"
            ),
            ("scale: {target: {cpu: 1}, panic: {threshold: 90}}", "scale.panic.threshold: a whole", "101"),
            ("scale: {min: 3, max: 2}", "`min` 3 is above `max` 2", "raise"),
            ("resources: {cpu: much}", "resources.cpu: `much` is no share of cores", "500m"),
            ("resources: {slots: {gpu: {inference: 1MiB}}}", "`model` is missing", "model"),
            ("resources: {slots: {gpu: {model: 1MiB, techniques: [fp8]}}}", "`fp8` is not known", "fp16"),
        ]
    )
    func faults(_ text: String, _ message: String, _ hint: String) throws {
        let problems = read(text).problems
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.line == 2)
        #expect(problem.message.contains(message))
        #expect(problem.hint.contains(hint))
    }

    @Test("a profile of the host's slots is read, and its faults are told")
    func profile() throws {
        let problems = Problems()
        let text =
            "slots:\n  gpu: {total: 8192MiB, system: 500MiB, buffer: 500MiB, jobs: 2, heavy: 4000MiB}\n"
        let slots = ScaleReader.readProfile(text, file: "host.yaml", problems: problems)
        #expect(problems.all == [])
        #expect(slots.first?.usable == 7192 << 20)
        #expect(slots.first?.jobs == 2)
        let bad = "slots:\n  gpu: {total: 1MiB, system: 1MiB, heavy: 1MiB}\n  cpu: {size: 1}\n"
        _ = ScaleReader.readProfile(bad, file: "host.yaml", problems: problems)
        #expect(problems.all.count == 4)
    }
}
