import Imaging
import Media
import Testing

@Suite struct PictureConverterTests {
    @Test func yuyvBecomesI420() throws {
        let size = PictureSize(width: 4, height: 2)
        let bytes: [UInt8] = [10, 100, 20, 200, 30, 110, 40, 210, 11, 100, 21, 200, 31, 110, 41, 210]
        let target = try #require(PicturePool(size: size).take(time: .zero))
        #expect(bytes.withUnsafeBytes { PictureConverter.convert($0, stride: 8, format: .yuyv, into: target) })
        #expect((0..<4).map { target.planes[0].base[$0] } == [10, 20, 30, 40])
        #expect(target.planes[1].base[0] == 100 && target.planes[2].base[1] == 210)
    }

    @Test func tooFewBytesAreRefused() throws {
        let target = try #require(PicturePool(size: PictureSize(width: 16, height: 16)).take(time: .zero))
        let bytes = [UInt8](repeating: 0, count: 100)
        #expect(!bytes.withUnsafeBytes { PictureConverter.convert($0, stride: 32, format: .yuyv, into: target) })
        #expect(!bytes.withUnsafeBytes { PictureConverter.convert($0, stride: 0, format: .mjpeg, into: target) })
    }

    @Test func aJPEGComesBackAsItWas() throws {
        let size = PictureSize(width: 64, height: 48)
        let picture = try #require(PicturePool(size: size).take(time: .zero))
        PictureCanvas(picture).fill(x: 0, y: 0, width: 64, height: 48, luma: 120, u: 90, v: 160)
        let jpeg = try JPEGEncoder.encode(picture)
        #expect(Array(jpeg.prefix(2)) == [0xFF, 0xD8])
        let back = try #require(PicturePool(size: size).take(time: .zero))
        #expect(jpeg.withUnsafeBytes { PictureConverter.convert($0, stride: 0, format: .mjpeg, into: back) })
        // JPEG is full range, video is not; libyuv hands the values over as they are.
        #expect(abs(Int(back.planes[0].base[10]) - 120) < 24)
    }

    @Test(arguments: [PixelFormat.i420, .nv12]) func scalingKeepsFlatColours(format: PixelFormat) throws {
        let large = try #require(
            PicturePool(size: PictureSize(width: 640, height: 360), format: format).take(time: .zero))
        let small = try #require(
            PicturePool(size: PictureSize(width: 320, height: 180), format: format).take(time: .zero))
        PictureCanvas(large).fill(x: 0, y: 0, width: 640, height: 360, luma: 77, u: 60, v: 190)
        #expect(PictureConverter.scale(large, into: small))
        #expect(small.planes[0].base[50 * small.planes[0].stride + 100] == 77)
        #expect(small.planes[1].base[0] == 60)
        #expect((format == .nv12 ? small.planes[1].base[1] : small.planes[2].base[0]) == 190)
    }

    @Test(arguments: [PixelFormat.i420, .nv12], PictureOrientation.allCases)
    func picturesAreTurned(format: PixelFormat, orientation: PictureOrientation) throws {
        let (width, height) = (36, 20)
        let pool = PicturePool(size: PictureSize(width: width, height: height), format: format)
        let source = try #require(pool.take(time: .zero))
        let target = try #require(pool.take(time: .zero))
        let canvas = PictureCanvas(source)
        canvas.fill(x: 0, y: 0, width: width, height: height, luma: 16, u: 100, v: 110)
        // A mark in the upper left corner.
        canvas.fill(x: 0, y: 0, width: 4, height: 2, luma: 200, u: 30, v: 40)
        #expect(PictureConverter.turn(source, orientation, into: target))
        let (x, y) =
            switch orientation {
            case .normal: (0, 0)
            case .flip: (width - 4, height - 2)
            case .mirror: (width - 4, 0)
            }
        for row in 0..<height {
            for column in 0..<width {
                let isMark = (x..<x + 4).contains(column) && (y..<y + 2).contains(row)
                #expect(target.planes[0].base[row * target.planes[0].stride + column] == (isMark ? 200 : 16))
                let chroma = row / 2 * target.planes[1].stride
                let (u, v) =
                    format == .i420
                    ? (target.planes[1].base[chroma + column / 2], target.planes[2].base[chroma + column / 2])
                    : (
                        target.planes[1].base[chroma + column / 2 * 2],
                        target.planes[1].base[chroma + column / 2 * 2 + 1]
                    )
                #expect(u == (isMark ? 30 : 100) && v == (isMark ? 40 : 110))
            }
        }
    }
}

@Suite struct TextTests {
    /// White letters must show on black, and their dark rim on white.
    @Test(arguments: [UInt8(16), 235]) func textIsLegibleOnDarkAndLight(background: UInt8) throws {
        let picture = try #require(PicturePool(size: PictureSize(width: 320, height: 60)).take(time: .zero))
        let canvas = PictureCanvas(picture)
        canvas.fill(x: 0, y: 0, width: 320, height: 60, luma: background)
        canvas.draw(TextMask("Door 12:00", font: try Font(height: 24)), x: 4, y: 4)
        var low: UInt8 = 255
        var high: UInt8 = 0
        for y in 0..<60 {
            for x in 0..<320 {
                let value = picture.planes[0].base[y * picture.planes[0].stride + x]
                (low, high) = (min(low, value), max(high, value))
            }
        }
        #expect(Int(high) - Int(low) > 150)
    }

    @Test(arguments: [(-500, 10), (310, 10), (10, -50), (10, 55), (-5, -5)])
    func textOutsideThePictureIsCut(x: Int, y: Int) throws {
        let size = PictureSize(width: 320, height: 60)
        let picture = try #require(PicturePool(size: size, format: .nv12).take(time: .zero))
        PictureCanvas(picture).fill(x: 0, y: 0, width: 320, height: 60, luma: 40)
        PictureCanvas(picture).draw(TextMask("cut off", font: try Font(height: 24)), x: x, y: y)
        #expect(picture.planes[0].base[0] >= 16)
    }

    @Test func placeholdersAreReplaced() {
        let text = TextOverlay.expand("{name}|{date}|{time}|{other}", name: "Door", now: 0)
        let parts = text.split(separator: "|")
        #expect(parts[0] == "Door")
        #expect(parts[1].hasPrefix("19"))
        #expect(parts[2].count == 8)
        #expect(parts[3] == "{other}")
    }

    @Test func aMissingFontIsNamed() {
        #expect(throws: Font.Failure.self) { _ = try Font(path: "/nowhere.ttf", height: 10) }
    }
}
