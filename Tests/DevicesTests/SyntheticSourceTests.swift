import Devices
import Imaging
import Media
import Testing

@Suite struct SyntheticSourceTests {
    /// Reads the code as a test would from a decoded picture.
    private func code(of picture: Picture) -> (counter: UInt32, microseconds: UInt64, isWhole: Bool) {
        let (width, height) = (Double(picture.size.width), Double(picture.size.height))
        func row(_ share: Double) -> UInt64 {
            (0..<48).reduce(0) { bits, cell in
                let x = Int((Double(cell) + 0.5) * width / 48)
                let y = Int(height - share * height / 24)
                return bits << 1 | (picture.planes[0].base[y * picture.planes[0].stride + x] > 128 ? 1 : 0)
            }
        }
        let (upper, lower) = (row(1.5), row(0.5))
        let counter = UInt32(upper >> 16)
        let bytes =
            (0..<4).map { UInt8(truncatingIfNeeded: counter >> (24 - 8 * $0)) }
            + (0..<6).map { UInt8(truncatingIfNeeded: lower >> (40 - 8 * $0)) }
        return (counter, lower, SyntheticPattern.crc16(bytes) == UInt16(truncatingIfNeeded: upper))
    }

    @Test func crcIsTheKnownOne() { #expect(SyntheticPattern.crc16(Array("123456789".utf8)) == 0x29B1) }

    @Test(arguments: [
        PictureSize(width: 320, height: 180), PictureSize(width: 1280, height: 720),
        PictureSize(width: 640, height: 360),
    ])
    func theCodeReadsBackAlsoScaledDown(size: PictureSize) throws {
        var pattern = try #require(SyntheticPattern(size: size, name: "Test"))
        let picture = try #require(PicturePool(size: size).take(time: .microseconds(0x1234_5678_9ABC)))
        pattern.draw(counter: 0xDEAD_BEEF, into: picture)
        var read = code(of: picture)
        #expect(read.counter == 0xDEAD_BEEF && read.microseconds == 0x1234_5678_9ABC && read.isWhole)
        let small = try #require(PicturePool(size: PictureSize(width: 320, height: 180)).take(time: .zero))
        #expect(PictureConverter.scale(picture, into: small))
        read = code(of: small)
        #expect(read.counter == 0xDEAD_BEEF && read.isWhole)
    }

    @Test func picturesComeInOrderOnTheGridOfWholeSeconds() throws {
        let settings = CameraSettings(source: .synthetic, size: PictureSize(width: 160, height: 90), frameRate: 50)
        let camera = try SyntheticCamera(settings: settings, name: "Test")
        var last: MediaTime?
        for counter in 0..<5 {
            guard case .picture(let picture) = try camera.next(timeout: .seconds(2)) else {
                Issue.record("no picture")
                return
            }
            #expect(code(of: picture).counter == UInt32(counter))
            #expect(picture.time.nanoseconds % 20_000_000 == 0)
            if let last { #expect(picture.time - last == .milliseconds(20)) }
            last = picture.time
        }
    }

    @Test func theMicrophonesClockMayDrift() throws {
        var settings = MicrophoneSettings(source: .synthetic, rate: 48000)
        settings.syntheticDrift = 1000
        let microphone = SyntheticMicrophone(settings: settings)
        let first = try #require(try microphone.read(timeout: .seconds(1)))
        let second = try #require(try microphone.read(timeout: .seconds(1)))
        let step = (second.time - first.time).nanoseconds
        #expect(abs(step - Int64(0.02e9 / 1.001)) < 10)
    }

    @Test func aDeviceThatIsNotThereSaysSo() {
        var opener = CameraOpener(
            settings: CameraSettings(source: .v4l2(device: "/dev/nothing")), name: "", passThrough: false)
        let error = #expect(throws: DeviceError.self) { _ = try opener.open() }
        #expect(error?.kind == .absent)
        #expect(error?.description.contains("/dev/nothing") == true)
        let microphone = MicrophoneOpener(settings: MicrophoneSettings(source: .alsa(device: "hw:CARD=Nothing")))
        #expect(throws: DeviceError.self) { _ = try microphone.open() }
    }
}
