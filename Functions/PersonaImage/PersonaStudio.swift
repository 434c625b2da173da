import FunctionCore

/// Finds, makes and shows personas for one invocation.
struct PersonaStudio: Sendable {
    /// A persona and the version of the document it was read from.
    struct Stored: Sendable {
        var persona: Persona
        var version: Int
    }

    private static let collection = "personas"
    /// How often a change is tried again because another came first.
    private static let attempts = 4
    /// How many pictures a persona lists; the oldest leave the list, their files stay.
    private static let history = 50

    var context: Context

    /// The persona of that name, or nil.
    func find(_ name: PersonaName) async throws -> Persona? {
        guard let document = try await context.bindings.documents.get(PersonaStudio.collection, name.key)
        else {
            return nil
        }
        return try stored(document, as: name).persona
    }

    /// The persona of that name; or nil, and with it the sole right to make it.
    func claim(_ name: PersonaName) async throws -> Stored? {
        let document = try await context.bindings.documents.claim(PersonaStudio.collection, name.key)
        return try document.map { try stored($0, as: name) }
    }

    /// Makes the persona for which the claim is held; tells whether it is new.
    ///
    /// The motto comes first: it costs least, and a tone that nobody knows ends the request before a picture
    /// is paid for.
    func make(_ request: PersonaRequest) async throws -> (persona: Persona, isNew: Bool) {
        var persona = Persona(
            name: request.name.text,
            prompt: request.prompt,
            tone: request.tone,
            created: context.now,
            versions: []
        )
        try await addMotto(to: &persona)
        persona.versions = [try await picture(request, number: 1)]
        do {
            try await put(persona, request.name, expected: 0)
            return (persona, true)
        } catch let error as FunctionError where error.code == "version_conflict" {
            // The claim was lost on the way, as when the host restarted; what was made meanwhile stands.
            guard let other = try await find(request.name) else { throw error }
            return (other, false)
        }
    }

    /// Adds a picture to a persona, and a motto where a tone is given.
    func update(_ existing: Stored, _ request: PersonaRequest) async throws -> Persona {
        let picture = try await picture(request, number: 0)
        var change = existing.persona
        change.prompt = request.prompt
        if request.tone != nil {
            change.tone = request.tone
            try await addMotto(to: &change)
        }
        var stored = existing
        for attempt in 1...PersonaStudio.attempts {
            var persona = change
            var newest = picture
            newest.version = (stored.persona.versions.map(\.version).max() ?? 0) + 1
            persona.versions = Array((stored.persona.versions + [newest]).suffix(PersonaStudio.history))
            do {
                try await put(persona, request.name, expected: stored.version)
                return persona
            } catch let error as FunctionError where error.code == "version_conflict" {
                // Two updates at once: the later one comes after the earlier one, and no picture is lost.
                guard attempt < PersonaStudio.attempts, let newer = try await claim(request.name) else {
                    throw error
                }
                stored = newer
            }
        }
        return change
    }

    /// The persona as callers see it, with a fresh link of 60 seconds to its newest picture.
    func view(_ persona: Persona) async throws -> JSON {
        guard let current = persona.current else {
            throw FunctionError(
                status: 500,
                code: "no_picture",
                message: "the persona is stored without a picture"
            )
        }
        let link = try await context.bindings.blobs.signedURL(current.image.key, seconds: 60)
        var image = describe(current)
        image["url"] = .string(link.url)
        image["expires"] = .string(link.expires.rfc3339)
        var view: JSONObject = [
            "name": .string(persona.name), "prompt": .string(persona.prompt), "image": .object(image),
            "created": .string(persona.created.rfc3339),
            "versions": .array(persona.versions.map { .object(describe($0)) }),
            "offline": .bool(current.offline || persona.mottoOffline == true),
        ]
        if let tone = persona.tone { view["tone"] = .string(tone) }
        if let motto = persona.motto { view["motto"] = .string(motto) }
        if let code = persona.mottoError { view["motto_error"] = .string(code) }
        return .object(view)
    }

    private func describe(_ version: Persona.Version) -> JSONObject {
        [
            "version": .integer(Int64(version.version)), "prompt": .string(version.prompt),
            "sha256": .string(version.image.sha256), "size": .integer(Int64(version.image.size)),
            "width": .integer(Int64(version.width)), "height": .integer(Int64(version.height)),
            "contentType": .string(version.image.contentType), "model": .string(version.model),
            "created": .string(version.created.rfc3339),
        ]
    }

    private func picture(_ request: PersonaRequest, number: Int) async throws -> Persona.Version {
        let wanted = ImageRequest(prompt: request.prompt, size: request.size)
        let (info, bytes) = try await context.bindings.images.generate(wanted)
        // The same bytes have the same key, so an attempt that is run again leaves no second file.
        let ending = PersonaStudio.ending(info.contentType)
        let key = "outputs/personas/\(request.name.key)/\(PersonaName.hash(bytes)).\(ending)"
        let image = try await context.bindings.blobs.put(key, bytes, contentType: info.contentType)
        return Persona.Version(
            version: number,
            prompt: request.prompt,
            image: image,
            width: info.width,
            height: info.height,
            model: info.model,
            offline: info.offline,
            created: context.now
        )
    }

    private static func ending(_ contentType: String) -> String {
        switch contentType {
        case "image/jpeg": "jpg"
        case "image/webp": "webp"
        default: "png"
        }
    }

    /// A motto is an adornment: where the motto function fails of itself, the persona is made without one and
    /// says so; where the request is at fault, such as by its tone, the request fails.
    private func addMotto(to persona: inout Persona) async throws {
        guard let tone = persona.tone else { return }
        // The motto function takes 2000 characters; a longer picture prompt says enough in as many.
        let prompt = String(persona.prompt.prefix(2000))
        let input: JSON = ["prompt": .string(prompt), "tone": .string(tone), "count": 1]
        do {
            let answer = try await context.bindings.invoke("motto", input)
            persona.motto = answer["mottos"]?[0]?["text"]?.stringValue
            persona.mottoOffline = answer["offline"]?.boolValue
            persona.mottoError = persona.motto == nil ? "invalid_output" : nil
        } catch let error as FunctionError where error.status >= 500 {
            context.log.warning("the persona gets no motto", ["code": error.code])
            persona.motto = nil
            persona.mottoOffline = nil
            persona.mottoError = error.code
        }
    }

    private func put(_ persona: Persona, _ name: PersonaName, expected: Int) async throws {
        let value = try JSONCoder.json(of: persona)
        _ = try await context.bindings.documents.put(
            PersonaStudio.collection,
            name.key,
            value,
            expected: expected
        )
    }

    private func stored(_ document: Document, as name: PersonaName) throws -> Stored {
        let persona = try JSONCoder.decode(Persona.self, from: document.value)
        guard persona.name == name.text else {
            throw FunctionError.conflict(
                "name_collision",
                "another persona's name has the same key; choose another name"
            )
        }
        return Stored(persona: persona, version: document.version)
    }
}
