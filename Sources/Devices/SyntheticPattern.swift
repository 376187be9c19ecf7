import Imaging
import Media

/// Draws the picture of the synthetic camera: colour bars, a box that moves, the channel's name and the wall clock, a
/// flash at each whole second, and at the bottom a code that a test reads back from the decoded picture.
///
/// The code: two rows, each a 24th of the picture high, of 48 cells across the whole width, white for 1 and black for
/// 0, most significant bit first. The upper row: the frame counter (32 bits) and a CRC-16/CCITT-FALSE over the ten bytes
/// of counter and time. The lower row: the capture time in microseconds of the monotonic clock (48 bits).
package struct SyntheticPattern {
    package static let codeCells = 48
    package static let codeRowShare = 24
    /// The flash, and the click in the sound, begin at each whole second; the flash lasts this long.
    package static let flashLength = MediaTime.milliseconds(80)

    private let size: PictureSize
    private let background: Picture
    private var clock: TextOverlay?

    package init?(size: PictureSize, name: String) {
        self.size = size
        guard let background = PicturePool(size: size, limit: 1).take(time: .zero) else { return nil }
        Self.drawBars(background)
        self.background = background
        // Without a font the picture lacks its text, which `edge-agent check` reports.
        clock = try? TextOverlay(
            OverlaySettings(text: "{name}  {time}", corner: .bottomLeft, height: 0.06), name: name,
            pictureHeight: size.height * 3 / 4)
    }

    package mutating func draw(counter: UInt32, into picture: Picture) {
        PictureConverter.copy(background, into: picture)
        let canvas = PictureCanvas(picture)
        let side = size.height / 6
        let path = max(size.width - side, 1)
        // One way across the picture takes four seconds, and back again.
        let phase = Int(picture.time.milliseconds % 8000)
        let x = (phase < 4000 ? phase : 8000 - phase) * path / 4000
        canvas.fill(x: x & ~1, y: size.height / 2 - side / 2, width: side, height: side, luma: 235)
        let flashes = picture.time.nanoseconds % 1_000_000_000 < Self.flashLength.nanoseconds
        canvas.fill(
            x: size.width * 5 / 6, y: size.height / 3, width: size.width - size.width * 5 / 6,
            height: size.height * 2 / 3 - size.height / 3, luma: flashes ? 235 : 16)
        clock?.draw(into: TextRegion.upper(of: picture))
        drawCode(counter: counter, time: picture.time, canvas: canvas)
    }

    private func drawCode(counter: UInt32, time: MediaTime, canvas: PictureCanvas) {
        let microseconds = UInt64(bitPattern: time.microseconds) & 0xFFFF_FFFF_FFFF
        var bytes = (0..<4).map { UInt8(truncatingIfNeeded: counter >> (24 - 8 * $0)) }
        bytes += (0..<6).map { UInt8(truncatingIfNeeded: microseconds >> (40 - 8 * UInt64($0))) }
        let upper = UInt64(counter) << 16 | UInt64(Self.crc16(bytes))
        for (row, bits) in [upper, microseconds].enumerated() {
            let top = size.height - (2 - row) * size.height / Self.codeRowShare
            let bottom = size.height - (1 - row) * size.height / Self.codeRowShare
            for cell in 0..<Self.codeCells {
                let left = cell * size.width / Self.codeCells
                let right = (cell + 1) * size.width / Self.codeCells
                let isSet = bits >> UInt64(Self.codeCells - 1 - cell) & 1 == 1
                canvas.fill(x: left, y: top, width: right - left, height: bottom - top, luma: isSet ? 235 : 16)
            }
        }
    }

    /// CRC-16/CCITT-FALSE.
    package static func crc16(_ bytes: [UInt8]) -> UInt16 {
        var crc: UInt16 = 0xFFFF
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return crc
    }

    /// Colour bars of 75 %, in BT.601.
    private static func drawBars(_ picture: Picture) {
        let bars: [(UInt8, UInt8, UInt8)] = [
            (180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212),
            (35, 212, 114),
        ]
        let canvas = PictureCanvas(picture)
        for (index, bar) in bars.enumerated() {
            let left = index * picture.size.width / bars.count
            let right = (index + 1) * picture.size.width / bars.count
            canvas.fill(
                x: left, y: 0, width: right - left, height: picture.size.height, luma: bar.0, u: bar.1, v: bar.2)
        }
    }
}

/// The part of a picture above the code, where text may stand.
private enum TextRegion {
    static func upper(of picture: Picture) -> Picture {
        Picture(
            format: picture.format,
            size: PictureSize(width: picture.size.width, height: picture.size.height * 3 / 4).even,
            planes: picture.planes, time: picture.time, onRelease: {})
    }
}
