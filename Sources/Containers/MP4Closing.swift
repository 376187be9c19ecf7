import NIOCore

/// Turns a file of fragments into an ordinary one, in an order that no power cut can break.
///
/// The placeholder, a `free` box of 16 bytes, becomes the header of an `mdat` with a 64-bit size. That size is written
/// first, where it is mere content of the `free` box; then, once it and the movie box are on the disk, the eight bytes in
/// front of it. Whichever of those eight arrive, the box has one of both sizes and a type that players do not look into.
struct MP4Closing {
    /// Where the placeholder is.
    let placeholder: Int64
    /// The end of the last whole fragment.
    let mediaEnd: Int64

    static let placeholderLength = 16

    static func writePlaceholder(to buffer: inout ByteBuffer) {
        buffer.writeBox("free") { $0.writeZeros(placeholderLength - 8) }
    }

    func actions(movie: ByteBuffer) -> [MP4FileAction] {
        var header = ByteBuffer()
        // A size of 1 says that the real one follows the type (ISO/IEC 14496-12, 4.2).
        header.writeMultipleIntegers(UInt32(1), BoxType("mdat").code)
        return [
            .append([movie]), .overwrite(offset: placeholder + 8, ByteBuffer(integer: mediaEnd - placeholder)), .sync,
            .overwrite(offset: placeholder, header), .sync,
        ]
    }
}
