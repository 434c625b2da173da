import FunctionCore

/// All definitions by name and version.
///
/// A version that was published never changes; a change is a new version.
struct DefinitionLibrary: Sendable {
    private let definitions: [String: [Definition]]

    /// Reads `texts`, one JSON document a definition.
    init(_ texts: [String]) throws(DefinitionError) {
        var read: [String: [Definition]] = [:]
        for text in texts {
            let definition = try Definition(text)
            guard !read[definition.name, default: []].contains(where: { $0.version == definition.version })
            else {
                throw DefinitionError("\(definition.label): there are two definitions of this version")
            }
            read[definition.name, default: []].append(definition)
        }
        definitions = read.mapValues { $0.sorted { $0.version < $1.version } }
    }

    /// The names, sorted.
    var names: [String] { definitions.keys.sorted() }

    /// The newest version of `name`.
    /// - Throws: `FunctionError` 404 that names the known ones.
    func latest(_ name: String) throws(FunctionError) -> Definition {
        guard let latest = definitions[name]?.last else { throw unknown(name) }
        return latest
    }

    /// One version of `name`.
    /// - Throws: `FunctionError` 404 that names the known ones.
    func find(_ name: String, version: Int) throws(FunctionError) -> Definition {
        guard let versions = definitions[name] else { throw unknown(name) }
        guard let found = versions.first(where: { $0.version == version }) else {
            let known = versions.map { String($0.version) }.joined(separator: ", ")
            throw .notFound("questionnaire \(name) has no version \(version); it has \(known)")
        }
        return found
    }

    /// Name, title and versions of all.
    var index: JSON {
        let entries = names.map { name -> JSON in
            let versions = definitions[name] ?? []
            return [
                "name": .string(name),
                "title": .string(versions.last?.title ?? ""),
                "versions": .array(versions.map { .integer(Int64($0.version)) }),
            ]
        }
        return ["questionnaires": .array(entries)]
    }

    private func unknown(_ name: String) -> FunctionError {
        let shown = name.prefix(60)
        return .notFound(
            "there is no questionnaire \"\(shown)\"; the known ones are \(names.joined(separator: ", "))"
        )
    }
}
