import FunctionCore
import Invocations
import Storage

/// The binding `blobs`: files, and URLs that open them for a while.
package struct BlobsService: BindingService {
    /// The largest blob that a function stores by a call; larger ones come from the renderer.
    package static let putLimit = 16 * 1024 * 1024

    package let binding = "blobs"
    private let store: BlobStore

    package init(_ store: BlobStore) {
        self.store = store
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard ["put", "get", "head", "delete", "sign"].contains(call.method) else {
            throw call.unknownMethod(of: binding)
        }
        let query = try call.decode(BlobQuery.self)
        try await DataFault.mapped {
            switch call.method {
            case "put": try answer.send(encoding: try await put(query, call))
            case "get": try await get(query.key, answer)
            case "head": try answer.send(encoding: try await store.head(query.key))
            case "delete":
                try await store.delete(query.key)
                try answer.send(encoding: Nothing())
            default:
                try answer.send(encoding: try await store.signedURL(query.key, seconds: query.seconds ?? 60))
            }
        }
    }

    package func invocationEnded(_ invocation: String, final: Bool) async {
        guard final else { return }
        // What cannot be removed now is found by age later; the invocation's end must not fail for it.
        try? await store.deleteTemporary(of: invocation)
    }

    private func put(_ query: BlobQuery, _ call: BindingCall) async throws -> BlobReference {
        guard call.body.count <= Self.putLimit else {
            throw FunctionError(
                status: 413,
                code: "blob_too_large",
                message: "the blob has \(call.body.count) bytes and may have \(Self.putLimit); split it",
                retry: .never
            )
        }
        return try await store.put(
            query.key,
            call.body,
            contentType: query.contentType ?? "application/octet-stream",
            invocation: call.origin.invocation
        )
    }

    /// The reference as the value, then the bytes, a piece at a time: a slow reader slows the reading.
    private func get(_ key: String, _ answer: any BindingAnswering) async throws {
        let reader = try await store.reader(key)
        try answer.send(encoding: reader.reference)
        var offset = 0
        while offset < reader.reference.size {
            let piece = try await reader.read(at: offset)
            try await answer.write(piece)
            offset += piece.count
        }
    }
}
