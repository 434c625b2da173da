import FunctionCore
import Glibc
import Storage

/// A blob that is open for reading.
///
/// It stays readable as it was, even if it is replaced or deleted meanwhile.
package final class BlobReader: Sendable {
    package let reference: BlobReference
    private let descriptor: Int32
    private let lane: BlockingLane

    init(_ reference: BlobReference, descriptor: Int32, lane: BlockingLane) {
        self.reference = reference
        self.descriptor = descriptor
        self.lane = lane
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Up to `limit` bytes at an offset; empty at the end.
    /// - Throws: `StorageError` storage_corrupt for a file that is shorter than its index says.
    package func read(at offset: Int, limit: Int = BlobFiles.piece) async throws -> Bytes {
        let count = min(limit, reference.size - offset)
        guard count > 0 else { return Bytes() }
        // The closure holds the reader, so that the descriptor stays open while it is read.
        let bytes = try await lane.run { [self] in
            try readAt(descriptor, offset, limit: count, path: reference.key)
        }
        guard bytes.count == count else {
            let message =
                "blob \(reference.key) ends at \(offset + bytes.count) of \(reference.size) bytes; restore it"
            throw StorageError(.corrupt, message)
        }
        return Bytes(bytes)
    }
}
