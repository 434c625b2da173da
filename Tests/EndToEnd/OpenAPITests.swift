import Foundation
import FunctionCore
import OpenAPI
import TestSupport
import Testing

extension Scenarios {
    /// The documents against the host: by validators and by schemathesis, which have not read our code.
    @Suite("OpenAPI", .timeLimit(.minutes(10)), HostTrait.shipped)
    struct OpenAPITests {
        private func explore(_ words: String...) async throws {
            let ran = try await Python.run(
                "OpenAPI/explore.py",
                requirements: "OpenAPI/requirements.txt",
                words
            )
            #expect(ran.code == 0, "\(ran.all)")
        }

        @Test("all eight functions answer as the gateway's document says")
        func story() async throws { try await explore("story", try sharedHost().gateway) }

        @Test("schemathesis finds no undocumented status, no 500 and no other form at the gateway")
        func gateway() async throws {
            try await explore("gateway", "\(try sharedHost().gateway)/_swiftlet/openapi.json")
        }

        @Test("nor at the admin port")
        func admin() async throws { try await explore("admin", "\(try sharedHost().admin)/openapi.json") }

        @Test("each route of the admin port is described, and none that it has not")
        func complete() async throws {
            let document = try await HTTP.get("\(try sharedHost().admin)/openapi.json").json
            var served: Set<String> = []
            for (path, item) in document["paths"]?.objectValue ?? [:] {
                for (method, operation) in item.objectValue ?? [:] where operation["operationId"] != nil {
                    let route = "\(method.uppercased()) \(path)"
                    served.insert(route)
                    #expect(operation["summary"] != nil, "\(route) is not described")
                }
            }
            #expect(served.count > 50)
            #expect(AdminDocument.described.subtracting(served).sorted() == [])
        }

        @Test("`swiftlet openapi` prints what the ports serve")
        func command() async throws {
            let host = try sharedHost()
            let folder = "\(try ShippedFunctions.place.get().path)/Functions"
            let printed = try await DevHost.swiftlet(["openapi", "--functions", folder])
            #expect(printed.code == 0, "\(printed.all)")
            let served = try await HTTP.get("\(host.admin)/openapi/gateway.json").json
            #expect(try JSON.parse(Bytes(printed.output)) == served)
            let admin = try await host.swiftlet("openapi", "--admin")
            let document = try JSON.parse(Bytes(admin.output))
            #expect(document["paths"]?["/2015-03-31/functions/{name}/invocations"]?["post"] != nil)
        }
    }
}

/// The project's own functions, but that no film is made of every script that somebody makes up.
private enum ShippedFunctions {
    static let place = Result { try TemporaryPlace() }

    static func options() throws -> DevHost.Options {
        let folder = "\(try place.get().path)/Functions"
        let files = FileManager.default
        for name in Text.names(in: "\(Installed.project)/Functions") {
            let own = "\(Installed.project)/Functions/\(name)"
            guard let manifest = Text.read("\(own)/function.yaml") else { continue }
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            try files.copyItem(atPath: "\(own)/schemas", toPath: "\(folder)/\(name)/schemas")
            let quiet = manifest.replacing("events:script.generated", with: "events:none")
            Text.write(quiet.utf8, to: "\(folder)/\(name)/function.yaml")
        }
        var options = DevHost.Options()
        options.functions = folder
        return options
    }
}

extension HostTrait {
    static let shipped = HostTrait { try ShippedFunctions.options() }
}
