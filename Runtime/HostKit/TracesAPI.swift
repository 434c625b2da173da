import Activity
import FunctionCore
import HTTPTrigger

/// The admin API's part on traces of late.
struct TracesAPI: Sendable {
    let book: ActivityBook

    /// How much of an id is enough to look for it.
    private static let prefixMin = 8

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/traces") { self.list($0) },
            EndpointRoute("GET", "/v1/traces/{id}") { self.show($0) },
        ]
    }

    private func list(_ request: EndpointRequest) -> EndpointResponse {
        let limit = request.query["limit"].map { Int($0) } ?? 50
        guard let limit, (1...1000).contains(limit) else {
            return .failure(.invalid("limit", "range", "`limit` must be a whole number from 1 to 1000"))
        }
        return .json(["traces": .array(book.traces(limit: limit).map(\.json))])
    }

    private func show(_ request: EndpointRequest) -> EndpointResponse {
        let format = request.query["format"] ?? "tree"
        guard ["tree", "otlp"].contains(format) else {
            return .failure(.invalid("format", "one_of", "`format` must be tree or otlp"))
        }
        do throws(FunctionError) {
            let tree = try tree(request.parameters["id"] ?? "")
            return .json(
                format == "tree" ? tree.json : tree.otlp(service: "swiftlet", version: Release.version)
            )
        } catch {
            return .failure(error)
        }
    }

    /// The trace with that id, or the newest one whose id begins so.
    func tree(_ text: String) throws(FunctionError) -> SpanTree {
        let id = text.lowercased()
        guard id.utf8.count >= TracesAPI.prefixMin,
            let whole = id.utf8.count == 32 ? id : book.trace(beginningWith: id),
            let tree = book.tree(of: whole)
        else {
            throw .notFound(
                "nothing of a trace \(text) is kept; the last \(book.capacity) invocations are, and a trace is "
                    + "named by the first \(TracesAPI.prefixMin) digits of its id at least"
            )
        }
        return tree
    }
}
