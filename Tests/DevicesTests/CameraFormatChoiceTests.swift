import Devices
import Media
import Testing

@Suite struct CameraFormatChoiceTests {
    private let hd = PictureSize(width: 1280, height: 720)
    private let vga = PictureSize(width: 640, height: 480)
    private let fullHD = PictureSize(width: 1920, height: 1080)

    private func format(_ fourCC: FourCC, emulated: Bool = false, _ modes: (PictureSize, [Double])...) -> CameraFormat {
        CameraFormat(
            fourCC: fourCC, description: "", isEmulated: emulated,
            modes: modes.map { CameraFormat.Mode(size: $0.0, rates: $0.1) })
    }

    private func choose(_ formats: [CameraFormat], pass: Bool = false) -> CameraFormatChoice? {
        CameraFormatChoice.choose(from: formats, size: hd, frameRate: 25, passThrough: pass)
    }

    @Test func theCheapestThatFitsWins() {
        let formats = [
            format(.mjpeg, (hd, [30])), format(.yuyv, (hd, [30])), format(.nv12, (hd, [30])), format(.h264, (hd, [30])),
        ]
        #expect(choose(formats)?.fourCC == .nv12)
        #expect(choose(formats, pass: true)?.fourCC == .h264)
        #expect(choose(Array(formats.prefix(2)))?.fourCC == .yuyv)
    }

    /// What a common USB camera offers: raw pictures are too slow at this size, JPEG ones are not.
    @Test func aRateThatIsReachedBeatsACheapFormat() {
        let formats = [format(.yuyv, (hd, [10]), (vga, [30])), format(.mjpeg, (hd, [30]), (vga, [30]))]
        #expect(choose(formats) == CameraFormatChoice(fourCC: .mjpeg, size: hd))
    }

    @Test func aLargerSizeBeatsASmallerOne() {
        #expect(choose([format(.yuyv, (vga, [30]), (fullHD, [30]))])?.size == fullHD)
        #expect(choose([format(.yuyv, (vga, [30]))])?.size == vga)
    }

    @Test func conversionByTheLibraryIsTheLastResort() {
        let odd: FourCC = "pBAA"
        #expect(choose([format(odd, (hd, [30]))]) == nil)
        #expect(choose([format(.yu12, emulated: true, (hd, [30])), format(.mjpeg, (hd, [30]))])?.fourCC == .mjpeg)
        #expect(choose([format(odd, (hd, [30])), format(.yu12, emulated: true, (hd, [30]))])?.fourCC == .yu12)
    }

    @Test func ratesThatAreNotToldAreBelieved() {
        #expect(choose([format(.nv12, (hd, []))])?.fourCC == .nv12)
    }

    @Test func fourLettersReadAsTheKernelNumbersThem() {
        #expect(FourCC.yuyv.code == 0x5659_5559)
        #expect(FourCC.yuyv.description == "YUYV")
        #expect(FourCC(code: 0x2020_3859).description == "Y8")
    }
}
