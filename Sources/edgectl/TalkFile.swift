import Glibc

/// A file to be heard, piece by piece, each with its time. FLV goes out as it is; of a WAV, the samples, mixed to one
/// channel. Not through `Containers`, which would bring SwiftNIO into this small program.
package final class TalkFile {
    package struct Piece: Sendable, Hashable {
        package var bytes: [UInt8]
        /// From the beginning.
        package var milliseconds: Int
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private enum Form {
        case pcm(channels: Int)
        case flv
    }

    /// What is sent at once of PCM: 20 ms.
    private static let pieceMilliseconds = 20
    /// A WAV's samples begin within so many bytes, and a tag of FLV has no more.
    private static let maximumHeader = 64 << 10
    private static let maximumTag = 1 << 20

    /// Samples a second of PCM.
    package private(set) var rate: Int
    private let descriptor: Int32
    private var form = Form.pcm(channels: 1)
    /// Read and not yet given out.
    private var ahead: [UInt8] = []
    private var samples = 0
    private var hasHeader = false

    /// - Parameters:
    ///   - path: "-" is standard input.
    ///   - pcmRate: of raw PCM, which does not say.
    package init(path: String, pcmRate: Int) throws(Failure) {
        rate = pcmRate
        descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "\(path): \(String(cString: strerror(errno)))") }
        let start = peek(12)
        if start.starts(with: Array("FLV".utf8)) {
            form = .flv
        } else if start.starts(with: Array("RIFF".utf8)), start.dropFirst(8).elementsEqual("WAVE".utf8) {
            do throws(Failure) { try readWAVHeader() } catch {
                throw Failure(description: "\(path): \(error)")
            }
        }
    }

    deinit { close(descriptor) }

    /// Nil at the end.
    package func next() -> Piece? {
        switch form {
        case .pcm(let channels): pcm(channels: channels)
        case .flv: flv()
        }
    }

    private func pcm(channels: Int) -> Piece? {
        let count = rate * Self.pieceMilliseconds / 1000
        let bytes = take(2 * channels * count)
        guard bytes.count >= 2 * channels else { return nil }
        defer { samples += bytes.count / (2 * channels) }
        return Piece(bytes: channels == 1 ? bytes : Self.mixed(bytes), milliseconds: samples * 1000 / rate)
    }

    private static func mixed(_ stereo: [UInt8]) -> [UInt8] {
        stride(from: 0, to: stereo.count - 3, by: 4).flatMap { index in
            let left = Int16(truncatingIfNeeded: little(stereo, index, 2))
            let right = Int16(truncatingIfNeeded: little(stereo, index + 2, 2))
            let mean = UInt16(bitPattern: Int16((Int(left) + Int(right)) / 2))
            return [UInt8(mean & 255), UInt8(mean >> 8)]
        }
    }

    /// The header, and then a tag at a time, at the time it bears.
    private func flv() -> Piece? {
        guard hasHeader else {
            hasHeader = true
            let header = take(13)
            return header.count == 13 ? Piece(bytes: header, milliseconds: 0) : nil
        }
        let head = peek(11)
        guard head.count == 11 else { return nil }
        let length = Int(head[1]) << 16 | Int(head[2]) << 8 | Int(head[3])
        let time = Int(head[7]) << 24 | Int(head[4]) << 16 | Int(head[5]) << 8 | Int(head[6])
        guard length <= Self.maximumTag else { return nil }
        let tag = take(11 + length + 4)
        return tag.count == 11 + length + 4 ? Piece(bytes: tag, milliseconds: time) : nil
    }

    private func readWAVHeader() throws(Failure) {
        _ = take(12)
        var channels: Int?
        var passed = 12
        while passed <= Self.maximumHeader {
            let head = take(8)
            guard head.count == 8 else { break }
            let length = Self.little(head, 4, 4)
            if head.starts(with: Array("data".utf8)) {
                guard let channels else { break }
                form = .pcm(channels: channels)
                return
            }
            guard length <= Self.maximumHeader else { break }
            let body = take(length + length % 2)
            passed += 8 + body.count
            guard head.starts(with: Array("fmt ".utf8)), body.count >= 16 else { continue }
            let (code, bits) = (Self.little(body, 0, 2), Self.little(body, 14, 2))
            channels = Self.little(body, 2, 2)
            rate = Self.little(body, 4, 4)
            // 0xFFFE is "extensible": the same 16-bit PCM with a longer description.
            guard code == 1 || code == 0xFFFE, bits == 16, let channels, (1...2).contains(channels),
                (8000...48000).contains(rate)
            else { throw Failure(description: "a WAV must be 16-bit PCM, mono or stereo, of 8000 to 48000 Hz") }
        }
        throw Failure(description: "this WAV has no samples")
    }

    private static func little(_ bytes: [UInt8], _ index: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[index + $1]) << (8 * $1) }
    }

    // MARK: Reading

    /// The next bytes, fewer at the end; they stay to be taken.
    private func peek(_ count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while ahead.count < count {
            let got = read(descriptor, &buffer, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { break }
            ahead += buffer[..<got]
        }
        return Array(ahead.prefix(count))
    }

    private func take(_ count: Int) -> [UInt8] {
        let bytes = peek(count)
        ahead.removeFirst(bytes.count)
        return bytes
    }
}
