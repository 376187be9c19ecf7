import Containers
import Devices
import Glibc
import Media
import Testing

/// A file that is gone when the test is over.
final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8]) {
        var template = Array("/tmp/edge-agent-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        path = template.withUnsafeBufferPointer {
            String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        _ = write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    deinit { unlink(path) }
}

@Suite struct FileSourceTests {
    private func y4m(frames: Int) -> [UInt8] {
        var bytes = Array("YUV4MPEG2 W16 H16 F50:1 C420\n".utf8)
        for index in 0..<frames {
            bytes += Array("FRAME\n".utf8) + [UInt8](repeating: UInt8(index), count: 256)
            bytes += [UInt8](repeating: 100, count: 64) + [UInt8](repeating: 200, count: 64)
        }
        return bytes
    }

    @Test func y4mIsReadIntoThePlanes() throws {
        let file = TemporaryFile(y4m(frames: 2))
        let source = try Y4MFile(path: file.path)
        let picture = try #require(PicturePool(size: source.header.size).take(time: .zero))
        #expect(source.read(into: picture))
        #expect(source.read(into: picture))
        #expect(picture.planes[0].base[15 * picture.planes[0].stride + 15] == 1)
        #expect(picture.planes[2].base[0] == 200)
        #expect(!source.read(into: picture))
        source.rewind()
        #expect(source.read(into: picture))
        #expect(picture.planes[0].base[0] == 0)
    }

    @Test func aFileThatBreaksOffEndsThere() throws {
        let file = TemporaryFile(y4m(frames: 1).dropLast(10))
        let source = try Y4MFile(path: file.path)
        let picture = try #require(PicturePool(size: source.header.size).take(time: .zero))
        #expect(!source.read(into: picture))
    }

    @Test func aFileIsPlayedOverAndOver() throws {
        let file = TemporaryFile(y4m(frames: 2))
        let camera = try Y4MCamera(path: file.path)
        let values = try (0..<4).map { _ in
            guard case .picture(let picture) = try camera.next(timeout: .seconds(1)) else { return -1 }
            return Int(picture.planes[0].base[0])
        }
        #expect(values == [0, 1, 0, 1])
    }

    @Test func whatIsNoFileOfItsKindIsRefused() {
        let file = TemporaryFile(Array("nonsense".utf8))
        #expect(throws: DeviceError.self) { _ = try Y4MFile(path: file.path) }
        #expect(throws: DeviceError.self) { _ = try WAVFile(path: file.path) }
        #expect(throws: DeviceError.self) { _ = try WAVFile(path: "/nowhere.wav") }
    }
}
