import FunctionCore

/// A questionnaire as it was published: its questions, in their order, under a name and a version.
struct Definition: Sendable {
    let name: String
    let version: Int
    let title: String
    let questions: QuestionSet
    /// The document itself, which `definition` answers with.
    let source: JSON

    /// Reads a JSON document and checks it entirely, so that a broken definition stops the worker before its
    /// first event.
    init(_ text: String) throws(DefinitionError) {
        do {
            source = try JSON.parse(Bytes(text))
        } catch {
            throw DefinitionError("a definition is not JSON: \(error)")
        }
        var members = try DefinitionMembers(source, at: "definition")
        name = try members.text("name")
        members.place = name
        version = try members.whole("version") ?? 0
        guard version >= 1 else { throw DefinitionError("\(name): version must be a whole number from 1") }
        members.place = "\(name)@\(version)"
        title = try members.text("title")
        questions = try QuestionSet(try members.list("questions"), at: members.place)
        try members.refuseOthers()
    }

    /// `name@version`.
    var label: String { "\(name)@\(version)" }
}

/// What is wrong with a definition: where, and which rule.
struct DefinitionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The members of one object of a definition.
///
/// Every one that is read is noted, so that a misspelt one is found.
struct DefinitionMembers {
    var place: String
    private let object: JSONObject
    private var known: Set<String> = []

    init(_ json: JSON, at place: String) throws(DefinitionError) {
        guard let object = json.objectValue else { throw DefinitionError("\(place): must be an object") }
        self.object = object
        self.place = place
    }

    mutating func value(_ name: String) -> JSON? {
        known.insert(name)
        return object[name]
    }

    mutating func text(_ name: String) throws(DefinitionError) -> String {
        guard let text = value(name)?.stringValue, !text.isEmpty else {
            throw DefinitionError("\(place): \(name) is required, as a text")
        }
        return text
    }

    mutating func optionalText(_ name: String) throws(DefinitionError) -> String? {
        value(name) == nil ? nil : try text(name)
    }

    mutating func whole(_ name: String) throws(DefinitionError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let whole = value.intValue else {
            throw DefinitionError("\(place): \(name) must be a whole number")
        }
        return whole
    }

    mutating func number(_ name: String) throws(DefinitionError) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.doubleValue else {
            throw DefinitionError("\(place): \(name) must be a number")
        }
        return number
    }

    mutating func flag(_ name: String) throws(DefinitionError) -> Bool {
        guard let value = value(name) else { return false }
        guard let flag = value.boolValue else {
            throw DefinitionError("\(place): \(name) must be true or false")
        }
        return flag
    }

    mutating func list(_ name: String) throws(DefinitionError) -> [JSON] {
        guard let list = value(name)?.arrayValue, !list.isEmpty else {
            throw DefinitionError("\(place): \(name) is required, as a list with at least one element")
        }
        return list
    }

    /// The `value` members of a list such as `choices`, which must differ.
    mutating func values(_ name: String) throws(DefinitionError) -> [String] {
        var values: [String] = []
        for (index, element) in try list(name).enumerated() {
            guard let value = element.stringValue ?? element["value"]?.stringValue, !values.contains(value)
            else {
                throw DefinitionError("\(place): \(name)[\(index)] needs a value of its own")
            }
            values.append(value)
        }
        return values
    }

    /// A range of counts, from two members.
    mutating func range(
        _ lower: String,
        _ upper: String,
        default range: ClosedRange<Int>
    ) throws(DefinitionError) -> ClosedRange<Int> {
        let least = try whole(lower) ?? range.lowerBound
        let most = try whole(upper) ?? max(range.upperBound, least)
        guard least >= 0, least <= most else {
            throw DefinitionError("\(place): \(lower) must not be above \(upper), nor below 0")
        }
        return least...most
    }

    /// Refuses every member that nobody asked for.
    func refuseOthers() throws(DefinitionError) {
        guard let other = object.keys.first(where: { !known.contains($0) }) else { return }
        throw DefinitionError(
            "\(place): \(other) means nothing here; known are \(known.sorted().joined(separator: ", "))"
        )
    }
}
