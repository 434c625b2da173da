/// The modules that a package which depends on Swiftlet cannot have as well: SwiftPM knows one name space for all packages.
package enum ModuleNames {
    package static func isTaken(_ module: String) -> Bool {
        taken.contains(module) || module.hasPrefix("NIO") || module.hasPrefix("CNIO")
    }

    private static let taken = toolchain.union(own).union(functions).union(dependencies)

    private static let toolchain: Set = [
        "Swift", "Testing", "XCTest", "Foundation", "FoundationEssentials", "FoundationInternationalization",
        "FoundationNetworking", "FoundationXML", "Glibc", "Musl", "Android", "Synchronization",
        "Observation", "Distributed", "Dispatch", "Differentiation", "Regex", "RegexBuilder", "Runtime",
        "Cxx", "CxxStdlib", "Builtin", "Data",
    ]

    /// Targets of Swiftlet's package, which a test reads; and those of a package that `swiftlet new project` makes.
    private static let own: Set = [
        "Activity", "Bundle", "Builds", "CCrypto", "CCurl", "CFixtures", "CHiredis", "CLateCurl", "CSeccomp",
        "CShims",
        "CZlib", "Catalog", "Console", "Core", "EndToEnd", "Fetch", "Fixtures", "Function",
        "FunctionCatalog", "FunctionCore", "FunctionTesting", "Functions", "FunctionsTests", "HTTPTrigger",
        "Hop", "HostKit", "Invocations", "Isolation", "Journal", "LambdaAPI", "LambdaEvents",
        "LambdaRuntime", "Nohop", "Observe", "OpenAPI", "Processes", "Providers", "Recordings",
        "RedisTrigger", "Scaffold", "Scaling", "Scheduling", "Seeds", "Settings", "ShopOrders", "Storage",
        "Swiftlet", "TLS", "TestSupport", "Thresholds", "Tidy", "UserData", "WebSockets", "Wire",
        "WorkerKit", "WorkerPool",
    ]

    private static let functions: Set = [
        "Chatbot", "Learning", "Motto", "PersonaImage", "Questionnaire", "Script", "Trading", "Video",
    ]

    private static let dependencies: Set = [
        "ArgumentParser", "ArgumentParserToolInfo", "Atomics", "BasicContainers", "BitCollections",
        "CSystem", "CYaml", "Collections", "ContainersPreview", "DequeModule", "GRDB", "GRDBSQLite",
        "HashTreeCollections", "HeapModule", "InternalCollectionsUtilities", "Logging",
        "OrderedCollections", "RopeModule", "SortedCollections", "SystemPackage", "TrailingElementsModule",
        "Yams",
    ]
}
