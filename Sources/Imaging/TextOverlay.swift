import Media

/// Keeps the line of text of a channel up to date and draws it into pictures. Belongs to one thread.
package struct TextOverlay {
    private let settings: OverlaySettings
    private let name: String
    private let font: Font
    private var mask: TextMask?
    private var second: Int?

    /// - Parameter pictureHeight: of the pictures that will be drawn into.
    package init(_ settings: OverlaySettings, name: String, pictureHeight: Int) throws(Font.Failure) {
        self.settings = settings
        self.name = name
        font = try Font(path: settings.font, height: Int(settings.height * Double(pictureHeight)))
    }

    /// - Parameter now: seconds since 1970; the text is drawn anew when they change.
    package mutating func draw(into picture: Picture, now: Int = WallClock.now) {
        if second != now {
            mask = TextMask(Self.expand(settings.text, name: name, now: now), font: font)
            second = now
        }
        guard let mask else { return }
        let margin = picture.size.height / 40
        let right = picture.size.width - mask.width - margin
        let bottom = picture.size.height - mask.height - margin
        let (x, y): (Int, Int) =
            switch settings.corner {
            case .topLeft: (margin, margin)
            case .topRight: (right, margin)
            case .bottomLeft: (margin, bottom)
            case .bottomRight: (right, bottom)
            }
        PictureCanvas(picture).draw(mask, x: x, y: y)
    }

    /// Puts name, date, time and zone into the text, in the device's time zone.
    package static func expand(_ text: String, name: String, now: Int) -> String {
        text.replacing("{name}", with: name).replacing("{date}", with: WallClock.format("%Y-%m-%d", seconds: now))
            .replacing("{time}", with: WallClock.format("%H:%M:%S", seconds: now))
            .replacing("{zone}", with: WallClock.format("%Z", seconds: now))
    }
}
