import FunctionCore
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct DialectTests {
    @Test("a chat request has exactly the members that were asked for")
    func chatBody() throws {
        let plain = CompletionRequest(messages: [ChatMessage(role: "user", content: "Hi \"you\"")])
        #expect(
            ChatDialect.body(plain, model: "m-1", stream: false).text
                == #"{"model":"m-1","messages":[{"role":"user","content":"Hi \"you\""}]}"#
        )
        let full = CompletionRequest(
            messages: [ChatMessage(role: "system", content: "s")],
            model: "other",
            temperature: 0.5,
            maxTokens: 10,
            schema: ["type": "object"],
            schemaName: "script",
            user: "u-1"
        )
        #expect(
            ChatDialect.body(full, model: "m-1", stream: true).text
                == #"{"model":"other","messages":[{"role":"system","content":"s"}],"temperature":0.5,"#
                + #""max_completion_tokens":10,"safety_identifier":"u-1","#
                + #""response_format":{"type":"json_schema","#
                + #""json_schema":{"name":"script","strict":true,"schema":{"type":"object"}}},"stream":true,"#
                + #""stream_options":{"include_usage":true}}"#
        )
    }

    @Test("a request with faults is refused with all of them")
    func chatFaults() async throws {
        let request = CompletionRequest(
            messages: [ChatMessage(role: "robot", content: "")],
            temperature: 3,
            maxTokens: 0,
            schemaName: "no spaces"
        )
        let error = await failure { try ChatDialect.check(request) }
        #expect(error?.faults.map(\.path) == ["messages[0].role", "temperature", "maxTokens", "schemaName"])
    }

    @Test("an image request never names a response format, and sizes follow the model's own")
    func imageBody() throws {
        let request = ImageRequest(prompt: "a fox", size: "1536x1024")
        #expect(
            try ImagesDialect.body(request, model: "gpt-image-1-mini").text
                == #"{"model":"gpt-image-1-mini","prompt":"a fox","n":1,"size":"1536x1024"}"#
        )
        #expect(
            try ImagesDialect.body(request, model: "dall-e-3").text
                == #"{"model":"dall-e-3","prompt":"a fox","n":1,"size":"1792x1024"}"#
        )
        #expect(throws: FunctionError.self) {
            _ = try ImagesDialect.body(
                ImageRequest(prompt: String(repeating: "x", count: 4001)),
                model: "dall-e-3"
            )
        }
        #expect(throws: FunctionError.self) {
            _ = try ImagesDialect.body(ImageRequest(prompt: "x", size: "7x7"), model: "gpt-image-1")
        }
    }

    @Test("a picture is taken as Base64, as a data URI and as a URL")
    func imageResults() throws {
        func result(_ member: String) throws -> ImagesDialect.Result {
            try ImagesDialect.result(Bytes("{\"data\":[{\(member)}]}"), secret: nil)
        }
        #expect(try result(#""b64_json":"AQI=""#).picture == .bytes(Bytes([1, 2])))
        #expect(try result(#""url":"data:image/png;base64,AQI=""#).picture == .bytes(Bytes([1, 2])))
        let last = try result(#""url":"https://x/y.png","revised_prompt":"r""#)
        #expect(last.picture == .url("https://x/y.png"))
        #expect(last.revisedPrompt == "r")
        #expect(throws: ProviderFailure.self) { _ = try result(#""b64_json":"?""#) }
    }

    @Test("events with obfuscation, usage and errors are understood")
    func chunks() throws {
        func chunk(_ data: String) throws -> ChatDialect.Chunk? {
            try ChatDialect.chunk(ServerSentEvent(data: data), secret: nil)
        }
        let delta = try chunk(
            #"{"model":"m","choices":[{"delta":{"content":"a"},"finish_reason":null}],"obfuscation":"x"}"#
        )
        #expect(delta == ChatDialect.Chunk(model: "m", text: "a"))
        let usage = try chunk(#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#)
        #expect(usage == ChatDialect.Chunk(text: "", usage: TokenUsage(prompt: 3, completion: 4)))
        #expect(try chunk("[DONE]") == nil)
        #expect(throws: ProviderFailure.self) { _ = try chunk(#"{"error":{"message":"no"}}"#) }
    }

    @Test("pictures are known by their bytes alone")
    func formats() throws {
        let png = PNGEncoder.encode(width: 3, height: 2, pixels: [UInt8](repeating: 9, count: 18))
        #expect(PictureFormat(png).map { "\($0.contentType) \($0.width)x\($0.height)" } == "image/png 3x2")
        let jpeg: [UInt8] = [
            0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, 0xC2, 0, 11, 8, 0, 5, 0, 7, 1, 0, 0, 0,
        ]
        #expect(
            PictureFormat(Bytes(jpeg)).map { "\($0.contentType) \($0.width)x\($0.height)" }
                == "image/jpeg 7x5"
        )
        let webp = Array("RIFF....WEBPVP8X".utf8) + [10, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 4, 0, 0, 0, 0]
        #expect(
            PictureFormat(Bytes(webp)).map { "\($0.contentType) \($0.width)x\($0.height)" }
                == "image/webp 7x5"
        )
        #expect(PictureFormat("<svg/>") == nil)
        for cut in 0..<24 { #expect(PictureFormat(Bytes(Array(png.array.prefix(cut)))) == nil) }
    }
}
