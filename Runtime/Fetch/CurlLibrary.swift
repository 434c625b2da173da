import CCurl

/// libcurl's state for the whole process.
enum CurlLibrary {
    /// Nil once libcurl is ready; else why it is not.
    ///
    /// libcurl wants to be told once, before any thread uses it.
    private static let problem: FetchError? = {
        guard ccurl_start() != 0 else {
            return FetchError(.closed, "libcurl did not start")
        }
        // With a synchronous resolver a dead name server would stop every transfer.
        guard ccurl_resolves_asynchronously() != 0 else {
            return FetchError(
                .closed,
                "this libcurl resolves names synchronously; install a build with its own resolver"
            )
        }
        return nil
    }()

    /// Makes sure that libcurl is ready.
    static func start() throws(FetchError) {
        if let problem { throw problem }
    }
}
