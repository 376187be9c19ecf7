import Imaging
import Media

/// The picture that stands in for a camera that gives none: the channel's name, and since when.
struct NoSignalPicture {
    /// Pictures a second while there is no signal.
    static let frameRate = 5.0

    private let pool: PicturePool
    private let name: String
    private let large: Font?
    private let small: Font?

    init(size: PictureSize, name: String, font: String?) {
        pool = PicturePool(size: size, limit: 4)
        self.name = name
        large = try? Font(path: font, height: max(size.height / 12, 8))
        small = try? Font(path: font, height: max(size.height / 20, 8))
    }

    /// - Parameters:
    ///   - since: seconds since 1970.
    ///   - now: likewise.
    func draw(time: MediaTime, since: Int, now: Int) -> Picture? {
        guard let picture = pool.take(time: time) else { return nil }
        let canvas = PictureCanvas(picture)
        let (width, height) = (picture.size.width, picture.size.height)
        canvas.fill(x: 0, y: 0, width: width, height: height, luma: 40)
        let away = max(now - since, 0)
        let lines: [(String, Font?)] = [
            (name, small), ("No signal", large),
            ("since \(WallClock.format("%Y-%m-%d %H:%M:%S", seconds: since)) (\(Self.duration(away)))", small),
        ]
        var y = height / 3
        for (text, font) in lines {
            guard let font else { continue }
            let mask = TextMask(text, font: font)
            canvas.draw(mask, x: (width - mask.width) / 2, y: y)
            y += mask.height + height / 40
        }
        return picture
    }

    private static func duration(_ seconds: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
