import FunctionCore

/// A landscape drawn from a number: sky, sun, stars or birds, and ranges of hills that darken towards the
/// front.
///
/// Colours are even along each row but for the shapes' edges, which is what the encoder packs well.
struct OfflinePicture {
    private struct Colour {
        var red: Double
        var green: Double
        var blue: Double

        func mixed(with other: Colour, _ share: Double) -> Colour {
            Colour(
                red: red + (other.red - red) * share,
                green: green + (other.green - green) * share,
                blue: blue + (other.blue - blue) * share
            )
        }

        var bytes: (UInt8, UInt8, UInt8) {
            (UInt8(min(max(red, 0), 255)), UInt8(min(max(green, 0), 255)), UInt8(min(max(blue, 0), 255)))
        }
    }

    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
    }

    /// The picture as a PNG.
    func png(width: Int, height: Int) -> Bytes {
        var random = OfflineSeed(value: seed)
        let palette = OfflinePicture.palette(&random)
        var canvas = Canvas(width: width, height: height)
        for y in 0..<height {
            let share = Double(y) / Double(height)
            canvas.fill(y, 0, width, palette.top.mixed(with: palette.horizon, share * share).bytes)
        }
        drawStars(&canvas, &random)
        drawSun(&canvas, &random, palette.sun, palette.horizon)
        drawHills(&canvas, &random, palette.horizon, palette.ground)
        return PNGEncoder.encode(width: width, height: height, pixels: canvas.pixels)
    }

    private static func palette(
        _ random: inout OfflineSeed
    ) -> (top: Colour, horizon: Colour, sun: Colour, ground: Colour) {
        let hue = random.fraction()
        let shift = 0.08 + 0.14 * random.fraction()
        return (
            colour(hue, 0.65, 0.35 + 0.3 * random.fraction()),
            colour(hue + shift, 0.45, 0.95),
            colour(hue + shift + 0.05, 0.2, 1),
            colour(hue + 0.5 + shift, 0.6, 0.22)
        )
    }

    /// A colour by hue, saturation and value, each from 0 to 1.
    private static func colour(_ hue: Double, _ saturation: Double, _ value: Double) -> Colour {
        func channel(_ offset: Double) -> Double {
            let place = (hue * 6 + offset).truncatingRemainder(dividingBy: 6)
            return 255 * value * (1 - saturation * max(0, min(place, 4 - place, 1)))
        }
        return Colour(red: channel(5), green: channel(3), blue: channel(1))
    }

    private func drawStars(_ canvas: inout Canvas, _ random: inout OfflineSeed) {
        let size = max(1, canvas.width / 400)
        for _ in 0..<Int(20 + random.next() % 40) {
            let x = Int(random.fraction() * Double(canvas.width - size))
            let y = Int(random.fraction() * Double(canvas.height) * 0.45)
            for row in y..<min(y + size, canvas.height) { canvas.fill(row, x, x + size, (255, 250, 235)) }
        }
    }

    private func drawSun(_ canvas: inout Canvas, _ random: inout OfflineSeed, _ sun: Colour, _ glow: Colour) {
        let unit = Double(min(canvas.width, canvas.height))
        let radius = unit * (0.08 + 0.1 * random.fraction())
        let x = Double(canvas.width) * (0.2 + 0.6 * random.fraction())
        let y = Double(canvas.height) * (0.25 + 0.25 * random.fraction())
        for ring in stride(from: 3, through: 0, by: -1) {
            let size = radius * (1 + 0.35 * Double(ring))
            let colour = sun.mixed(with: glow, Double(ring) * 0.28).bytes
            for row in max(0, Int(y - size))..<min(canvas.height, Int(y + size) + 1) {
                let distance = Double(row) - y
                guard distance.magnitude < size else { continue }
                let half = (size * size - distance * distance).squareRoot()
                canvas.fill(row, Int(x - half), Int(x + half), colour)
            }
        }
    }

    private func drawHills(_ canvas: inout Canvas, _ random: inout OfflineSeed, _ far: Colour, _ near: Colour)
    {
        let layers = 4
        for layer in 0..<layers {
            let colour = far.mixed(with: near, 0.35 + 0.65 * Double(layer) / Double(layers - 1)).bytes
            let base = Double(canvas.height) * (0.55 + 0.13 * Double(layer))
            let swing = Double(canvas.height) * (0.1 - 0.012 * Double(layer))
            // Two triangle waves of unlike length look like a range, and need no library of functions.
            let first = Double(canvas.width) * (0.25 + 0.35 * random.fraction())
            let second = first * (0.27 + 0.2 * random.fraction())
            let start = random.fraction() * 1000
            for x in 0..<canvas.width {
                let place = Double(x) + start
                let wave =
                    OfflinePicture.wave(place / first) * 0.7 + OfflinePicture.wave(place / second) * 0.3
                canvas.column(x, from: Int(base - swing * wave), colour)
            }
        }
    }

    /// A smooth wave between -1 and 1 with period 1.
    private static func wave(_ place: Double) -> Double {
        let share = place - place.rounded(.down)
        let ramp = share < 0.5 ? share * 2 : 2 - share * 2
        return ramp * ramp * (3 - 2 * ramp) * 2 - 1
    }

    /// The pixels while they are drawn.
    private struct Canvas {
        let width: Int
        let height: Int
        var pixels: [UInt8]

        init(width: Int, height: Int) {
            self.width = width
            self.height = height
            pixels = [UInt8](repeating: 0, count: width * height * 3)
        }

        /// A part of a row, cut to the picture.
        mutating func fill(_ y: Int, _ from: Int, _ to: Int, _ colour: (UInt8, UInt8, UInt8)) {
            let from = max(0, from)
            let to = min(width, to)
            guard from < to else { return }
            let place = y * width * 3
            // SAFETY: row and columns lie within the picture, as cut above.
            pixels.withUnsafeMutableBufferPointer { pixels in
                for x in from..<to {
                    pixels[place + x * 3] = colour.0
                    pixels[place + x * 3 + 1] = colour.1
                    pixels[place + x * 3 + 2] = colour.2
                }
            }
        }

        /// A column down to the lower edge.
        mutating func column(_ x: Int, from top: Int, _ colour: (UInt8, UInt8, UInt8)) {
            let top = max(0, top)
            guard top < height else { return }
            // SAFETY: the column and its rows lie within the picture.
            pixels.withUnsafeMutableBufferPointer { pixels in
                for y in top..<height {
                    let place = (y * width + x) * 3
                    pixels[place] = colour.0
                    pixels[place + 1] = colour.1
                    pixels[place + 2] = colour.2
                }
            }
        }
    }
}
