import FunctionCore
import Glibc
import TestSupport
import Testing

/// The console as a person uses it, in a Chromium without a window.
///
/// On its own, as the others of this target have a minute each and this one makes ten thousand invocations.
@Suite("The console", .serialized, .timeLimit(.minutes(10)))
struct ConsoleTests {
    /// `CONSOLE_SCREENSHOTS=FOLDER` has the pictures of the README made anew.
    @Test("every page and every action works in a browser, by keyboard, on a phone and in the dark")
    func browser() async throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        for name in ["market.yaml"] {
            let text = try #require(Text.read("\(Installed.project)/schedules/\(name)"))
            Text.write(text.utf8, to: "\(place.path)/\(name)")
        }
        let schedule = """
            schedule: evening
            function: motto
            cron: "30 18 * * *"
            zone: Europe/Vienna
            event: '{"prompt": "an evening", "tone": "calm", "count": 1}'

            """
        Text.write(schedule.utf8, to: "\(place.path)/evening.yaml")
        var options = DevHost.Options(["--at", "2026-11-24T10:00:00Z", "--speed", "1"])
        options.schedules = place.path
        try await DevHost.run(options) { host in
            var arguments = [host.admin, host.gateway]
            if let folder = getenv("CONSOLE_SCREENSHOTS") {
                arguments += ["--screenshots", String(cString: folder)]
            }
            try await browse("console.py", arguments)
        }
    }

    @Test(
        "a build under way, one that fails and one that is done are told of on every page; so are pictures"
    )
    func builds() async throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        let (compiler, package) = ("\(place.path)/compiler", "\(place.path)/package")
        for path in [compiler, package] { mkdir(path, 0o700) }
        var options = FixtureProject.options(in: package)
        let manifest = ".executableTarget(name: \"fixtures\", path: \"Functions/Bundle\")"
        Text.write(manifest.utf8, to: "\(package)/Package.swift")
        let source = "\(package)/Functions/echo/Echo.swift"
        Text.write("// none\n".utf8, to: source)
        Text.write(ConsoleTests.compiler.utf8, to: "\(compiler)/swift")
        chmod("\(compiler)/swift", 0o700)
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        options.environment = ["PATH": "\(compiler):\(path)"]
        // With no bundle of its own it builds the package's.
        options.bundle = ""
        try await DevHost.run(options) { host in
            try await browse("build.py", [host.admin, compiler, source])
        }
    }

    /// Stands for the compiler: makes the bundle of the tests, another one each time.
    private static let compiler = """
        #!/bin/sh
        here=$(dirname "$0")
        while [ $# -gt 0 ]; do [ "$1" = --scratch-path ] && scratch=$2; shift; done
        while [ -e "$here/hold" ]; do sleep 0.05; done
        [ -e "$here/broken" ] && { cat "$here/broken"; exit 1; }
        mkdir -p "$scratch/debug"
        { cat "\(Installed.directory)/fixtures"; date +%s%N; } > "$scratch/debug/new"
        chmod 700 "$scratch/debug/new"
        mv "$scratch/debug/new" "$scratch/debug/fixtures"

        """

    /// Runs one of the scripts that use a browser.
    private func browse(_ script: String, _ arguments: [String]) async throws {
        let ran = try await Python.run(
            "Console/\(script)",
            requirements: "Console/requirements.txt",
            arguments
        )
        #expect(ran.code == 0, "\(ran.output)\(ran.errors)")
        print(ran.output)
    }

    @Test("a host with a token shows its console to who has it, and programs send it")
    func token() async throws {
        let token = String(repeating: "t0k3n", count: 8)
        let options = DevHost.Options(environment: ["SWIFTLET_ADMIN_TOKEN": token])
        try await DevHost.run(options) { host in
            let bearer = Header("authorization", "Bearer \(token)")
            #expect(try await HTTP.get("\(host.admin)/healthz").status == 200)
            #expect(try await HTTP.get("\(host.admin)/v1/functions").status == 401)
            #expect(try await HTTP.get("\(host.admin)/v1/functions", [bearer]).status == 200)
            let login = try await HTTP.get("\(host.admin)/console/login")
            #expect(login.status == 200 && login.text.contains("type=\"password\""))
            func signIn(_ text: String) async throws -> HTTP.Answer {
                try await HTTP.send("POST", "\(host.admin)/console/login", Bytes("token=\(text)"))
            }
            #expect(try await signIn("wrong").status == 403)
            let signedIn = try await signIn(token)
            let cookie = try #require(signedIn.headers.first("set-cookie"))
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
            #expect(!cookie.contains(token))
            let session = Header("cookie", String(cookie.prefix { $0 != ";" }))
            let page = try await HTTP.get("\(host.admin)/console", [session])
            #expect(page.status == 200 && page.text.contains("Overview"))
            // A session is the console's alone.
            #expect(try await HTTP.get("\(host.admin)/v1/functions", [session]).status == 401)
            #expect(try await HTTP.get("\(host.admin)/console").text.contains("Overview") == false)
            try await browse("login.py", [host.admin, token])
        }
    }
}
