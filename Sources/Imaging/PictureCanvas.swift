import Media

/// Draws into a picture that nobody else reads yet.
package struct PictureCanvas {
    package let picture: Picture

    package init(_ picture: Picture) { self.picture = picture }

    private var width: Int { picture.size.width }
    private var height: Int { picture.size.height }

    /// Fills a rectangle, cut to the picture. Chroma counts in pairs of pixels.
    package func fill(x: Int, y: Int, width w: Int, height h: Int, luma: UInt8, u: UInt8 = 128, v: UInt8 = 128) {
        let (left, right) = (max(x, 0), min(x + w, width))
        let (top, bottom) = (max(y, 0), min(y + h, height))
        guard left < right, top < bottom else { return }
        let plane = picture.planes[0]
        for row in top..<bottom {
            (plane.base + row * plane.stride + left).update(repeating: luma, count: right - left)
        }
        let (cl, cr) = (left / 2, (right + 1) / 2)
        for row in top / 2..<(bottom + 1) / 2 { fillChroma(row: row, from: cl, to: cr, u: u, v: v) }
    }

    private func fillChroma(row: Int, from: Int, to: Int, u: UInt8, v: UInt8) {
        switch picture.format {
        case .i420:
            for (plane, value) in [(picture.planes[1], u), (picture.planes[2], v)] {
                (plane.base + row * plane.stride + from).update(repeating: value, count: to - from)
            }
        case .nv12:
            let line = picture.planes[1].base + row * picture.planes[1].stride
            for x in from..<to {
                line[2 * x] = u
                line[2 * x + 1] = v
            }
        }
    }

    /// Lays white letters with a dark rim over the picture, their upper left corner at x, y; what is outside is cut.
    package func draw(_ mask: TextMask, x: Int, y: Int) {
        let plane = picture.planes[0]
        let rows = max(0, -y)..<max(max(0, -y), min(mask.height, height - y))
        let columns = max(0, -x)..<max(max(0, -x), min(mask.width, width - x))
        for row in rows {
            let line = plane.base + (y + row) * plane.stride + x
            for column in columns {
                let rim = Int(mask.rim[row * mask.width + column])
                guard rim > 0 else { continue }
                let letter = Int(mask.letter[row * mask.width + column])
                let dark = (Int(line[column]) * (255 - rim) + 16 * rim) / 255
                line[column] = UInt8((dark * (255 - letter) + 235 * letter) / 255)
            }
        }
        // Colour goes where the text is, or white letters would be tinted.
        for row in stride(from: (y + rows.lowerBound) & ~1, to: y + rows.upperBound - 1, by: 2) where row >= y {
            for column in stride(from: (x + columns.lowerBound) & ~1, to: x + columns.upperBound - 1, by: 2)
            where column >= x && mask.rim[(row - y) * mask.width + column - x] > 127 {
                fillChroma(row: row / 2, from: column / 2, to: column / 2 + 1, u: 128, v: 128)
            }
        }
    }
}
