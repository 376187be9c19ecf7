/// How a picture is turned against how it was taken.
package enum PictureOrientation: String, Sendable, Hashable, CaseIterable {
    case normal
    /// By half a turn, for a camera that hangs upside down.
    case flip
    /// Left and right exchanged.
    case mirror
}
