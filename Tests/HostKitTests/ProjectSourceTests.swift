import FunctionCore
import Glibc
import Settings
import TestSupport
import Testing

@testable import HostKit

@Suite("Which bundle is run", .timeLimit(.minutes(1)))
struct ProjectSourceTests {
    private func bundle(_ flags: [String: String], beside program: String, dev: Bool) -> String {
        let configuration = Configuration.resolve(
            flags: flags,
            environment: [:],
            file: nil,
            problems: Problems()
        )
        return ProjectSource.bundle(configuration, program: program, isDevelopment: dev)
    }

    @Test("a package's own one, built in the background or for release; what is named goes before it")
    func own() throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        mkdir("\(place.path)/Functions", 0o700)
        let functions = ["functions": "\(place.path)/Functions", "data": "\(place.path)/data"]
        let program = "/opt/swiftlet/bin/swiftlet"
        let beside = "/opt/swiftlet/bin/functions"
        #expect(bundle(functions, beside: program, dev: true) == beside)
        let manifest = """
            let package = Package(name: "shop", targets: [
                .executableTarget(name: "shop-bundle", path: "Functions/Bundle")
            ])
            """
        Text.write(manifest.utf8, to: "\(place.path)/Package.swift")
        let built = "\(place.path)/data/build/debug/shop-bundle"
        #expect(bundle(functions, beside: program, dev: true) == built)
        let still = functions.merging(["build": "off"]) { $1 }
        #expect(bundle(still, beside: program, dev: true) == built)
        let release = "\(place.path)/.build/release/shop-bundle"
        #expect(bundle(functions, beside: program, dev: false) == release)
        let named = functions.merging(["bundle": "/srv/functions"]) { $1 }
        #expect(bundle(named, beside: program, dev: false) == "/srv/functions")
    }
}
