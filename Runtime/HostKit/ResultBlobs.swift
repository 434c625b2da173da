import FunctionCore
import Invocations
import Journal
import UserData

/// Results of jobs that are too large for the journal, as blobs under `results/`.
package struct ResultBlobs: Sendable {
    /// The largest result of a job; a blob's own limit.
    package static let limit = 16 * 1024 * 1024
    private static let prefix = "results/"

    private let blobs: BlobStore

    package init(_ blobs: BlobStore) {
        self.blobs = blobs
    }

    /// What the journal is to keep of a reply.
    ///
    /// The blob is there before the job is completed; a host that is killed between the two leaves one that
    /// the next attempt replaces.
    /// - Throws: `FunctionError`, such as 507 where the blobs have no room.
    func result(of job: JobRecord, status: Int, type: String, _ body: Bytes) async throws -> JobResult {
        guard body.count > JobLimits.result else {
            return JobResult(status: status, contentType: type, body: body)
        }
        let key = ResultBlobs.prefix + job.id
        let reference = try await blobs.put(key, body, contentType: type)
        return JobResult(status: status, contentType: type, blob: reference.key, size: body.count)
    }

    /// The job as its owner sees it, with an address of five minutes for a result that is a blob.
    func json(_ job: JobRecord) async -> JSON {
        guard let key = job.result?.blob, case .object(var object) = job.json,
            let signed = try? await blobs.signedURL(key, seconds: 300)
        else { return job.json }
        object["result_url"] = .string(signed.url)
        return .object(object)
    }

    /// Removes those whose jobs were pruned or purged.
    package func sweep(_ jobs: any JobEngine) async throws {
        var last = ""
        while true {
            let page = try await blobs.list(prefix: ResultBlobs.prefix, after: last, limit: 500).map(\.key)
            guard let end = page.last else { return }
            let gone = try await jobs.missing(page.map { String($0.dropFirst(ResultBlobs.prefix.count)) })
            for id in gone { try await blobs.delete(ResultBlobs.prefix + id) }
            last = end
        }
    }
}
