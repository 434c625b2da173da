import CCurl
import FunctionCore
import Glibc

/// One request on one easy handle, over all of its redirects.
///
/// Belongs to one thread at a time; libcurl calls back on it.
final class Transfer {
    /// What becomes of a piece of the body.
    enum Verdict {
        case taken
        /// The reader has no room; libcurl keeps the piece until the transfer is continued.
        case pause
        case stop
    }

    /// What a finished run of the handle means.
    enum Outcome {
        /// The exchange is over.
        case finished(FetchError?)
        /// The handle has been set to a redirect's target, and is to run again.
        case again
    }

    struct Options {
        var allow: AllowList
        var connectTimeout: Duration
        /// Nil for none, whatever the environment says: a proxy would hide the address that is checked.
        var proxy: String?
    }

    /// libcurl's handle.
    // SAFETY: made in `init`, freed in `deinit`, and used by whoever holds the transfer, one thread at a
    // time.
    let easy: UnsafeMutableRawPointer
    private let options: Options
    private let deadline: Monotonic
    private let onHead: (ResponseHead) -> Void
    // SAFETY: the piece is libcurl's, and valid during the call only.
    private let onPiece: (UnsafeRawBufferPointer) -> Verdict
    private var request: OutboundRequest
    private var url: FetchURL
    // SAFETY: freed when another list takes its place, and in `deinit`; libcurl reads it while the handle
    // runs.
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var collector = HeaderCollector()
    private var received = 0
    private var failure: FetchError?
    private var refusedAddress = false
    private var isRedirect = false
    /// How many times this transfer was sent elsewhere.
    private var hops = 0

    /// Prepares a handle.
    /// - Throws: for a URL that is not allowed, or a header that cannot be sent.
    init(
        _ request: OutboundRequest,
        options: Options,
        onHead: @escaping (ResponseHead) -> Void,
        onPiece: @escaping (UnsafeRawBufferPointer) -> Verdict
    ) throws(FetchError) {
        try CurlLibrary.start()
        let url = try FetchURL(request.url)
        try options.allow.check(url)
        guard let easy = curl_easy_init() else { throw FetchError(.busy, "no memory for a transfer") }
        self.easy = easy
        self.options = options
        self.request = request
        self.url = url
        self.onHead = onHead
        self.onPiece = onPiece
        self.deadline = Monotonic.now + request.timeout
        try Transfer.checkHeaders(request)
        configure()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
    }

    /// What `code`, the result of a run of the handle, means.
    func conclude(_ code: CURLcode) -> Outcome {
        if let failure { return .finished(failure) }
        guard code == CURLE_OK else { return .finished(error(for: code)) }
        guard isRedirect else { return .finished(nil) }
        do {
            try follow()
            return .again
        } catch {
            return .finished(error)
        }
    }

    // MARK: - Setting up

    private func configure() {
        // SAFETY: libcurl hands the pointer back only while the handle runs, and the transfer outlives every
        // run.
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        // HTTP/1.1: a paused transfer then stops at its own socket and holds up no other.
        ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Transfer.milliseconds(options.connectTimeout))
        ccurl_set_string(easy, CURLOPT_PROXY, options.proxy ?? "")
        ccurl_set_string(easy, CURLOPT_USERAGENT, "swiftlet")
        ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION, writePiece)
        ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION, writeHeader)
        ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        ccurl_set_socket_callback(easy, openSocket)
        ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
        configureRequest()
    }

    private func configureRequest() {
        ccurl_set_string(easy, CURLOPT_URL, url.text)
        ccurl_set_long(easy, CURLOPT_TIMEOUT_MS, Transfer.milliseconds(deadline - Monotonic.now))
        let sendsBody = !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method)
        if sendsBody {
            ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            // SAFETY: libcurl copies the bytes before the call returns.
            request.body.array.withUnsafeBytes { bytes in
                let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
                _ = ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, start)
            }
        } else {
            ccurl_set_long(easy, CURLOPT_HTTPGET, 1)
        }
        ccurl_set_long(easy, CURLOPT_NOBODY, request.method == "HEAD" ? 1 : 0)
        ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        curl_slist_free_all(headerList)
        headerList = nil
        // libcurl would wait a second for a 100 Continue, and call any body a form.
        var lines = ["Expect:"]
        if request.headers.first("content-type") == nil { lines.append("Content-Type:") }
        lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines { headerList = curl_slist_append(headerList, line) ?? headerList }
        ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
    }

    private static func checkHeaders(_ request: OutboundRequest) throws(FetchError) {
        let isToken: (UInt8) -> Bool = { $0 > 32 && $0 < 127 && !#"()<>@,;:\"/[]?={}"#.utf8.contains($0) }
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(isToken) else {
            throw FetchError(.invalidRequest, "the method is no word")
        }
        for header in request.headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isToken) else {
                throw FetchError(.invalidRequest, "a header's name holds characters that no name may have")
            }
            guard !header.value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
                throw FetchError(.invalidRequest, "the header \(header.name) holds a line break")
            }
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        // Zero would mean no limit at all.
        Int(max(1, min(duration.nanoseconds / 1_000_000, 86_400_000)))
    }

    // MARK: - Redirects

    private func follow() throws(FetchError) {
        // SAFETY: libcurl owns the text; it is copied at once.
        var target: UnsafePointer<CChar>?
        ccurl_get_string(easy, CURLINFO_REDIRECT_URL, &target)
        guard let target else { throw FetchError(.broken, "\(url.redacted) redirects to nowhere") }
        let next = try FetchURL(String(cString: target))
        try options.allow.check(next)
        if !next.sameOrigin(as: url) {
            let credentials: Set<String> = ["authorization", "cookie", "proxy-authorization"]
            request.headers.removeAll { credentials.contains($0.name.lowercased()) }
        }
        let keepsMethod = collector.status == 307 || collector.status == 308 || request.method == "HEAD"
        if !keepsMethod {
            request.method = "GET"
            request.body = Bytes()
            request.headers.removeAll { $0.name.lowercased() == "content-type" }
        }
        url = next
        hops += 1
        isRedirect = false
        received = 0
        refusedAddress = false
        collector = HeaderCollector()
        configureRequest()
    }

    // MARK: - What libcurl calls

    /// Takes a header line; false ends the transfer.
    // SAFETY: the line is copied before the call returns.
    fileprivate func header(_ line: UnsafeRawBufferPointer) -> Bool {
        switch collector.take(line) {
        case .partial: return true
        case .tooLarge:
            failure = FetchError(
                .tooLarge,
                "\(url.redacted) sent more than \(HeaderCollector.limit) bytes of headers"
            )
            return false
        case .complete: break
        }
        let redirects: Set<Int> = [301, 302, 303, 307, 308]
        if redirects.contains(collector.status), collector.headers.first("location") != nil,
            hops < request.redirects
        {
            isRedirect = true
            return true
        }
        if let length = collector.headers.first("content-length").flatMap({ Int($0) }),
            request.method != "HEAD",
            length > request.responseLimit
        {
            failure = tooLarge
            return false
        }
        onHead(ResponseHead(status: collector.status, headers: collector.headers))
        return true
    }

    /// Takes a piece of the body, which `onPiece` copies.
    // SAFETY: the piece is valid during the call, and handed on for that long.
    fileprivate func piece(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        if isRedirect { return .taken }
        guard received + bytes.count <= request.responseLimit else {
            failure = tooLarge
            return .stop
        }
        let verdict = onPiece(bytes)
        if verdict == .taken { received += bytes.count }
        return verdict
    }

    fileprivate func mayConnect(family: Int32, _ address: [UInt8]) -> Bool {
        guard options.proxy == nil, !options.allow.names(url) else { return true }
        guard isPrivateAddress(family: family, address) else { return true }
        refusedAddress = true
        return false
    }

    // MARK: - Errors

    private var tooLarge: FetchError {
        FetchError(
            .tooLarge,
            "\(url.redacted) sends more than the \(request.responseLimit) bytes that are allowed"
        )
    }

    private func error(for code: CURLcode) -> FetchError {
        let reason = String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_COULDNT_CONNECT where refusedAddress:
            return FetchError(
                .refused,
                "\(url.redacted) is at a private address; allow \(url.host):\(url.port) in the configuration"
            )
        case CURLE_OPERATION_TIMEDOUT:
            return FetchError(.timedOut, "\(url.redacted) did not answer in time")
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION, CURLE_COULDNT_RESOLVE_PROXY:
            return FetchError(.unreachable, "\(url.redacted): \(reason)")
        default:
            return FetchError(.broken, "\(url.redacted): \(reason)")
        }
    }
}

/// The transfer behind a callback's context.
private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    // SAFETY: every callback is given the transfer that set it, which is alive while its handle runs.
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

// SAFETY: libcurl passes `count` readable bytes, valid during the call.
private func writeHeader(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    return transfer.header(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
}

// SAFETY: libcurl passes `count` readable bytes, valid during the call.
private func writePiece(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let transfer = transfer(context) else { return 0 }
    switch transfer.piece(UnsafeRawBufferPointer(start: data, count: size * count)) {
    case .taken: return size * count
    case .pause: return Int(CURL_WRITEFUNC_PAUSE)
    case .stop: return size * count == 0 ? 1 : 0
    }
}

// SAFETY: libcurl passes an address that is valid during the call.
private func openSocket(
    _ context: UnsafeMutableRawPointer?,
    _ purpose: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let transfer = transfer(context), let address else { return -1 }
    var bytes = [UInt8](repeating: 0, count: 16)
    let family = ccurl_address_bytes(address, &bytes)
    return transfer.mayConnect(family: family, bytes) ? ccurl_open_socket(address) : -1
}
