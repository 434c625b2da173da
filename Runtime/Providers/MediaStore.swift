import FunctionCore

/// Where speech and films are read from and stored: the host's blobs, seen as files.
package protocol MediaStore: Sendable {
    /// The path of a blob's bytes, to be read and not changed.
    /// - Throws: `FunctionError` 404 `not_found`.
    func localPath(forReading key: String) async throws -> String
    /// Takes a finished file over as a blob, whole or not at all. The file at `path` is gone afterwards.
    func adopt(file path: String, as key: String, contentType: String) async throws -> BlobReference
}
