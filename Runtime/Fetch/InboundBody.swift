import FunctionCore

/// The body of a reply, read once, piece by piece.
///
/// libcurl reads on only as far as the reader does.
///
/// Letting go of the body before its end, or cancelling the reader, gives the transfer up.
package struct InboundBody: AsyncSequence, Sendable {
    package typealias Element = Bytes
    package typealias Failure = FetchError

    /// Gives the transfer up when nobody holds the body any more, and keeps the fetcher alive until then.
    final class Lease: Sendable {
        let exchange: Exchange
        private let fetcher: Fetcher

        init(_ exchange: Exchange, _ fetcher: Fetcher) {
            self.exchange = exchange
            self.fetcher = fetcher
        }

        var driver: FetchDriver { fetcher.driver }

        deinit {
            if !exchange.isOver { driver.cancel(exchange) }
        }
    }

    private let lease: Lease

    init(_ exchange: Exchange, _ fetcher: Fetcher) {
        self.lease = Lease(exchange, fetcher)
    }

    package struct Iterator: AsyncIteratorProtocol {
        package typealias Element = Bytes
        package typealias Failure = FetchError

        private let lease: Lease

        init(_ lease: Lease) {
            self.lease = lease
        }

        /// The next piece, or nil at the end.
        package mutating func next() async throws(FetchError) -> Bytes? {
            try await next(isolation: nil)
        }

        /// The next piece, or nil at the end.
        package mutating func next(isolation actor: isolated (any Actor)?) async throws(FetchError) -> Bytes?
        {
            let lease = lease
            let result = await withTaskCancellationHandler {
                await lease.exchange.next { lease.driver.resume(lease.exchange) }
            } onCancel: {
                lease.driver.cancel(lease.exchange)
            }
            return try result.get()
        }
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(lease)
    }

    /// All of it, where it is at most `limit` bytes.
    package func collect(limit: Int = .max) async throws(FetchError) -> Bytes {
        var all: [UInt8] = []
        var iterator = makeAsyncIterator()
        while let piece = try await iterator.next() {
            guard all.count + piece.count <= limit else {
                throw FetchError(.tooLarge, "the reply has more than \(limit) bytes")
            }
            all += piece.array
        }
        return Bytes(all)
    }
}
