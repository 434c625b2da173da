import FunctionCore

/// What a picture is, read from its own first bytes: nobody's word is taken for it.
package struct PictureFormat: Sendable, Hashable {
    /// `image/png`, `image/jpeg` or `image/webp`.
    package var contentType: String
    package var width: Int
    package var height: Int

    /// Recognises a picture; nil for bytes that are none, or whose size cannot be read.
    package init?(_ bytes: Bytes) {
        let found =
            PictureFormat.png(bytes.array) ?? PictureFormat.jpeg(bytes.array)
            ?? PictureFormat.webp(bytes.array)
        guard let found, found.width > 0, found.height > 0 else { return nil }
        self = found
    }

    private init(_ contentType: String, _ width: Int, _ height: Int) {
        self.contentType = contentType
        self.width = width
        self.height = height
    }

    /// The usual end of a file's name.
    package var fileExtension: String {
        switch contentType {
        case "image/jpeg": "jpg"
        case "image/webp": "webp"
        default: "png"
        }
    }

    private static func png(_ bytes: [UInt8]) -> PictureFormat? {
        guard bytes.count >= 24, bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            bytes[12..<16].elementsEqual("IHDR".utf8)
        else { return nil }
        return PictureFormat("image/png", big(bytes, 16, 4), big(bytes, 20, 4))
    }

    /// Walks the segments up to the first frame header.
    private static func jpeg(_ bytes: [UInt8]) -> PictureFormat? {
        guard bytes.count > 4, bytes.starts(with: [0xFF, 0xD8, 0xFF]) else { return nil }
        var place = 2
        while place + 9 < bytes.count {
            guard bytes[place] == 0xFF else { return nil }
            let marker = bytes[place + 1]
            if marker == 0xFF {
                place += 1
                continue
            }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) {
                place += 2
                continue
            }
            let isFrame = (0xC0...0xCF).contains(marker) && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
            if isFrame {
                return PictureFormat("image/jpeg", big(bytes, place + 7, 2), big(bytes, place + 5, 2))
            }
            let length = big(bytes, place + 2, 2)
            guard length >= 2, marker != 0xDA, marker != 0xD9 else { return nil }
            place += 2 + length
        }
        return nil
    }

    private static func webp(_ bytes: [UInt8]) -> PictureFormat? {
        guard bytes.count >= 30, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8)
        else {
            return nil
        }
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8 ":
            return PictureFormat("image/webp", little(bytes, 26, 2) & 0x3FFF, little(bytes, 28, 2) & 0x3FFF)
        case "VP8L":
            let packed = little(bytes, 21, 4)
            return PictureFormat("image/webp", (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
        case "VP8X":
            return PictureFormat("image/webp", little(bytes, 24, 3) + 1, little(bytes, 27, 3) + 1)
        default:
            return nil
        }
    }

    private static func big(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func little(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
