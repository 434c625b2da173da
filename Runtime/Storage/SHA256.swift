import CCrypto
import FunctionCore

/// SHA-256 by libcrypto, fed in pieces.
///
/// A class, because the context behind it has one owner; not Sendable, so one thread at a time.
package final class SHA256 {
    private let context: OpaquePointer

    /// An empty hash.
    package init() {
        guard let context = swiftlet_sha256_begin() else {
            preconditionFailure("libcrypto has no memory for a SHA-256 context")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Adds bytes to what is hashed.
    package func update(_ bytes: some Collection<UInt8>) {
        // SAFETY: the storage is used inside the closure only.
        let done: Void? = bytes.withContiguousStorageIfAvailable { feed(UnsafeRawBufferPointer($0)) }
        // SAFETY: the storage is used inside the closure only.
        if done == nil { Array(bytes).withUnsafeBytes { feed($0) } }
    }

    /// Adds bytes that the caller holds in place, such as a buffer a file is read into.
    // SAFETY: the buffer is read during the call only.
    package func feed(_ bytes: UnsafeRawBufferPointer) {
        let status = swiftlet_sha256_update(context, bytes.baseAddress, bytes.count)
        precondition(status == 1, "libcrypto cannot go on with a SHA-256 that was finished")
    }

    /// The 32 bytes of the hash; the object is spent.
    package func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = swiftlet_sha256_finish(context, &digest)
        precondition(status == 1, "libcrypto cannot finish a SHA-256 twice")
        return digest
    }

    /// The 32 bytes of the hash of `bytes`.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = swiftlet_sha256(bytes, bytes.count, &digest)
        precondition(status == 1, "libcrypto cannot hash: its default provider is missing")
        return digest
    }
}

/// The SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
package func sha256Hex(_ bytes: Bytes) -> String {
    hexadecimal(SHA256.hash(bytes.array))
}

/// HMAC with SHA-256: 32 bytes.
package func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    let status = swiftlet_hmac_sha256(key, key.count, message, message.count, &code)
    precondition(status == 1, "libcrypto cannot compute an HMAC: its default provider is missing")
    return code
}

/// Whether two texts are equal, in a time that does not tell where they differ.
package func constantTimeEquals(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
    constantTimeEquals(Array(left.utf8), Array(right.utf8))
}

/// Whether two runs of bytes are equal, in a time that tells their lengths and nothing else.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && swiftlet_compare(left, right, left.count) == 0
}

/// Two lower-case hexadecimal digits a byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// Bytes of the kernel's random source, for keys and unguessable names.
package func randomBytes(_ count: Int) -> [UInt8] {
    var source = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &source) }
}
