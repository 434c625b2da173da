import FunctionCore
import Recordings
import Testing

@Suite("What a difference says of its source", .timeLimit(.minutes(1)))
struct UnrecordedSourceTests {
    @Test(
        "ids, instants and long numbers are known by their look, what is the function's own is not",
        arguments: [
            (
                "order 6F9619FF-8B86-D011-B42D-00C04FC964FF sent",
                "order 0b8a1ac2-74f4-4d3c-9e52-1d8c30a1b1ce sent", [.ids]
            ),
            ("at 2026-11-20T14:25:00Z", "at 2026-11-21T09:00:00.123456Z", [.times]),
            (#"{"time": 817000000.25}"#, #"{"time": 817000123.5}"#, [.times]),
            (#"{"ms": 1795003200123}"#, #"{"ms": 1795003999456}"#, [.times]),
            (#"{"lot": 0.123456789}"#, #"{"lot": 0.98765432}"#, [.numbers]),
            (#"{"count": 3}"#, #"{"count": 4}"#, []), ("a lamp", "a lump", []), ("a", "ab", []),
            (
                "6F9619FF-8B86-D011-B42D-00C04FC964FF at 2026-11-20 14:25:00",
                "0b8a1ac2-74f4-4d3c-9e52-1d8c30a1b1ce at 2026-11-20 14:25:01", [.ids, .times]
            ),
            (
                "6F9619FF-8B86-D011-B42D-00C04FC964FF of a lamp",
                "0b8a1ac2-74f4-4d3c-9e52-1d8c30a1b1ce of a lump", []
            ),
        ] as [(String, String, UnrecordedSource)]
    )
    func looks(_ old: String, _ new: String, _ source: UnrecordedSource) {
        #expect(UnrecordedSource.between(old, new) == source)
        #expect(UnrecordedSource.between(new, old) == source)
        #expect(UnrecordedSource.between(old, old) == [])
    }

    @Test("a replay's difference names what to take instead, or that the code is the same")
    func told() {
        func recording(_ message: String, bundle: String = "") -> Recording {
            let error = FunctionError(code: "c", message: message)
            var made = recorded(outcome: RecordedOutcome(label: "failed", error: error))
            made.bundle = bundle
            return made
        }
        let first = recording("at 2026-11-20T14:25:00Z", bundle: "b")
        let later = first.differences(to: recording("at 2026-11-20T14:26:00Z", bundle: "b"))
        #expect(later.count == 1 && later[0].contains("take context.now"), "\(later)")
        let other = first.differences(to: recording("elsewhere", bundle: "b"))
        #expect(other.count == 2 && other[1].contains("the code is the same"), "\(other)")
        #expect(first.differences(to: recording("elsewhere", bundle: "c")).count == 1)
    }
}
