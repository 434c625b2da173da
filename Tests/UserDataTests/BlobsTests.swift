import FunctionCore
import Glibc
import Storage
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct BlobsTests {
    private let workspace = Workspace()
    private let clock = HandClock()

    private func withBlobs(
        capacity: Int = BlobStore.defaultCapacity,
        _ body: (BlobsBinding, BlobStore) async throws -> Void
    ) async throws {
        let key = try await SigningKey.load(directory: workspace.path)
        let store = try await BlobStore.open(
            directory: workspace.path,
            clock: clock,
            key: key,
            capacity: capacity
        )
        store.setBaseURL("http://127.0.0.1:8080/")
        try await body(blobs(store), store)
        let check = try await store.check()
        #expect(check.orphanFiles.isEmpty && check.brokenKeys.isEmpty)
        await store.close()
    }

    private func blobs(_ store: BlobStore, _ invocation: String = "i1") -> BlobsBinding {
        Bindings(DirectCaller(service: BlobsService(store), invocation: invocation)).blobs
    }

    @Test("a blob is read back as it was stored, with its digest, across a restart")
    func roundTrip() async throws {
        let bytes = Bytes((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        try await withBlobs { blobs, _ in
            let reference = try await blobs.put("outputs/1/a.png", bytes, contentType: "image/png")
            #expect(reference.sha256 == sha256Hex(bytes))
            #expect(reference.size == 200_000)
            #expect(try await blobs.get("outputs/1/a.png") == bytes)
            #expect(try await blobs.put("inputs/empty", "", contentType: "text/plain").size == 0)
            #expect(try await blobs.get("inputs/empty").isEmpty)
        }
        try await withBlobs { blobs, store in
            #expect(try await blobs.get("outputs/1/a.png") == bytes)
            #expect(try await blobs.head("outputs/1/a.png")?.contentType == "image/png")
            #expect(try await blobs.head("outputs/1/b.png") == nil)
            #expect(await fault { _ = try await blobs.get("outputs/1/b.png") }?.status == 404)
            #expect(try await store.usage() == 200_000)
            try await blobs.delete("outputs/1/a.png")
            try await blobs.delete("outputs/1/a.png")
            #expect(try await blobs.head("outputs/1/a.png") == nil)
            #expect(try await store.usage() == 0)
        }
    }

    @Test("a blob comes in pieces of 64 KiB")
    func pieces() async throws {
        try await withBlobs { blobs, store in
            _ = try await blobs.put(
                "outputs/x",
                Bytes([UInt8](repeating: 9, count: 150_000)),
                contentType: "a/b"
            )
            let reply = try await DirectCaller(service: BlobsService(store))
                .call(BindingRequest(binding: "blobs", method: "get", arguments: #"{"key":"outputs/x"}"#))
            var sizes: [Int] = []
            for try await piece in reply.body { sizes.append(piece.count) }
            #expect(sizes == [65_536, 65_536, 18_928])
        }
    }

    @Test("a blob that is replaced stays readable as it was for who has it open")
    func replacement() async throws {
        try await withBlobs { blobs, store in
            _ = try await blobs.put("outputs/x.txt", "first", contentType: "text/plain")
            let reader = try await store.reader("outputs/x.txt")
            let path = try await store.localPath(forReading: "outputs/x.txt")
            #expect(path.hasSuffix(".txt"))
            #expect(contents(path) == Array("first".utf8))
            _ = try await blobs.put("outputs/x.txt", "second", contentType: "text/plain")
            #expect(try await reader.read(at: 0) == "first")
            #expect(try await blobs.get("outputs/x.txt") == "second")
            #expect(try await store.usage() == 6)
            #expect(await fault { _ = try await store.localPath(forReading: "outputs/none") }?.status == 404)
        }
    }

    @Test(
        "a key that is not a plain path under a known root is refused",
        arguments: [
            "", "a", "outputs", "outputs/", "outputs//a", "outputs/../a", "outputs/./a", "/outputs/a",
            "outputs/a b",
            "outputs/a/", "secrets/a", "outputs/%2e", "outputs/ä", "outputs/a\u{0}b", "outputs/...",
        ]
    )
    func keys(_ key: String) async throws {
        let error = #expect(throws: FunctionError.self) { try BlobKey(key) }
        #expect(error?.faults.first?.path == "key")
        #expect(throws: FunctionError.self) { try BlobKey("outputs/" + String(repeating: "x", count: 505)) }
        #expect(try BlobKey("outputs/" + String(repeating: "x", count: 504)).text.count == 512)
    }

    @Test("a finished file is taken over with its digest, and is gone from its place")
    func adoption() async throws {
        try await withBlobs { blobs, store in
            let file = workspace.path + "/render.mp4"
            TestSupport.store([UInt8](repeating: 5, count: 100_000), at: file)
            let reference = try await store.adopt(file: file, as: "outputs/1/v.mp4", contentType: "video/mp4")
            #expect(reference.sha256 == sha256Hex(Bytes([UInt8](repeating: 5, count: 100_000))))
            #expect(try await blobs.get("outputs/1/v.mp4").count == 100_000)
            #expect(fileSize(file) == nil)
            #expect(
                await fault { _ = try await store.adopt(file: file, as: "outputs/w", contentType: "a/b") }?
                    .status == 404
            )
            symlink("/etc/hostname", file)
            #expect(
                await fault { _ = try await store.adopt(file: file, as: "outputs/w", contentType: "a/b") }
                    != nil
            )
        }
    }

    @Test("what does not fit the cap is refused with 507, and a replacement is counted once")
    func capacity() async throws {
        try await withBlobs(capacity: 1000) { blobs, store in
            let half = Bytes([UInt8](repeating: 1, count: 600))
            _ = try await blobs.put("outputs/a", half, contentType: "a/b")
            let error = await fault { _ = try await blobs.put("outputs/b", half, contentType: "a/b") }
            #expect(error?.status == 507)
            #expect(error?.code == "storage_full")
            _ = try await blobs.put("outputs/a", half, contentType: "a/b")
            #expect(try await store.usage() == 600)
            let large = Bytes([UInt8](repeating: 0, count: BlobsService.putLimit + 1))
            #expect(
                await fault { _ = try await blobs.put("outputs/b", large, contentType: "a/b") }?.status == 413
            )
            #expect(
                await fault { _ = try await blobs.put("outputs/b", "x", contentType: "png") }?.faults.first?
                    .path == "contentType"
            )
        }
    }

    @Test("temporary blobs go with the end of their invocation's job, and with no other")
    func temporary() async throws {
        try await withBlobs { blobs, store in
            let service = BlobsService(store)
            _ = try await blobs.put("temp/i1/a", "1", contentType: "a/b")
            _ = try await blobs.put("temp/scratch", "2", contentType: "a/b")
            _ = try await blobs.put("outputs/a", "3", contentType: "a/b")
            _ = try await self.blobs(store, "i2").put("temp/i2/a", "4", contentType: "a/b")
            await service.invocationEnded("i1", final: false)
            #expect(try await store.list(prefix: "temp/").count == 3)
            await service.invocationEnded("i1", final: true)
            await service.invocationEnded("i3", final: true)
            #expect(try await store.list(prefix: "").map(\.key) == ["outputs/a", "temp/i2/a"])
        }
        try await withBlobs { _, store in
            await BlobsService(store).invocationEnded("i2", final: true)
            #expect(try await store.list(prefix: "temp/").isEmpty)
            _ = try await self.blobs(store, "i9").put("temp/i9/a", "4", contentType: "a/b")
            clock.set(at(100))
            try await store.deleteTemporary(storedBefore: at(1))
            #expect(try await store.list(prefix: "temp/").isEmpty)
        }
    }

    @Test("the check finds files without a key and keys without a file")
    func check() async throws {
        let key = try await SigningKey.load(directory: workspace.path)
        let store = try await BlobStore.open(directory: workspace.path, clock: clock, key: key)
        _ = try await store.put("outputs/a", "abc", contentType: "a/b")
        _ = try await store.put("outputs/b", "abc", contentType: "a/b")
        let path = try await store.localPath(forReading: "outputs/a")
        let orphan = parent(of: path) + "/orphan"
        #expect(rename(path, orphan) == 0)
        let found = try await store.check()
        #expect(found.brokenKeys == ["outputs/a"])
        #expect(found.orphanFiles.count == 1)
        #expect(try await store.removeOrphans() == 1)
        #expect(fileSize(orphan) == nil)
        #expect(await fault { _ = try await blobs(store).get("outputs/a") }?.status == 503)
        #expect(try await blobs(store).get("outputs/b") == "abc")
        await store.close()
    }

    @Test("the signing key is made once, for its owner only, and refused when others may read it")
    func signingKey() async throws {
        let key = try await SigningKey.load(directory: workspace.path)
        #expect(try await SigningKey.load(directory: workspace.path).accessKey == key.accessKey)
        #expect(!"\(key)".contains("secret"))
        let path = workspace.path + "/secrets/blob-signing.json"
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        chmod(path, 0o644)
        let error = await #expect(throws: StorageError.self) {
            try await SigningKey.load(directory: workspace.path)
        }
        #expect(error?.message.contains("chmod 600") == true)
    }
}
