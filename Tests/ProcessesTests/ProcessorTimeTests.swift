import FunctionCore
import Glibc
import Processes
import Testing

@Suite("processor time", .timeLimit(.minutes(1)))
struct ProcessorTimeTests {
    @Test("the time of a process grows with its work")
    func grows() throws {
        let before = try #require(processorTime(of: getpid()))
        var sum: UInt64 = 1
        while let now = processorTime(of: getpid()), now - before < .milliseconds(20) {
            for _ in 0..<1000 { sum = sum &* 6_364_136_223_846_793_005 &+ 1 }
        }
        #expect(sum != 0)
    }

    @Test("of a process that is not there is nothing to tell")
    func unknown() {
        #expect(processorTime(of: Int32.max - 1) == nil)
    }
}
