/// Text drawn into the picture before it is encoded.
package struct OverlaySettings: Sendable, Hashable {
    package enum Corner: String, Sendable, CaseIterable {
        case topLeft, topRight, bottomLeft, bottomRight
    }

    /// `{name}`, `{date}`, `{time}` and `{zone}` are replaced.
    package var text: String
    package var corner: Corner
    /// Height of the letters as a share of the picture's height, 0.02 to 0.2.
    package var height: Double
    /// A TrueType or OpenType file; nil for the system's DejaVu Sans Mono.
    package var font: String?

    package init(
        text: String = "{name}  {date} {time} {zone}", corner: Corner = .topLeft, height: Double = 0.045,
        font: String? = nil
    ) {
        self.text = text
        self.corner = corner
        self.height = height
        self.font = font
    }
}
