import FunctionCore
import Glibc
import Processes

/// What is built, and where to.
package struct BuildPlan: Sendable, Hashable {
    /// The package's folder, absolute.
    package let package: String
    /// The executable that links the functions.
    package let product: String
    /// Where it is built, apart from what a person builds there: neither waits for the other.
    package let scratch: String
    /// The compiler's driver.
    private let swift: String

    /// The package whose folder holds `functions`; nil where there is none to build, or no compiler.
    ///
    /// The product is the executable target that lies in `Functions/Bundle`.
    package init?(functions: String, scratch: String) {
        guard let root = realpath("\(functions)/..", nil) else { return nil }
        defer { free(root) }
        let package = String(cString: root)
        guard let text = BuildPlan.read("\(package)/Package.swift"),
            let product = BuildPlan.product(in: text), let swift = findExecutable("swift")
        else { return nil }
        self.package = package
        self.product = product
        self.scratch = scratch
        self.swift = swift
    }

    /// The executable that the build makes.
    package var output: String { "\(scratch)/debug/\(product)" }

    /// The executable of a release build, which a person makes.
    package var release: String { "\(package)/.build/release/\(product)" }

    /// The objects that it is linked from.
    package var objectList: String { "\(scratch)/debug/\(product).product/Objects.LinkFileList" }

    /// The command, in a debug configuration: that compiles one file where one has changed.
    ///
    /// With Swift's libraries linked statically, as in production: a worker starts in a third of the time. `isUrgent`
    /// is left out for a build that nobody waits for, which then leaves the processors to everybody else.
    package func command(_ environment: [String: String], isUrgent: Bool) -> ChildSpec {
        let arguments = [
            "build", "--product", product, "--package-path", package, "--scratch-path", scratch,
            "--static-swift-stdlib", "--disable-index-store",
        ]
        let kept = environment.filter { name, _ in
            BuildPlan.passed.contains(name) || name.hasPrefix("SWIFT") && !name.hasPrefix("SWIFTLET")
        }
        guard !isUrgent, let nice = findExecutable("nice") else {
            return ChildSpec(swift, arguments, environment: kept, directory: package)
        }
        return ChildSpec(nice, ["-n", "10", swift] + arguments, environment: kept, directory: package)
    }

    /// What a compiler may need of the environment; keys of providers are none of it.
    private static let passed: Set = [
        "PATH", "HOME", "LANG", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY", "CC", "CXX", "CPATH", "LIBRARY_PATH", "LD_LIBRARY_PATH", "PKG_CONFIG_PATH",
        "SSH_AUTH_SOCK",
        "TOOLCHAINS", "XDG_CACHE_HOME",
    ]

    /// The name of the executable target whose folder is `Functions/Bundle`, in a package's manifest.
    package static func product(in manifest: String) -> String? {
        guard let folder = manifest.firstRange(of: "\"Functions/Bundle\"") else { return nil }
        let before = manifest[..<folder.lowerBound]
        guard let target = before.ranges(of: ".executableTarget(").last else { return nil }
        let declared = before[target.upperBound...]
        guard let name = declared.firstRange(of: "name:") else { return nil }
        let parts = declared[name.upperBound...].split(
            separator: "\"",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        return parts.count > 1 ? String(parts[1]) : nil
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }
}
