/// A package of one's own that depends on Swiftlet: its functions, their bundle, schedules, tests.
package struct ProjectTemplate: Sendable {
    /// Where Swiftlet's package is.
    package enum Source: Sendable, Hashable {
        /// A folder, absolute or relative to the new package.
        case path(String)
        /// A repository, of which the branch `main` is taken.
        case url(String)
    }

    private let name: String
    private let source: Source

    /// A package of that name, which is the last part of its folder's path.
    /// - Throws: `ScaffoldError` where the name cannot be one.
    package init(_ name: String, _ source: Source) throws(ScaffoldError) {
        let isSound = name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45
                || byte == 95
        }
        guard isSound, !name.isEmpty, name.lowercased() != "swiftlet" else {
            throw ScaffoldError(
                "`\(name)` is no name for a package: write letters, digits, - and _, and not swiftlet itself"
            )
        }
        self.name = name
        self.source = source
        // SwiftPM knows packages by the last part of their place, in lower case.
        var packages: Set = [
            "swift-nio", "swift-nio-ssl", "swift-nio-http2", "swift-argument-parser", "swift-atomics",
            "swift-collections", "swift-system", "yams", dependency.package.lowercased(),
        ]
        if case .path(let path) = source, let last = path.split(separator: "/").last {
            packages.insert(last.lowercased())
        }
        guard !packages.contains(name.lowercased()) else {
            throw ScaffoldError(
                "SwiftPM would take `\(name)` for the package of that name which it depends on; choose another "
                    + "folder, such as \(name)-functions"
            )
        }
    }

    /// All files, with one function, `hello`.
    package func files() throws(ScaffoldError) -> [ScaffoldFile] {
        let hello = try FunctionName("hello")
        return [
            ScaffoldFile("Package.swift", try PackageEdit.manifest(manifest, adding: hello)),
            ScaffoldFile(
                "Functions/Catalog/Catalog.swift",
                try PackageEdit.catalogue(ProjectTemplate.catalogue, adding: hello)
            ),
            ScaffoldFile(
                "Functions/Bundle/main.swift",
                "import Catalog\nimport WorkerKit\n\nWorkerMain.run(catalog)\n"
            ),
            ScaffoldFile("schedules/.gitkeep", ""),
            ScaffoldFile(".gitignore", ".build/\n.swiftlet/\n.swiftpm/\n.env\n"),
            ScaffoldFile("README.md", readme),
        ] + FunctionTemplate.http.files(hello)
    }

    private var dependency: (declaration: String, package: String) {
        switch source {
        case .path(let path): return (".package(name: \"swiftlet\", path: \"\(path)\")", "swiftlet")
        case .url(let url):
            let last = url.split(separator: "/").last.map(String.init) ?? url
            let identity = last.hasSuffix(".git") ? String(last.dropLast(4)) : last
            return (".package(url: \"\(url)\", branch: \"main\")", identity)
        }
    }

    private static let catalogue = """
        import FunctionCore

        /// Every function of the bundle.
        ///
        /// The one file that lists them; `swiftlet new function` adds to it.
        public let catalog: [FunctionEntry] = [
        ]

        """

    private var manifest: String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        /// Each has a folder of its own in Functions/; `swiftlet new function` adds to the list.
        let functions = [
        ]

        let core = Target.Dependency.product(name: "FunctionCore", package: "\(dependency.package)")
        let workerKit = Target.Dependency.product(name: "WorkerKit", package: "\(dependency.package)")
        let testing = Target.Dependency.product(name: "FunctionTesting", package: "\(dependency.package)")

        let package = Package(
            name: "\(name)",
            products: [
                .executable(name: "bundle", targets: ["bundle"])
            ],
            dependencies: [
                \(dependency.declaration)
            ],
            targets: functions.map { name in
                .target(
                    name: name,
                    dependencies: [core],
                    path: "Functions/\\(name)",
                    exclude: ["function.yaml"]
                )
            } + [
                .target(
                    name: "Catalog",
                    dependencies: [core] + functions.map { .target(name: $0) },
                    path: "Functions/Catalog"
                ),
                .executableTarget(
                    name: "bundle",
                    dependencies: ["Catalog", workerKit],
                    path: "Functions/Bundle"
                ),
                .testTarget(
                    name: "FunctionsTests",
                    dependencies: [core, testing] + functions.map { .target(name: $0) },
                    path: "Tests/FunctionsTests"
                ),
            ]
        )

        """
    }

    private var readme: String {
        """
        # \(name)

        Functions that run on Swiftlet. Each has a folder in `Functions/` with its code and a `function.yaml` that says what starts it.

        ```sh
        swiftlet dev                                        # builds, serves on http://127.0.0.1:8080, and follows what is saved
        curl http://127.0.0.1:8080/v1/hello/Ada
        swiftlet new function NAME --template http          # or redis, schedule, stream
        swift test                                          # tests of functions need no host
        swift build -c release --static-swift-stdlib --product bundle   # what `swiftlet serve` runs: .build/release/bundle
        ```

        `Functions/Catalog` lists the functions, `Functions/Bundle` is the program that holds them, `schedules/` says what runs when, `.swiftlet/`
        has the emulator's data.

        """
    }
}
