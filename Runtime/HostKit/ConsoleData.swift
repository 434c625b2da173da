import Console
import FunctionCore
import HTTPTrigger
import UserData

/// What the console shows of stored data; it changes nothing.
extension ConsoleRoutes {
    private static let page = 100
    /// How much of a text is shown.
    private static let previewMax = 64 << 10

    var dataRoutes: [EndpointRoute] {
        [
            page("/console/data") { try await self.data($0).page },
            page("/console/blob") { try await self.blob($0).page },
            guarded(
                EndpointRoute("GET", "/console/blob/content") { request in
                    await self.shown(request) { try await self.content(request) }
                }
            ),
            page("/console/users") { try await self.user($0).page },
            page("/console/documents") { try await self.documents($0).page },
        ]
    }

    private func data(_ request: EndpointRequest) async throws -> DataView {
        let prefix = request.query["prefix"] ?? ""
        let found = try await host.stores.blobs.list(
            prefix: prefix,
            after: request.query["after"] ?? "",
            limit: ConsoleRoutes.page + 1
        )
        let shown = found.prefix(ConsoleRoutes.page)
        return DataView(
            prefix: prefix,
            blobs: shown.map { DataView.Blob($0) },
            next: found.count > shown.count ? shown.last?.key : nil,
            used: try await host.stores.blobs.usage(),
            users: try await host.stores.shards.users(limit: ConsoleRoutes.page),
            collections: try await host.stores.documents.collections()
        )
    }

    // MARK: Blobs

    private func reference(_ request: EndpointRequest) async throws -> BlobReference {
        guard let reference = try await host.stores.blobs.head(request.query["key"] ?? "") else {
            throw FunctionError.notFound("There is no such blob.")
        }
        return reference
    }

    private func blob(_ request: EndpointRequest) async throws -> BlobView {
        let reference = try await reference(request)
        var text: String?
        if ["text/", "application/json"].contains(where: { reference.contentType.hasPrefix($0) }) {
            let reader = try await host.stores.blobs.reader(reference.key)
            text = try await reader.read(at: 0, limit: ConsoleRoutes.previewMax).text
        }
        return BlobView(blob: DataView.Blob(reference), sha256: reference.sha256, text: text)
    }

    /// What a page shows by itself, or a file to save: anything else is not opened under the console's origin.
    private func content(_ request: EndpointRequest) async throws -> EndpointResponse {
        let reference = try await reference(request)
        var headers = [Header("cache-control", "private, no-store")]
        let isSaved = request.query["save"] == "1"
        if isSaved { headers.append(Header("content-disposition", "attachment")) }
        guard isSaved || BlobView.isShown(reference.contentType) else {
            throw FunctionError(status: 415, code: "no_preview", message: "There is no preview of this type.")
        }
        let path = try await host.stores.blobs.localPath(forReading: reference.key)
        return .file(
            path,
            size: Int64(reference.size),
            contentType: isSaved ? "application/octet-stream" : reference.contentType,
            etag: "\"\(reference.sha256)\"",
            for: request,
            headers: headers
        )
    }

    // MARK: Users and documents

    private func user(_ request: EndpointRequest) async throws -> RecordsView {
        guard let user = request.query["user"].flatMap({ Int($0) }) else {
            throw FunctionError.invalid("user", "integer", "A user is a whole number from 1.")
        }
        let place = try ShardPlace(user: user)
        let collection = request.query["collection"]
        var records: [UserRecord] = []
        if let collection {
            records = try await host.stores.shards.records(of: user, collection, limit: ConsoleRoutes.page)
        }
        return RecordsView(
            now: host.clock.now,
            title: "User \(user)",
            aside: "Shard \(place.number).",
            user: user,
            collections: try await host.stores.shards.collections(of: user),
            collection: collection,
            records: records.map {
                RecordsView.Record(
                    id: $0.id,
                    version: $0.version,
                    updated: $0.updated,
                    value: $0.value.shownText
                )
            }
        )
    }

    private func documents(_ request: EndpointRequest) async throws -> RecordsView {
        let collection = request.query["collection"] ?? ""
        let documents = try await host.stores.documents.list(collection, limit: ConsoleRoutes.page)
        return RecordsView(
            now: host.clock.now,
            title: "Documents",
            aside: "The last changed first.",
            user: nil,
            collections: try await host.stores.documents.collections(),
            collection: collection,
            records: documents.map {
                RecordsView.Record(
                    id: $0.key,
                    version: $0.version,
                    updated: $0.updated,
                    value: $0.value.shownText
                )
            }
        )
    }
}

extension JSON {
    fileprivate var shownText: String { shortened(bytes(pretty: true).text, to: 20_000) }
}

extension DataView.Blob {
    fileprivate init(_ reference: BlobReference) {
        self.init(key: reference.key, size: reference.size, type: reference.contentType)
    }
}
