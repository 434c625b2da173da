import Scaffold
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FunctionNameTests {
    @Test("a name of dashed words gives the module and the handler's type")
    func derives() throws {
        let name = try FunctionName("sales-report2")
        #expect(name.module == "SalesReport2")
        #expect(name.type == "SalesReport2Function")
    }

    @Test(
        "a name that the manifest's reader, the compiler or SwiftPM would refuse is refused with a remedy",
        arguments: [
            "", "Hello", "2fast", "a--b", "-a", "a-", "a_b", "a b", "naïve", "../x",
            String(repeating: "a", count: 65), "swift", "storage", "testing",
        ]
    )
    func refuses(_ text: String) {
        let error = #expect(throws: ScaffoldError.self) { try FunctionName(text) }
        #expect(error?.description.contains("such as") == true)
    }
}
