import FunctionCore
import RedisTrigger
import Storage
import Synchronization

/// A script as the server knows it: by its digest, and by its text where the server has forgotten it.
final class RedisScript: Sendable {
    let text: Bytes
    private let digest = Mutex<Bytes?>(nil)

    init(_ text: String) {
        self.text = Bytes(text)
    }

    /// Runs it once for each list of arguments.
    ///
    /// A call that may have been carried out is sent again once there is a connection: who calls sees to it
    /// that twice is as once.
    func call(_ client: RedisClient, _ base: Bytes, _ calls: [[Bytes]]) async throws -> [RedisValue] {
        var replies: [RedisValue] = []
        for part in calls.parts() { replies += try await write(client, base, part) }
        return replies
    }

    private func write(
        _ client: RedisClient,
        _ base: Bytes,
        _ calls: [[Bytes]]
    ) async throws -> [RedisValue] {
        do {
            return try await attempt(client, base, calls)
        } catch let error as RedisError where error.code == .disconnected {
            do throws(RedisError) {
                try await client.connect()
            } catch {
                throw StorageError(redis: error)
            }
            do {
                return try await attempt(client, base, calls)
            } catch let error as RedisError {
                throw StorageError(redis: error)
            }
        } catch let error as RedisError {
            throw StorageError(redis: error)
        }
    }

    private func attempt(
        _ client: RedisClient,
        _ base: Bytes,
        _ calls: [[Bytes]]
    ) async throws -> [RedisValue] {
        let digest = try await digest(client)
        var replies = try await client.pipeline(calls.map { ["EVALSHA", digest, "1", base] + $0 })
        for (index, reply) in replies.enumerated() {
            guard case .error(let text) = reply else { continue }
            guard text.hasPrefix("NOSCRIPT") else { throw RedisError(refusal: text) }
            // The server was started again, or has been told to forget its scripts.
            replies[index] = try await client.send(["EVAL", self.text, "1", base] + calls[index])
        }
        return replies
    }

    private func digest(_ client: RedisClient) async throws -> Bytes {
        if let known = digest.withLock({ $0 }) { return known }
        guard let told = try await client.send(["SCRIPT", "LOAD", text]).bytes else {
            throw RedisError(.protocolError, "Redis did not answer SCRIPT LOAD with a digest")
        }
        digest.withLock { $0 = told }
        return told
    }
}

extension StorageError {
    /// What went wrong between the engine and its server.
    init(redis error: RedisError) {
        let passing = ["READONLY", "LOADING", "MASTERDOWN", "OOM", "CLUSTERDOWN", "TRYAGAIN", "MISCONF"]
        if error.code == .busy {
            self.init(.overloaded, "too many commands wait for the journal's Redis: \(error.message)")
        } else if error.code != .refused || passing.contains(error.kind) {
            self.init(.unavailable, "the journal's Redis does not answer: \(error.message)")
        } else {
            self.init(.failed, "the journal's Redis: \(error.message)")
        }
    }
}

extension RedisClient {
    /// The replies to commands that belong together in nothing but time.
    func ask(_ commands: [[Bytes]]) async throws -> [RedisValue] {
        var replies: [RedisValue] = []
        for part in commands.parts() {
            do throws(RedisError) {
                let some = try await pipeline(part)
                for case .error(let text) in some { throw RedisError(refusal: text) }
                replies += some
            } catch {
                throw StorageError(redis: error)
            }
        }
        return replies
    }
}

extension [[Bytes]] {
    /// Parts that leave others room in what a connection may have waiting.
    fileprivate func parts() -> [[[Bytes]]] {
        stride(from: 0, to: count, by: 128).map { Array(self[$0..<Swift.min($0 + 128, count)]) }
    }
}
