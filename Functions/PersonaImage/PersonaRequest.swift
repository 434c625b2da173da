import FunctionCore

/// What a caller asks for, checked: an instance keeps all rules.
struct PersonaRequest: Sendable {
    /// What happens where the name is taken.
    enum IfExists: String, Sendable, CaseIterable {
        /// The persona that is there is the answer.
        case existing = "return"
        /// A further picture becomes its newest version.
        case update
        /// The request is refused with 409.
        case error
    }

    static let sizes = ["1024x1024", "1536x1024", "1024x1536"]

    var name: PersonaName
    var prompt: String
    var tone: String?
    var size: String
    var ifExists: IfExists

    /// Reads the event's object.
    ///
    /// - Throws: `FunctionError` 422 with every fault at once.
    init(_ object: JSON) throws {
        var faults: [Fault] = []
        var name: PersonaName?
        do {
            name = try PersonaRequest.name(object["name"])
        } catch let error as FunctionError {
            faults += error.faults
        }
        let prompt = PersonaRequest.text(object, "prompt", 1...4000, required: true, &faults)
        tone = PersonaRequest.text(object, "tone", 1...40, required: false, &faults)
        size = PersonaRequest.choice(object, "size", PersonaRequest.sizes, &faults)
        let choice = PersonaRequest.choice(object, "if_exists", IfExists.allCases.map(\.rawValue), &faults)
        guard faults.isEmpty, let name, let prompt else { throw FunctionError.invalid(faults) }
        self.name = name
        self.prompt = prompt
        self.ifExists = IfExists(rawValue: choice) ?? .existing
    }

    /// Reads a name.
    ///
    /// - Throws: `FunctionError` 422.
    static func name(_ value: JSON?) throws -> PersonaName {
        guard let value, !value.isNull else {
            throw FunctionError.invalid("name", "required", "name is required, with 1 to 80 characters")
        }
        guard let text = value.stringValue else {
            throw FunctionError.invalid("name", "type", "name must be a string")
        }
        guard let name = PersonaName(text) else {
            throw FunctionError.invalid(
                "name",
                "length",
                "name must have 1 to 80 characters other than white space, and no control character"
            )
        }
        return name
    }

    private static func text(
        _ object: JSON,
        _ name: String,
        _ range: ClosedRange<Int>,
        required: Bool,
        _ faults: inout [Fault]
    ) -> String? {
        let rule = "with \(range.lowerBound) to \(range.upperBound) characters"
        guard let value = object[name], !value.isNull else {
            if required { faults.append(Fault(name, "required", "\(name) is required, \(rule)")) }
            return nil
        }
        guard let text = value.stringValue else {
            faults.append(Fault(name, "type", "\(name) must be a string, \(rule)"))
            return nil
        }
        let trimmed = String(
            text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        )
        guard range.contains(trimmed.count) else {
            faults.append(Fault(name, "length", "\(name) must be a string, \(rule); it has \(trimmed.count)"))
            return nil
        }
        return trimmed
    }

    /// One of `choices`, the first where the member is absent.
    private static func choice(
        _ object: JSON,
        _ name: String,
        _ choices: [String],
        _ faults: inout [Fault]
    ) -> String {
        guard let value = object[name], !value.isNull else { return choices[0] }
        guard let text = value.stringValue, choices.contains(text) else {
            faults.append(Fault(name, "choice", "\(name) must be one of \(choices.joined(separator: ", "))"))
            return choices[0]
        }
        return text
    }
}
