import FunctionCore
import HTTPTrigger
import Journal
import NIOCore
import Storage
import UserData

/// What the gateway answers itself: jobs, signed blobs and the document of its routes.
struct BuiltInEndpoints {
    let jobs: any JobEngine
    let blobs: BlobStore
    let clock: VirtualClock
    let loop: any EventLoop
    let documents: OpenAPIEndpoints

    init(_ host: HostState) {
        jobs = host.stores.journal.jobs
        blobs = host.stores.blobs
        clock = host.clock
        loop = host.loop
        documents = OpenAPIEndpoints(live: host.live)
    }

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/jobs/{id}") { request in
                await self.job(request) { .json(["job": await ResultBlobs(blobs).json($0)]) }
            },
            EndpointRoute("GET", "/v1/jobs/{id}/events") { request in
                await self.job(request) { JobEvents(jobs: jobs, loop: loop).response($0, to: request) }
            },
            EndpointRoute("GET", "/_swiftlet/blobs/{key*}") { await self.blob($0) },
            EndpointRoute("GET", "/_swiftlet/openapi.json") { _ in documents.gateway() },
        ]
    }

    /// A job, as its owner sees it.
    ///
    /// A job of somebody else is not there.
    private func job(
        _ request: EndpointRequest,
        _ answer: (JobRecord) async -> EndpointResponse
    ) async -> EndpointResponse {
        let id = request.parameters["id"] ?? ""
        do {
            guard let job = try await jobs.job(id), job.owner == nil || job.owner == request.principal else {
                return .failure(.notFound("there is no job \(id), or it is not yours"))
            }
            return await answer(job)
        } catch let error as StorageError where error.code == .unavailable {
            return .failure(error.functionError)
        } catch {
            return .failure(
                FunctionError(
                    status: 503,
                    code: "storage_failed",
                    message: "the journal cannot be read; try again"
                )
            )
        }
    }

    private func blob(_ request: EndpointRequest) async -> EndpointResponse {
        let host = request.headers.first("host") ?? ""
        switch await blobs.verify(request.method, target: request.target, host: host, now: clock.now) {
        case .failure(let error):
            return .failure(FunctionError(status: error.status, code: error.code, message: error.message))
        case .success(let reference):
            do {
                return .file(
                    try await blobs.localPath(forReading: reference.key),
                    size: Int64(reference.size),
                    contentType: reference.contentType,
                    etag: "\"\(reference.sha256)\"",
                    for: request,
                    headers: [
                        Header("cache-control", "private, no-store"),
                        Header("x-content-type-options", "nosniff"),
                    ]
                )
            } catch {
                return .failure(.notFound("the blob is gone"))
            }
        }
    }
}

extension JobRecord {
    /// The job as callers see it.
    var json: JSON {
        var object: JSONObject = [
            "id": .string(id), "function": .string(function), "state": .string(state.rawValue),
            "revision": .integer(revision), "percent": .integer(Int64(percent)),
            "attempt": .integer(Int64(attempt)),
            "max_attempts": .integer(Int64(maxAttempts)), "created": .string(created.rfc3339),
            "updated": .string(updated.rfc3339), "trace": .string(trace.traceID),
        ]
        if let stage { object["stage"] = .string(stage) }
        if state == .retryWait { object["next_attempt"] = .string(runAt.rfc3339) }
        if let result {
            object["result"] = result.json
            object["status"] = .integer(Int64(result.status))
        }
        if let error { object["error"] = error.json }
        return .object(object)
    }
}
