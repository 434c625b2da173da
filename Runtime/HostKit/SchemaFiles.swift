import FunctionCore
import Invocations
import OpenAPI
import Settings

/// Reads the schema files that manifests name, and those to which these refer.
enum SchemaFiles {
    /// Bytes of one file.
    private static let sizeMax = 1 << 20

    /// Those in the functions' folders `schemas`, which a `dev` host looks at for changes.
    static func below(_ functions: String) -> [String] {
        listDirectory(functions).flatMap { folder in
            listDirectory("\(functions)/\(folder)/schemas").map { "\(functions)/\(folder)/schemas/\($0)" }
        }
    }

    static func read(into manifest: inout Manifest, _ problems: Problems) {
        for (_, contract) in manifest.contracts.sorted(by: { $0.key < $1.key }) {
            for file in contract.files { read(file, into: &manifest, line: contract.line, problems) }
        }
    }

    private static func read(
        _ file: String,
        into manifest: inout Manifest,
        line: Int,
        _ problems: Problems
    ) {
        guard manifest.schemas[file] == nil else { return }
        let parts = manifest.file.split(separator: "/", omittingEmptySubsequences: false)
        let path = (parts.dropLast().map { String($0) } + [file]).joined(separator: "/")
        func wrong(_ message: String, hint: String) {
            problems.add(Problem(file: manifest.file, line: line, message: message, hint: hint))
        }
        guard let content = readFile(path), content.count <= sizeMax else {
            return wrong("the schema \(path) cannot be read", hint: "write it, up to 1 MiB long")
        }
        do {
            let json = try JSON.parse(Bytes(content))
            switch json {
            case .object, .bool: manifest.schemas[file] = json
            default: wrong("\(path) is no JSON Schema", hint: "write an object, or true")
            }
            // Entered first, so that a circle ends.
            for other in SchemaReference.files(in: json, of: file) {
                read(other, into: &manifest, line: line, problems)
            }
        } catch {
            wrong("the schema \(path) is no JSON: \(error)", hint: "fix the syntax")
        }
    }
}
