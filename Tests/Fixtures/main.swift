import FunctionCore
import Glibc
import WorkerKit

// What the benchmarks ask about JSON alone.
switch CommandLine.arguments.dropFirst().first {
case "--measure-json":
    try JSONFigures.measure()
    exit(0)
case "--repeat-json":
    JSONFigures.repeatLines()
    exit(0)
default: break
}

// Good and bad neighbours for the tests of the worker pool. Each is told what to do by its event.
WorkerMain.run([
    FunctionEntry("echo", EchoFunction.self),
    FunctionEntry("echo-async", EchoAsyncFunction.self),
    FunctionEntry("echo-slowly", EchoSlowlyFunction.self),
    FunctionEntry("echo-slowly-again", EchoSlowlyFunction.self),
    FunctionEntry("batched", BatchedFunction.self),
    FunctionEntry("job", JobFunction.self),
    FunctionEntry("typed", TypedGreeting.self),
    FunctionEntry("typed-echo", TypedEchoFunction.self),
    FunctionEntry("stream", StreamFunction.self),
    FunctionEntry("crash", CrashFunction.self),
    FunctionEntry("doze", DozeFunction.self),
    FunctionEntry("hang", HangFunction.self),
    FunctionEntry("busy", BusyFunction.self),
    FunctionEntry("burn", BurnFunction.self),
    FunctionEntry("clock", ClockFunction.self),
    FunctionEntry("slow", SlowFunction.self),
    FunctionEntry("print", PrintFunction.self),
    FunctionEntry("leave", LeaveFunction.self),
    FunctionEntry("garbage", GarbageFunction.self),
    FunctionEntry("close", CloseFunction.self),
    FunctionEntry("call", CallFunction.self),
    FunctionEntry("big", BigFunction.self),
    FunctionEntry("start-crash", StartCrashFunction.self),
    FunctionEntry("limits", LimitsFunction.self),
    FunctionEntry("failing", FailingFunction.self),
    FunctionEntry("socket", SocketFunction.self),
    FunctionEntry("ticker", TickerFunction.self),
    FunctionEntry("reach", ReachFunction.self),
    FunctionEntry("allocate", AllocateFunction.self),
    FunctionEntry("fork-bomb", ForkBombFunction.self),
    FunctionEntry("flood", FloodFunction.self),
    FunctionEntry("spin", SpinFunction.self),
    FunctionEntry("record", RecordFunction.self),
    FunctionEntry("tell", TellFunction.self),
    FunctionEntry("partial", PartialFunction.self),
    FunctionEntry("torn", TornFunction.self),
    FunctionEntry("cloud", CloudFunction.self),
    FunctionEntry("order", OrderFunction.self),
    FunctionEntry("draw", DrawFunction.self),
])
