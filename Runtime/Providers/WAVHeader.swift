import FunctionCore

/// What the head of a RIFF WAV file says about its sound.
package struct WAVHeader: Sendable, Hashable {
    package var channels: Int
    package var samplesPerSecond: Int
    package var bitsPerSample: Int
    /// Bytes of sound.
    package var dataSize: Int

    /// Reads the chunks up to the sound; nil for bytes that are no WAV file.
    ///
    /// A few hundred bytes are enough.
    package init?(_ bytes: Bytes) {
        let bytes = bytes.array
        guard bytes.count >= 12, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8)
        else {
            return nil
        }
        var format: (channels: Int, rate: Int, bits: Int)?
        var place = 12
        while place + 8 <= bytes.count {
            let size = WAVHeader.little(bytes, place + 4, 4)
            switch String(decoding: bytes[place..<place + 4], as: UTF8.self) {
            case "fmt " where place + 24 <= bytes.count:
                format = (
                    WAVHeader.little(bytes, place + 10, 2),
                    WAVHeader.little(bytes, place + 12, 4),
                    WAVHeader.little(bytes, place + 22, 2)
                )
            case "data":
                guard let format, format.channels > 0, format.rate > 0, format.bits >= 8 else { return nil }
                channels = format.channels
                samplesPerSecond = format.rate
                bitsPerSample = format.bits
                dataSize = size
                return
            default: break
            }
            place += 8 + size + size % 2
        }
        return nil
    }

    /// How long the sound lasts.
    package var seconds: Double {
        Double(dataSize) / Double(samplesPerSecond * channels * bitsPerSample / 8)
    }

    private static func little(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
