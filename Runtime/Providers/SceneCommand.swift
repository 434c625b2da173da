/// The arguments with which ffmpeg makes one scene: exactly so many frames and samples, whatever goes in.
///
/// The scene is H.264 without reordered frames, and plain samples: such scenes join without gaps, and the
/// sound is encoded once, over the whole film.
struct SceneCommand {
    static let framesPerSecond = 25
    static let samplesPerSecond = 44_100

    var width: Int
    var height: Int
    var frames: Int
    /// The narration's file and its length in seconds.
    var narration: (file: String, seconds: Double)?
    var picture: String?
    /// The lines of the title, each in a file, because a file needs no quoting.
    var titleFiles: [String]
    var captionFile: String?
    var font: String?
    /// Decides the colours of a drawn ground.
    var seed: UInt64
    var output: String

    var seconds: Double { Double(frames) / Double(Self.framesPerSecond) }

    /// How much faster the narration is spoken to fit; what is longer still is cut.
    var tempo: Double {
        guard let narration, narration.seconds > seconds else { return 1 }
        return min(narration.seconds / seconds, 2)
    }

    var arguments: [String] {
        var arguments = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
        if let picture {
            // The pattern of a numbered series, and whatever else a name could mean, is switched off.
            arguments += ["-f", "image2", "-pattern_type", "none", "-i", picture]
        } else {
            arguments += ["-f", "lavfi", "-i", ground]
        }
        if let narration {
            arguments += ["-f", "wav", "-i", narration.file]
        } else {
            arguments += ["-f", "lavfi", "-i", "anullsrc=r=\(Self.samplesPerSecond):cl=mono"]
        }
        arguments += ["-filter_complex_threads", "1", "-filter_complex", "\(video)[v];\(audio)[a]"]
        arguments += ["-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
        arguments += ["-pix_fmt", "yuv420p", "-bf", "0", "-threads", "1", "-c:a", "pcm_s16le"]
        arguments += ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", output]
        return arguments
    }

    private var ground: String {
        var random = OfflineSeed(value: seed)
        let colours = (0..<3).map { index in
            // Dark enough for white letters.
            let channels = (0..<3).map { _ in 20 + random.next() % (index == 0 ? 60 : 130) }
            let text = channels.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return "c\(index)=0x\(text)"
        }
        let size = "s=\(width)x\(height):r=\(Self.framesPerSecond):d=\(seconds + 1)"
        let line = "x0=0:y0=0:x1=\(width - 1):y1=\(height - 1):nb_colors=3:speed=0.008:seed=\(seed % 100_000)"
        return "gradients=\(size):\(colours.joined(separator: ":")):\(line)"
    }

    private var video: String {
        var filters: [String] = []
        if picture != nil {
            // Twice the size before the zoom, or its steps of a pixel would tremble.
            let size = "\(width * 2):\(height * 2)"
            filters.append("scale=\(size):force_original_aspect_ratio=increase,crop=\(size),setsar=1")
            let centre = "x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
            filters.append(
                "zoompan=z='1+0.1*on/\(frames)':\(centre):d=\(frames):s=\(width)x\(height)"
                    + ":fps=\(Self.framesPerSecond)"
            )
        }
        filters += titleFilters
        if let captionFile {
            filters.append("subtitles=filename=\(captionFile):force_style='\(captionStyle)'")
        }
        filters.append("format=yuv420p,trim=end_frame=\(frames),setpts=PTS-STARTPTS")
        return "[0:v]" + filters.joined(separator: ",")
    }

    private var titleFilters: [String] {
        let size = Self.titleSize(width: width, height: height)
        return titleFiles.enumerated().map { index, file in
            let face = font.map { "fontfile=\($0):" } ?? ""
            let place = "x=(w-text_w)/2:y=\(height / 12 + index * size * 13 / 10)"
            let look = "fontcolor=white:fontsize=\(size):shadowcolor=black@0.6:shadowx=2:shadowy=2"
            return "drawtext=\(face)textfile=\(file):expansion=none:\(look):\(place)"
        }
    }

    /// Sizes are in units of a 288 lines high picture, whatever the real height is.
    private var captionStyle: String {
        let size = max(12, min(width, height) / 17) * 288 / height
        return "FontName=DejaVu Sans,FontSize=\(max(size, 5)),Outline=1,Shadow=0,MarginV=14,BorderStyle=1"
    }

    private var audio: String {
        let samples = frames * Self.samplesPerSecond / Self.framesPerSecond
        let stretch = tempo > 1 ? "atempo=\(tempo)," : ""
        let form = "aformat=sample_fmts=s16:channel_layouts=mono"
        let length = "apad,atrim=end_sample=\(samples)"
        return "[1:a]aresample=\(Self.samplesPerSecond),\(form),\(stretch)\(length),\(form)"
    }

    static func titleSize(width: Int, height: Int) -> Int {
        max(14, min(width, height) / 11)
    }

    /// A title's lines, at most three, each narrow enough for the picture.
    static func titleLines(_ title: String, width: Int, height: Int) -> [String] {
        // A letter of the bold face is about 0.68 of its size wide.
        let longest = max(8, width * 9 / 10 * 100 / (titleSize(width: width, height: height) * 68))
        var lines = [""]
        for word in title.split(whereSeparator: \.isWhitespace) {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word.prefix(longest))
            } else if line.count + 1 + word.count <= longest {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word.prefix(longest)))
            }
        }
        guard lines.count > 3 else { return lines.filter { !$0.isEmpty } }
        return lines.prefix(2) + ["\(lines[2].prefix(longest - 1))…"]
    }
}
