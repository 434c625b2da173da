import Fetch
import FunctionCore
import Glibc

/// Reads a streamed chat and prints its words as they come.
struct DemoChat {
    let url: String
    let body: JSON

    func run() throws -> (trace: String, pieces: Int) {
        var trace = ""
        var pieces = 0
        var pending: [UInt8] = []
        let request = OutboundRequest(method: "POST", url: url, headers: [.json], body: body.bytes())
        fflush(nil)
        writeOut("  ")
        try BlockingFetch.stream(request) { head in
            trace = head.headers.first("x-trace-id") ?? ""
            guard head.status == 200 else { leave(1, "the chat was answered with \(head.status)") }
        } onPiece: { piece in
            pending += piece.array
            while let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                guard line.hasPrefix("data: {"), let chunk = try? JSON.parse(Bytes(String(line.dropFirst(6))))
                else { continue }
                guard let text = chunk["choices"]?[0]?["delta"]?["content"]?.stringValue, !text.isEmpty else {
                    continue
                }
                pieces += 1
                writeOut(Bytes(text))
            }
        }
        return (trace, pieces)
    }
}
