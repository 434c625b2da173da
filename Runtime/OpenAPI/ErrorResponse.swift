import FunctionCore

/// The errors that the host's ports answer with, which all have one form.
enum ErrorResponse {
    private static let texts: [(status: Int, text: String)] = [
        (400, "The request, or its body, cannot be read."),
        (401, "The port asks for its token."),
        (402, "The user has not the credits that the job costs."),
        (403, "The request is not for whoever sent it."),
        (404, "There is nothing of that name."),
        (408, "The request did not arrive in time."),
        (409, "It contradicts what is there or under way."),
        (412, "A condition of the request does not hold."),
        (413, "The body is longer than the route takes."),
        (414, "The target is longer than the port takes."),
        (415, "The body comes in a coding or type that is not taken."),
        (416, "The range lies outside the file."),
        (417, "Only 100-continue can be expected."),
        (422, "The input breaks rules, which `faults` lists."),
        (426, "The path is one for WebSockets: ask for an upgrade."),
        (429, "A limit is reached; try again after `Retry-After`."),
        (431, "The header is longer than the port takes."),
        (500, "The function failed in a way that it does not describe."),
        (502, "The worker was lost, or what it said is no reply; or a provider failed."),
        (503, "The host cannot at the moment; try again after `Retry-After`."),
        (504, "The time limit passed."),
    ]

    /// Good responses, and references to the components of `statuses`.
    static func table(_ good: [(String, JSON)], _ statuses: [Int]) -> JSONObject {
        var table = JSONObject(good)
        for status in statuses {
            table["\(status)"] = ["$ref": .string("#/components/responses/Error\(status)")]
        }
        return table
    }

    /// One component a status.
    static var components: JSON {
        var all = JSONObject()
        for (status, text) in texts {
            var response: JSONObject = ["description": .string(text)]
            if status == 429 || status == 503 {
                response["headers"] = ["Retry-After": ["$ref": "#/components/headers/Retry-After"]]
            }
            response["content"] = [
                "application/json": ["schema": ["$ref": "#/components/schemas/Error"]]
            ]
            all["Error\(status)"] = .object(response)
        }
        return .object(all)
    }
}
