import FunctionCore
import Glibc
import Storage

/// The key that signs blobs' URLs.
///
/// Its description shows no secret.
package struct SigningKey: Sendable, CustomStringConvertible {
    /// Which key it is; part of each URL.
    package let accessKey: String
    /// Never leaves the host.
    let secret: String

    package init(accessKey: String, secret: String) {
        self.accessKey = accessKey
        self.secret = secret
    }

    package var description: String { "SigningKey(\(accessKey))" }

    /// Reads `DATA/secrets/blob-signing.json`; makes it at the first start, readable by its owner only.
    /// - Throws: `StorageError`, for a file that others may read among others.
    package static func load(directory: String) async throws -> SigningKey {
        try await blocking {
            let path = "\(directory)/secrets/blob-signing.json"
            if let key = try read(path) { return key }
            let key = SigningKey(
                accessKey: "SWL" + hexadecimal(randomBytes(8)).uppercased(),
                secret: hexadecimal(randomBytes(32))
            )
            try write(key, path)
            return key
        }
    }

    private static func read(_ path: String) throws -> SigningKey? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw fileError("open", path)
        }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fileError("fstat", path) }
        guard status.st_mode & 0o077 == 0 else {
            throw StorageError(.failed, "\(path) can be read by others than its owner; run `chmod 600` on it")
        }
        let text = try readAt(descriptor, 0, limit: 4096, path: path)
        let json = try? JSON.parse(Bytes(text))
        guard let accessKey = json?["accessKey"]?.stringValue, let secret = json?["secret"]?.stringValue,
            !accessKey.isEmpty, secret.utf8.count >= 32
        else {
            throw StorageError(
                .corrupt,
                "\(path) holds no signing key; delete it, and a new one is made at the next start"
            )
        }
        return SigningKey(accessKey: accessKey, secret: secret)
    }

    private static func write(_ key: SigningKey, _ path: String) throws {
        try makeDirectory(parent(of: path))
        let json: JSON = ["accessKey": .string(key.accessKey), "secret": .string(key.secret)]
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fileError("open", draft) }
        defer { Glibc.close(descriptor) }
        try writeAll(descriptor, json.bytes(pretty: true).array, path: draft)
        guard fsync(descriptor) == 0 else { throw fileError("fsync", draft) }
        guard rename(draft, path) == 0 else { throw fileError("rename", path) }
        try syncDirectory(parent(of: path))
    }
}
