import FunctionCore
import NIOCore
import NIOPosix

// MARK: - Compression

extension Exchange {
    /// A body up to this size is compressed on the loop, in 1.3 ms at most; a longer one on a thread.
    private static let longest = 128 * 1024

    /// How the body of an answer is to go out.
    func coding(_ status: Int, _ headers: [Header], length: Int?) -> ReplyCoding {
        guard gateway.settings.compresses, (length ?? .max) >= ReplyCoding.least else { return .plain }
        return ReplyCoding(status, headers, length: length, request: request)
    }

    /// Compresses a whole body, and calls `body` on the loop; with nil where that could not be.
    ///
    /// The threads are those that read files, so what waits for them is bounded by the connections.
    func code(_ bytes: ByteBuffer, then body: @escaping (ByteBuffer?) -> Void) {
        if bytes.readableBytes <= Exchange.longest {
            guard let coder = loop.coders.take() else { return body(nil) }
            defer { loop.coders.put(coder) }
            return body(coder.code(bytes, .finish))
        }
        FileReader.threads.runIfActive(eventLoop: loop.eventLoop) {
            GzipCoder()?.code(bytes, .finish)
        }.assumeIsolated().whenComplete { body(try? $0.get()) }
    }
}
