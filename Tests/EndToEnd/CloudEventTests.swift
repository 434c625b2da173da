import TestSupport
import Testing

extension Scenarios {
    @Suite("CloudEvents", .timeLimit(.minutes(10)), HostTrait.fixtures)
    struct CloudEventTests {
        @Test("events go to a function and back in each mode, as the SDK of CloudEvents sends and reads them")
        func exchange() async throws {
            let ran = try await Python.run(
                "CloudEvents/exchange.py",
                requirements: "CloudEvents/requirements.txt",
                [try sharedHost().gateway]
            )
            #expect(ran.code == 0, "\(ran.all)")
        }
    }
}
