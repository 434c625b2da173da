/// What a new function begins as, by what triggers it.
package enum FunctionTemplate: String, Sendable, CaseIterable {
    /// A route, answered with JSON.
    case http
    /// A Redis stream, entry by entry.
    case redis
    /// A schedule.
    case schedule
    /// A route, answered with server-sent events.
    case stream

    /// The function's files below the package: code, manifest, test, and a schedule where it has one.
    package func files(_ name: FunctionName) -> [ScaffoldFile] {
        var files = [
            ScaffoldFile("Functions/\(name.module)/\(name.type).swift", fill(code, name)),
            ScaffoldFile("Functions/\(name.module)/function.yaml", fill(manifest, name)),
            ScaffoldFile("Tests/FunctionsTests/\(name.module)Tests.swift", fill(test, name)),
        ]
        if self == .schedule {
            files.append(
                ScaffoldFile("schedules/\(name.text).yaml", fill(FunctionTemplate.scheduleFile, name))
            )
        }
        return files
    }

    private func fill(_ text: String, _ name: FunctionName) -> String {
        var result = ""
        var rest = text[...]
        while let mark = rest.firstIndex(of: "%") {
            result += rest[..<mark]
            rest = rest[rest.index(after: mark)...]
            switch rest.first {
            case "N": result += name.text
            case "M": result += name.module
            case "T": result += name.type
            default:
                result += "%"
                continue
            }
            rest = rest.dropFirst()
        }
        return result + rest + "\n"
    }

    private static let scheduleFile = """
        # When %N runs. What will run when: swiftlet schedule next %N
        schedule: %N
        function: %N
        every: 1m
        catchUp: latest               # of times missed while no host ran
        """

    private var code: String {
        switch self {
        case .http: FunctionTemplate.httpCode
        case .redis: FunctionTemplate.redisCode
        case .schedule: FunctionTemplate.scheduleCode
        case .stream: FunctionTemplate.streamCode
        }
    }

    private var manifest: String {
        switch self {
        case .http:
            """
            name: %N
            summary: Greets by name.
            triggers:
              http:
                - {method: GET, path: "/v1/%N/{name}"}
            """
        case .redis:
            """
            name: %N
            summary: Counts the names that come by the stream %N.
            triggers:
              redis:
                - {stream: "%N", batch: 10}
            bindings: [state]
            retry: {attempts: 3, backoff: 1s}
            """
        case .schedule:
            """
            name: %N
            summary: Notes when it was due; schedules/%N.yaml says when that is.
            bindings: [state]
            """
        case .stream:
            """
            name: %N
            summary: Counts to a number, an event each.
            triggers:
              http:
                - {method: GET, path: "/v1/%N/{to}"}
            """
        }
    }

    private var test: String {
        switch self {
        case .http: FunctionTemplate.httpTest
        case .redis: FunctionTemplate.redisTest
        case .schedule: FunctionTemplate.scheduleTest
        case .stream: FunctionTemplate.streamTest
        }
    }
}
