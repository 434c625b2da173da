// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target shares.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// One room of the runtime: a module and where it lives.
func room(
    _ name: String,
    _ path: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Runtime/\(path)",
        exclude: exclude,
        swiftSettings: strict
    )
}

/// One function: a target that sees `FunctionCore` and nothing else, its `function.yaml` and its schemas.
func function(_ name: String, exclude: [String] = []) -> Target {
    .target(
        name: name,
        dependencies: ["FunctionCore"],
        path: "Functions/\(name)",
        exclude: ["function.yaml", "schemas"] + exclude,
        swiftSettings: strict
    )
}

/// One suite of tests; each may draw numbers from a seed.
func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["Seeds"],
        path: "Tests/\(name)",
        swiftSettings: strict
    )
}

let functions = [
    "Questionnaire", "Script", "Video", "PersonaImage", "Motto", "Chatbot", "Trading", "Learning",
]

let package = Package(
    name: "swiftlet",
    products: [
        .library(name: "FunctionCore", targets: ["FunctionCore"]),
        .library(name: "WorkerKit", targets: ["WorkerKit"]),
        .library(name: "FunctionTesting", targets: ["FunctionTesting"]),
        .executable(name: "swiftlet", targets: ["swiftlet"]),
        .executable(name: "functions", targets: ["functions"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C: module maps and static-inline shims over Debian's libraries.
        .target(name: "CShims", path: "Runtime/C/CShims", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CLateCurl", path: "Runtime/C/CLateCurl", cSettings: [.define("_GNU_SOURCE")]),
        .systemLibrary(name: "CCurl", path: "Runtime/C/CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CHiredis", path: "Runtime/C/CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CSeccomp", path: "Runtime/C/CSeccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CZlib", path: "Runtime/C/CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypto", path: "Runtime/C/CCrypto", providers: [.apt(["libssl-dev"])]),

        // The worker's side: no NIO, no Foundation, no C library but libc.
        room("FunctionCore", "Core", []),
        room("Wire", "Wire", ["FunctionCore", "CShims"]),
        room("LambdaEvents", "LambdaEvents", ["FunctionCore"]),
        room("Recordings", "Recordings", ["FunctionCore"]),
        room(
            "WorkerKit",
            "WorkerKit",
            ["FunctionCore", "LambdaEvents", "Recordings", "Wire", "CShims", "CLateCurl"]
        ),

        // For tests of functions: their bindings in memory.
        room("FunctionTesting", "FunctionTesting", ["FunctionCore", "Recordings"]),

        // The host's side.
        room("Invocations", "Invocations", ["FunctionCore", "Recordings", nioCore]),
        room("Observe", "Observe", ["FunctionCore", "Processes"]),
        room("Activity", "Activity", ["FunctionCore"]),
        room("Processes", "Processes", ["FunctionCore", "CShims"]),
        room("Isolation", "Isolation", ["FunctionCore", "Wire", "Processes", "CShims", "CSeccomp"]),
        room("Scaling", "Scaling", ["FunctionCore", "Invocations"]),
        room("Settings", "Settings", ["FunctionCore", "Invocations", "Scaling", yams]),
        room("Scheduling", "Scheduling", ["FunctionCore"]),
        room(
            "WorkerPool",
            "Pool",
            [
                "FunctionCore", "Invocations", "Recordings", "Wire", "Processes", "Isolation", "Scaling",
                "CShims", nioCore,
                nioPosix,
            ]
        ),
        room(
            "LambdaRuntime",
            "Lambda",
            [
                "FunctionCore", "Invocations", "Wire", "Processes", "WorkerPool", "LambdaEvents", "CShims",
                nioCore, nioPosix, nioHTTP1,
            ]
        ),
        room("Scaffold", "Scaffold", ["FunctionCore"]),
        room("Builds", "Builds", ["FunctionCore", "Processes", "Storage"]),
        room("WebSockets", "WebSocket", ["FunctionCore", "CCrypto"]),
        room(
            "HTTPTrigger",
            "HTTP",
            [
                "FunctionCore", "Invocations", "WebSockets", "CShims", "CZlib", nioCore, nioPosix,
            ]
        ),
        room(
            "TLS",
            "TLS",
            ["FunctionCore", "HTTPTrigger", nioCore, nioPosix, nioTLS, nioSSL, nioHTTP2, nioHPACK]
        ),
        room("RedisTrigger", "Redis", ["FunctionCore", "Invocations", "CHiredis", nioCore, nioPosix]),
        room("Storage", "Storage", ["FunctionCore", "CCrypto", grdb]),
        room(
            "Journal",
            "Journal",
            ["FunctionCore", "Invocations", "RedisTrigger", "Scheduling", "Storage", grdb, nioCore]
        ),
        room("LambdaAPI", "LambdaAPI", ["FunctionCore", "Invocations", "LambdaEvents"]),
        room("OpenAPI", "OpenAPI", ["FunctionCore", "Invocations"]),
        room("UserData", "UserData", ["FunctionCore", "Invocations", "Storage", grdb]),
        room("Fetch", "Fetch", ["FunctionCore", "CCurl"]),
        room("Providers", "Providers", ["FunctionCore", "Invocations", "Fetch", "Processes"]),
        room("Console", "Console", ["FunctionCore"], exclude: ["Screenshots"]),
        room(
            "HostKit",
            "HostKit",
            [
                "Console", "FunctionCore", "Activity", "Builds", "Invocations", "Recordings", "Wire",
                "Observe",
                "Settings",
                "Scheduling",
                "Scaling",
                "WorkerPool", "LambdaRuntime",
                "HTTPTrigger", "RedisTrigger", "Storage", "Journal", "UserData", "Fetch", "Providers",
                "Processes", "Isolation", "TLS", "LambdaAPI", "LambdaEvents", "OpenAPI", "CShims", nioCore,
                nioPosix,
            ]
        ),
        .executableTarget(
            name: "swiftlet",
            dependencies: [
                "FunctionCore", "Builds", "HostKit", "HTTPTrigger", "Invocations", "Isolation", "Scaffold",
                "Scaling",
                "Settings", "Scheduling",
                "Storage", "Fetch", "Processes",
                argumentParser,
            ],
            path: "Runtime/CLI",
            swiftSettings: strict
        ),
    ] + functions.map { function($0) } + [
        .target(
            name: "FunctionCatalog",
            dependencies: ["FunctionCore"] + functions.map { .target(name: $0) },
            path: "Functions/Catalog",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "functions",
            dependencies: ["FunctionCatalog", "WorkerKit"],
            path: "Functions/Bundle",
            swiftSettings: strict
        ),

        // The tests: a support library, a bundle of well- and ill-behaved functions, and a suite a module.
        .target(
            name: "TestSupport",
            dependencies: ["FunctionCore", "Fetch", "Processes"],
            path: "Tests/Support",
            swiftSettings: strict
        ),
        .target(name: "Seeds", path: "Tests/Seeds", swiftSettings: strict),
        .target(name: "CFixtures", path: "Tests/CFixtures", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "fixtures",
            dependencies: ["FunctionCore", "WorkerKit", "ShopOrders", "CFixtures"],
            path: "Tests/Fixtures",
            swiftSettings: strict
        ),
        // What `make bench` sends, and the server without a hop to which it compares.
        .target(name: "ShopOrders", path: "Tests/Benchmarks/ShopOrders", swiftSettings: strict),
        .executableTarget(
            name: "nohop",
            dependencies: ["FunctionCore", "ShopOrders", nioCore, nioPosix, nioHTTP1],
            path: "Tests/Benchmarks/NoHop",
            swiftSettings: strict
        ),
        // The hop without HTTP: `make bench` measures it, the thresholds count it.
        .executableTarget(
            name: "hop",
            dependencies: ["FunctionCore", "Invocations", "WorkerPool", nioCore, nioPosix],
            path: "Tests/Benchmarks/Hop",
            swiftSettings: strict
        ),
        // The search for nominal times, timed within one process.
        .executableTarget(
            name: "cronnext",
            dependencies: ["FunctionCore", "Scheduling"],
            path: "Tests/Benchmarks/CronNext",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "schedulebench",
            dependencies: [
                "FunctionCore", "Invocations", "Settings", "Scheduling", "Journal", "HostKit", "Observe",
                nioCore, nioPosix,
            ],
            path: "Tests/Benchmarks/Schedules",
            swiftSettings: strict
        ),
        .testTarget(
            name: "Thresholds",
            dependencies: ["FunctionCore", "Processes", "TestSupport", "fixtures", "hop"],
            path: "Tests/Thresholds",
            exclude: ["count-allocations.c", "thresholds.json"],
            swiftSettings: strict
        ),
        suite("CoreTests", ["FunctionCore"]),
        suite("ScaffoldTests", ["FunctionCore", "Scaffold"]),
        suite("BuildsTests", ["FunctionCore", "Builds", "TestSupport"]),
        suite("WireTests", ["FunctionCore", "Wire", "CShims"]),
        suite("LambdaEventsTests", ["FunctionCore", "LambdaEvents"]),
        suite("WorkerKitTests", ["FunctionCore", "WorkerKit"]),
        suite("SchedulingTests", ["FunctionCore", "Scheduling"]),
        suite("StorageTests", ["FunctionCore", "Storage", "TestSupport", grdb]),
        suite(
            "JournalTests",
            [
                "FunctionCore", "Invocations", "RedisTrigger", "Scheduling", "Storage", "Journal",
                "TestSupport", grdb,
                nioCore,
                nioPosix,
            ]
        ),
        suite("UserDataTests", ["FunctionCore", "Invocations", "Storage", "UserData", "TestSupport"]),
        suite("WebSocketTests", ["FunctionCore", "WebSockets"]),
        suite("LambdaAPITests", ["FunctionCore", "Invocations", "LambdaAPI", "LambdaEvents"]),
        suite("OpenAPITests", ["FunctionCore", "Invocations", "OpenAPI"]),
        suite(
            "HTTPTests",
            [
                "FunctionCore", "Invocations", "HTTPTrigger", "Processes", "TLS", "TestSupport", nioCore,
                nioPosix, nioSSL,
            ]
        ),
        suite(
            "RedisTests",
            [
                "FunctionCore", "Invocations", "RedisTrigger", "Processes", "TLS", "TestSupport", nioCore,
                nioPosix,
            ]
        ),
        suite("ProvidersTests", ["FunctionCore", "Invocations", "Fetch", "Processes", "Providers"]),
        suite("ProcessesTests", ["FunctionCore", "Processes"]),
        suite("ObserveTests", ["FunctionCore", "Observe"]),
        suite("ActivityTests", ["FunctionCore", "Activity"]),
        suite("RecordingsTests", ["FunctionCore", "Recordings"]),
        suite("IsolationTests", ["FunctionCore", "Wire", "Isolation", "TestSupport"]),
        suite("ConsoleTests", ["FunctionCore", "Console"]),
        suite("SettingsTests", ["FunctionCore", "Invocations", "Scaling", "Settings"]),
        suite(
            "LambdaRuntimeTests",
            ["FunctionCore", "Invocations", "LambdaEvents", "LambdaRuntime", "Processes"]
        ),
        suite("ScalingTests", ["FunctionCore", "Invocations", "Scaling", "Settings"]),
        suite(
            "PoolTests",
            [
                "FunctionCore", "Invocations", "Scaling", "Wire", "WorkerPool", "Processes", "Isolation",
                "CShims", "TestSupport",
                "fixtures",
                nioCore,
                nioPosix,
            ]
        ),
        suite(
            "FunctionsTests",
            ["FunctionCore", "FunctionTesting", "Recordings"] + functions.map { .target(name: $0) }
        ),
        suite(
            "HostKitTests",
            [
                "FunctionCore", "Builds", "Invocations", "Settings", "Scheduling", "Scaling", "Storage",
                "Journal",
                "UserData", "Processes",
                "HTTPTrigger", "RedisTrigger", "WorkerPool", "Observe", "HostKit", "Providers", "TestSupport",
                nioCore,
                nioPosix,
            ]
        ),
        // Real hosts, workers, redis-server and ffmpeg, from the executables beside the tests.
        .testTarget(
            name: "EndToEnd",
            dependencies: [
                "FunctionCore", "FunctionTesting", "Processes", "TestSupport", "Seeds", "Chatbot", "Motto",
                "OpenAPI", "LambdaAPI", "swiftlet", "functions", "fixtures",
            ],
            path: "Tests/EndToEnd",
            exclude: [
                "crash-point.c", "in_venv.py", "websocket_client.py", "Calendars", "CloudEvents", "Console",
                "Kubernetes", "Lambda", "LambdaBootstrap", "OpenAPI", "Traces",
            ],
            swiftSettings: strict
        ),
        suite("Tidy", []),
    ]
)
