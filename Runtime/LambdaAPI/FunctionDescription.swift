import FunctionCore
import Invocations
import LambdaEvents

/// A function as GetFunction and ListFunctions show it.
///
/// Values of environment variables are not shown: they may be secrets.
package struct FunctionDescription: Sendable {
    /// What is known of what its workers are started from: the bundle, or the folder of a foreign runtime.
    package struct Code: Sendable {
        package var bytes: Int
        /// SHA-256.
        package var hash: [UInt8]
        package var changed: Instant

        package init(bytes: Int, hash: [UInt8], changed: Instant) {
            self.bytes = bytes
            self.hash = hash
            self.changed = changed
        }
    }

    package var manifest: Manifest
    package var code: Code

    package init(_ manifest: Manifest, _ code: Code) {
        self.manifest = manifest
        self.code = code
    }

    /// FunctionConfiguration.
    package var configuration: JSON {
        let name = manifest.name
        let handler = manifest.foreign.map(\.handler) ?? ""
        let seconds = Int(clamping: Int64((manifest.limits.timeout / .seconds(1)).rounded(.up)))
        return [
            "FunctionName": .string(name), "FunctionArn": .string(LambdaPlace.host.arn(of: name)),
            "Runtime": "provided.al2023", "Handler": .string(handler.isEmpty ? name : handler),
            "Role": .string("arn:aws:iam::\(LambdaPlace.host.account):role/swiftlet"),
            "CodeSize": .integer(Int64(code.bytes)), "CodeSha256": .string(Bytes(code.hash).base64),
            "Description": .string(manifest.summary), "Timeout": .integer(Int64(seconds)),
            "MemorySize": .integer(Int64(manifest.limits.memoryMiB)),
            "LastModified": .string(timestamp), "Version": "$LATEST",
            "TracingConfig": ["Mode": "PassThrough"], "PackageType": "Zip", "Architectures": ["x86_64"],
            "EphemeralStorage": ["Size": 512], "State": "Active", "LastUpdateStatus": "Successful",
            "RevisionId": .string(InvocationID.uuid(of: "\(name) \(code.hash)")),
        ]
    }

    /// The answer of GetFunction.
    package var whole: JSON {
        var object: JSONObject = [
            "Configuration": configuration, "Code": ["RepositoryType": "swiftlet"], "Tags": [:],
        ]
        if manifest.limits.reserved > 0 {
            object["Concurrency"] = [
                "ReservedConcurrentExecutions": .integer(Int64(manifest.limits.reserved))
            ]
        }
        return .object(object)
    }

    /// `2026-11-20T14:25:00.000+0000`.
    private var timestamp: String {
        let whole = Instant(nanoseconds: code.changed.nanoseconds / 1_000_000_000 * 1_000_000_000)
        return "\(whole.rfc3339.prefix { $0 != "Z" && $0 != "." }).000+0000"
    }

    /// The answer of ListFunctions.
    ///
    /// `all` by name; `marker` is the last name of the page before.
    /// - Throws: `LambdaError` for a size that is none.
    package static func page(
        _ all: [FunctionDescription],
        marker: String?,
        maxItems: String?
    ) throws(LambdaError) -> JSON {
        var size = 50
        if let maxItems {
            guard let number = Int(maxItems), (1...10_000).contains(number) else {
                throw .invalidParameter("MaxItems must be a whole number from 1 to 10000")
            }
            // Lambda gives no more at once.
            size = min(number, 50)
        }
        let sorted = all.sorted { $0.manifest.name < $1.manifest.name }
        let rest = sorted.drop { function in marker.map { function.manifest.name <= $0 } ?? false }
        let page = rest.prefix(size)
        var object: JSONObject = ["Functions": .array(page.map(\.configuration))]
        if rest.count > page.count, let last = page.last {
            object["NextMarker"] = .string(last.manifest.name)
        }
        return .object(object)
    }
}
