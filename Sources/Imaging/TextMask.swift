/// A line of text, drawn once and laid over many pictures: how much of each pixel is letter, how much its dark rim.
package struct TextMask: Sendable {
    package let width: Int
    package let height: Int
    let letter: [UInt8]
    let rim: [UInt8]

    /// Lines longer than this many pixels are cut.
    static let maximumWidth = 8192

    /// The rim makes the letters legible on light and dark alike; it is an eighth of the letters' height wide.
    package init(_ text: String, font: Font) {
        let margin = max(1, font.lineHeight / 16)
        let scalars = Array(text.unicodeScalars)
        let glyphs = scalars.compactMap { font.glyph($0) }
        let advance = glyphs.reduce(0) { $0 + $1.advance }
        let width = min(advance + 2 * margin, Self.maximumWidth)
        let height = font.lineHeight + 2 * margin
        var letter = [UInt8](repeating: 0, count: width * height)
        var pen = margin
        for glyph in glyphs {
            for y in 0..<glyph.height {
                let row = margin + font.ascent - glyph.top + y
                guard row >= 0, row < height else { continue }
                for x in 0..<glyph.width {
                    let column = pen + glyph.left + x
                    guard column >= 0, column < width else { continue }
                    let index = row * width + column
                    letter[index] = max(letter[index], glyph.coverage[y * glyph.width + x])
                }
            }
            pen += glyph.advance
        }
        self.width = width
        self.height = height
        self.letter = letter
        rim = Self.grow(letter, width: width, height: height, by: margin)
    }

    /// The largest value within `radius`, first along lines and then across them.
    private static func grow(_ mask: [UInt8], width: Int, height: Int, by radius: Int) -> [UInt8] {
        var along = mask
        for y in 0..<height {
            for x in 0..<width {
                var value: UInt8 = 0
                for near in max(0, x - radius)...min(width - 1, x + radius) {
                    value = max(value, mask[y * width + near])
                }
                along[y * width + x] = value
            }
        }
        var grown = along
        for y in 0..<height {
            for x in 0..<width {
                var value: UInt8 = 0
                for near in max(0, y - radius)...min(height - 1, y + radius) {
                    value = max(value, along[near * width + x])
                }
                grown[y * width + x] = value
            }
        }
        return grown
    }
}
