import FunctionCore
import WorkerKit

// Good and bad neighbours for the tests of the worker pool. Each is told what to do by its event.
WorkerMain.run([
    FunctionEntry("echo", EchoFunction.self),
    FunctionEntry("echo-async", EchoAsyncFunction.self),
    FunctionEntry("typed", TypedGreeting.self),
    FunctionEntry("stream", StreamFunction.self),
    FunctionEntry("crash", CrashFunction.self),
    FunctionEntry("hang", HangFunction.self),
    FunctionEntry("busy", BusyFunction.self),
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
])
