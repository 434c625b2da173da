import FunctionCore

/// Sends HTTP requests: many at once, on one thread of libcurl's multi interface.
///
/// What may be reached is settled per fetcher, because connections are kept and used again: a fetcher for the
/// providers and another for the functions' own requests. Threading: any.
package final class Fetcher: Sendable {
    package struct Settings: Sendable {
        /// What may be reached.
        package var allow: AllowList
        /// At once; four times as many wait in order.
        package var maxTransfers = 128
        /// Connections to one host and port; further requests to it wait.
        package var perHost = 16
        package var connectTimeout: Duration = .seconds(5)
        /// A proxy's URL.
        ///
        /// It then decides what may be connected to, and the environment's proxies never count.
        package var proxy: String?

        package init(allow: AllowList = .publicOnly) {
            self.allow = allow
        }
    }

    let driver: FetchDriver

    /// Starts the thread.
    package init(_ settings: Settings = Settings()) throws(FetchError) {
        self.driver = try FetchDriver(settings)
    }

    deinit {
        driver.stop()
    }

    /// Sends a request and waits for the head of the reply; the body is read from what is returned.
    ///
    /// Cancellation: gives the transfer up at once, closing its connection.
    package func send(_ request: OutboundRequest) async throws(FetchError) -> InboundResponse {
        let exchange = Exchange(request)
        let body = InboundBody(exchange, self)
        let result = await withTaskCancellationHandler {
            driver.start(exchange)
            return await exchange.head()
        } onCancel: { [driver] in
            driver.cancel(exchange)
        }
        let head = try result.get()
        return InboundResponse(status: head.status, headers: head.headers, body: body)
    }

    /// Fails everything that is under way and ends the thread.
    package func shutdown() {
        driver.stop()
    }
}
