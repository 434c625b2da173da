import FunctionCore

/// The results of a batch as text, which people read and in which secrets are found.
package enum RecordedBatch {
    private struct Item: Codable {
        var status: Int?
        var headers: [RecordedHeader]?
        var body: RecordedBytes?
        var error: RecordedError?
    }

    package static func body(of results: [Result<Reply, FunctionError>]) -> Bytes {
        let items = results.map { result in
            switch result {
            case .success(let reply):
                Item(
                    status: reply.status,
                    headers: reply.headers.map { RecordedHeader($0) },
                    body: RecordedBytes(reply.body)
                )
            case .failure(let error): Item(error: RecordedError(error))
            }
        }
        return (try? JSONCoder.encode(items)) ?? "[]"
    }
}
