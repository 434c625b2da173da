import FunctionCore
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct BlobURLTests {
    private let workspace = Workspace()
    private let clock = HandClock()

    private func withURL(
        _ body: (BlobStore, BlobsBinding, String) async throws -> Void
    ) async throws {
        let key = try await SigningKey.load(directory: workspace.path)
        let store = try await BlobStore.open(directory: workspace.path, clock: clock, key: key)
        let blobs = Bindings(DirectCaller(service: BlobsService(store))).blobs
        _ = try await blobs.put("outputs/1/a.png", "abc", contentType: "image/png")
        #expect(await fault { _ = try await blobs.signedURL("outputs/1/a.png") }?.code == "not_ready")
        store.setBaseURL("http://127.0.0.1:8080")
        let signed = try await blobs.signedURL("outputs/1/a.png", seconds: 60)
        #expect(signed.expires == at(60))
        #expect(
            signed.url.hasPrefix("http://127.0.0.1:8080/_swiftlet/blobs/outputs/1/a.png?X-Amz-Algorithm=")
        )
        try await body(store, blobs, String(signed.url.dropFirst("http://127.0.0.1:8080".count)))
        await store.close()
    }

    private func status(
        _ store: BlobStore,
        _ target: String,
        method: String = "GET",
        host: String = "127.0.0.1:8080",
        _ seconds: Int64 = 0
    ) async -> Int {
        switch await store.verify(method, target: target, host: host, now: at(seconds)) {
        case .success: 200
        case .failure(let error): error.status
        }
    }

    @Test("a URL opens its blob for its seconds of the wall clock, and answers 403 after")
    func expiry() async throws {
        try await withURL { store, _, target in
            let opened = await store.verify("GET", target: target, host: "127.0.0.1:8080", now: at(0))
            let key = try opened.get().key
            #expect(key == "outputs/1/a.png")
            #expect(await status(store, target, 59) == 200)
            #expect(await status(store, target, 60) == 403)
            #expect(await status(store, target, 86_400) == 403)
            #expect(await status(store, target, -899) == 200)
            #expect(await status(store, target, -901) == 403)
        }
    }

    @Test("another key, signature, method, host, expiry or parameter answers 403")
    func tampering() async throws {
        try await withURL { store, blobs, target in
            _ = try await blobs.put("outputs/1/b.png", "def", contentType: "image/png")
            let changed = [
                target.replacing("a.png", with: "b.png"), target.replacing("Expires=60", with: "Expires=61"),
                String(target.dropLast()), target + "0", target + "&x=1",
                target.replacing("&X-Amz-Signature=", with: "&X-Amz-Signature=0"),
                "/_swiftlet/blobs/outputs/1/a.png",
                target.replacing("SignedHeaders=host", with: "SignedHeaders="),
                target + "&X-Amz-Expires=60", target.replacing("SWL", with: "SWM"),
            ]
            for target in changed { #expect(await status(store, target) == 403, "\(target)") }
            #expect(await status(store, target, method: "HEAD") == 403)
            #expect(await status(store, target, method: "PUT") == 403)
            #expect(await status(store, target, host: "127.0.0.1:8081") == 403)
            let head = try await store.signedURL("outputs/1/a.png", method: "HEAD").url.dropFirst(21)
            #expect(await status(store, String(head), method: "HEAD") == 200)
        }
    }

    @Test("a URL of a blob that has gone answers 404, and other seconds than 1 to 604800 are refused")
    func limits() async throws {
        try await withURL { store, blobs, target in
            for seconds in [0, -1, 604_801] {
                #expect(
                    await fault { _ = try await blobs.signedURL("outputs/1/a.png", seconds: seconds) }?.faults
                        .first?.path == "seconds"
                )
            }
            #expect(await fault { _ = try await blobs.signedURL("outputs/none") }?.status == 404)
            try await blobs.delete("outputs/1/a.png")
            #expect(await status(store, target) == 404)
            let other = Workspace()
            let key = try await SigningKey.load(directory: other.path)
            let second = try await BlobStore.open(directory: other.path, clock: clock, key: key)
            #expect(await status(second, target) == 403)
            await second.close()
        }
    }
}
