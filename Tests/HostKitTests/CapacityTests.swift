import FunctionCore
import HostKit
import Invocations
import Scaling
import Settings
import TestSupport
import Testing

@Suite("capacity settings", .timeLimit(.minutes(1)))
struct CapacityTests {
    private func settings(_ flags: [String: String]) -> (profile: HostProfile, problems: [Problem]) {
        let problems = Problems()
        let configuration = Configuration.resolve(
            flags: flags,
            environment: [:],
            file: nil,
            problems: problems
        )
        return (HostSettings(configuration, problems: problems).profile, problems.all)
    }

    @Test("by default workers may take a share of the machine's memory, and all cores")
    func defaults() {
        let (profile, problems) = settings([:])
        #expect(problems == [])
        #expect(profile.memory > 64 << 20)
        #expect(profile.cpu >= 1000)
        let half = settings(["capacity.memory": "40%"]).profile
        #expect(abs(half.memory * 2 - profile.memory) < 4096)
    }

    @Test("sizes, cores and a profile are read, and what is wrong is told")
    func stated() {
        let folder = ProjectFolder([
            "profile.yaml": "slots: {gpu: {total: 8192MiB, system: 500MiB, jobs: 2}}\n"
        ])
        let (profile, problems) = settings([
            "capacity.memory": "2GiB", "capacity.cpu": "1500m",
            "capacity.profile": "\(folder.path)/profile.yaml",
        ])
        #expect(problems == [])
        #expect(profile.memory == 2 << 30)
        #expect(profile.cpu == 1500)
        #expect(profile.slots.first?.usable == 7692 << 20)
        let faults = settings([
            "capacity.memory": "120%", "capacity.cpu": "many", "capacity.profile": "/nonexistent.yaml",
        ]).problems
        #expect(faults.count == 3, "\(faults)")
    }

    private func load(
        _ manifests: [String],
        _ profile: HostProfile
    ) -> (project: Project, problems: [Problem]) {
        var files = ["schedules/.keep": ""]
        for (index, text) in manifests.enumerated() {
            files["functions/F\(index)/function.yaml"] = manifestText("f\(index)", text)
        }
        let folder = ProjectFolder(files)
        let problems = Problems()
        let project = Project.load(
            functions: folder.functions,
            schedules: folder.schedules,
            bundle: nil,
            profile: profile,
            problems: problems
        )
        return (project, problems.all)
    }

    private let card = SlotProfile(name: "gpu", total: 8192 << 20, system: 500 << 20, buffer: 500 << 20)

    @Test("a model that is too big is told the least lossy techniques with which it fits")
    func techniques() throws {
        let text = """
            resources:
              slots:
                gpu: {model: 8000MiB, inference: 4000MiB, techniques: [quantisation, fp16, vae-slicing]}
            """
        let (project, problems) = load([text], HostProfile(cpu: 1000, memory: 1 << 40, slots: [card]))
        #expect(problems == [])
        let manifest = try #require(project.manifests.first)
        #expect(manifest.environment["SLOT_GPU"] == "fp16")
        #expect(manifest.resources.slots.first.map { $0.model + $0.inference } == 6000 << 20)
    }

    @Test(
        "what can never run here is a problem at start",
        arguments: [
            (["resources: {slots: {tpu: 1MiB}}"], "this host has no slot `tpu`"),
            (["resources: {slots: {gpu: 7193MiB}}"], "takes 7193MiB of `gpu`, and 7192MiB are usable"),
            (["resources: {memory: 2GiB}"], "a worker takes memory 2048MiB, the host has 1024MiB for all"),
            (["resources: {cpu: 1500m}"], "a worker takes cpu 1500m, the host has 1000m for all"),
            (
                ["scale: {min: 3}", "scale: {min: 2}"],
                "the workers of all scale.min take memory 1280MiB, and the host has 1024MiB"
            ),
        ]
    )
    func never(_ manifests: [String], _ message: String) {
        let profile = HostProfile(cpu: 1000, memory: 1 << 30, slots: [card])
        let problems = load(manifests, profile).problems
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains(message) == true, "\(problems)")
    }
}
