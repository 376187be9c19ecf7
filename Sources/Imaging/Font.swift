import CFreeType

/// A typeface at one size, through FreeType. Belongs to one thread at a time.
package final class Font {
    package enum Failure: Error, CustomStringConvertible {
        case unavailable(path: String)

        package var description: String {
            switch self {
            case .unavailable(let path):
                "no font can be read from \(path); install fonts-dejavu-core or name a font file in the configuration"
            }
        }
    }

    /// Debian's fonts-dejavu-core.
    package static let systemPath = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
    /// Letters kept drawn; past that the memory is given back and filled anew.
    static let maximumGlyphs = 512

    struct Glyph {
        let left: Int
        /// Of the upper edge above the base line.
        let top: Int
        let width: Int
        let height: Int
        let advance: Int
        /// Coverage, 0 to 255, line by line.
        let coverage: [UInt8]
    }

    private let handle: FreeTypeFace
    private var glyphs: [Unicode.Scalar: Glyph] = [:]
    /// Pixels from line to line, and from a line's top to its base line.
    let lineHeight: Int
    let ascent: Int

    /// - Parameter height: of the letters, in pixels.
    package init(path: String? = nil, height: Int) throws(Failure) {
        handle = try FreeTypeFace(path: path ?? Self.systemPath, height: height)
        (lineHeight, ascent) = handle.metrics
    }

    func glyph(_ scalar: Unicode.Scalar) -> Glyph? {
        if let known = glyphs[scalar] { return known }
        if glyphs.count >= Self.maximumGlyphs { glyphs.removeAll() }
        let glyph = handle.render(scalar)
        glyphs[scalar] = glyph
        return glyph
    }
}

private struct FreeTypeFace: ~Copyable {
    private let library: FT_Library
    private let face: FT_Face

    init(path: String, height: Int) throws(Font.Failure) {
        var library: FT_Library?
        guard FT_Init_FreeType(&library) == 0, let library else { throw .unavailable(path: path) }
        var face: FT_Face?
        guard FT_New_Face(library, path, 0, &face) == 0, let face,
            FT_Set_Pixel_Sizes(face, 0, FT_UInt(max(height, 6))) == 0
        else {
            FT_Done_FreeType(library)
            throw .unavailable(path: path)
        }
        self.library = library
        self.face = face
    }

    deinit {
        FT_Done_Face(face)
        FT_Done_FreeType(library)
    }

    /// FreeType counts in 64ths of a pixel.
    var metrics: (lineHeight: Int, ascent: Int) {
        guard let size = face.pointee.size else { return (0, 0) }
        return (Int(size.pointee.metrics.height) / 64, Int(size.pointee.metrics.ascender) / 64)
    }

    func render(_ scalar: Unicode.Scalar) -> Font.Glyph? {
        guard FT_Load_Char(face, FT_ULong(scalar.value), cfreetype_load_render) == 0, let slot = face.pointee.glyph
        else { return nil }
        let bitmap = slot.pointee.bitmap
        let (width, height) = (Int(bitmap.width), Int(bitmap.rows))
        var coverage = [UInt8](repeating: 0, count: width * height)
        if let buffer = bitmap.buffer {
            for y in 0..<height {
                for x in 0..<width { coverage[y * width + x] = buffer[y * Int(bitmap.pitch) + x] }
            }
        }
        return Font.Glyph(
            left: Int(slot.pointee.bitmap_left), top: Int(slot.pointee.bitmap_top), width: width, height: height,
            advance: Int(slot.pointee.advance.x) / 64, coverage: coverage)
    }
}
