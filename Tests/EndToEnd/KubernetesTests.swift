import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("On Kubernetes", .timeLimit(.minutes(5)))
    struct KubernetesTests {
        @Test("its schemas take the manifests, and a host with the ConfigMap's settings answers the kubelet")
        func manifests() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let settings = "\(place.path)/swiftlet.yaml"
            let checked = try await Python.run(
                "Kubernetes/manifests.py",
                requirements: "Kubernetes/requirements.txt",
                [Installed.project, settings]
            )
            #expect(checked.code == 0, "\(checked.all)")
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            FixtureProject.write("echo", "triggers: {http: [{method: POST, path: /echo}]}", in: place.path)
            let token = String(repeating: "t", count: 48)
            try await RedisServer.run { redis in
                let host = try ServeProcess(
                    in: place.path,
                    settings: settings,
                    environment: [
                        "REDIS_URL": redis.url, "SWIFTLET_ADMIN_TOKEN": token, "OPENAI_API_KEY": "key",
                        "OPENAI_BASE_URL": "http://127.0.0.1:9",
                    ]
                )
                defer { host.signal(SIGKILL) }
                let admin = try await host.ready().admin
                // The kubelet calls a pod by its address, and has no token.
                let pod = [Header("host", "10.1.2.3:8081"), Header("user-agent", "kube-probe/1.34")]
                #expect(try await HTTP.get("\(admin)/healthz", pod).status == 200)
                let ready = try await HTTP.get("\(admin)/readyz", pod)
                #expect(ready.json == ["status": "ready", "degraded": []], "\(ready.text)")
                #expect(try await HTTP.get("\(admin)/v1/functions", pod).status == 401)
                let bearer = Header("authorization", "Bearer \(token)")
                let known = try await HTTP.get("\(admin)/readyz", [bearer])
                #expect(known.json["isolation"]?["seccomp"]?["on"] == true, "\(known.text)")
                host.signal(SIGTERM)
                #expect(try await host.ended() == .exited(0))
            }
        }
    }
}
