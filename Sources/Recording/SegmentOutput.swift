import Containers
import Media
import NIOCore

/// Does to a file what its format asks for, and takes a sample of what it writes.
struct SegmentOutput {
    let file: any StoredFile
    /// Bytes written.
    private(set) var length: Int64
    private(set) var sample: ReadBackSample?
    private var pieces = 0

    init(file: any StoredFile, length: Int64 = 0) {
        self.file = file
        self.length = length
    }

    mutating func perform(_ actions: [MP4FileAction]) throws(StorageFailure) {
        for action in actions {
            switch action {
            case .append(let buffers):
                try file.write(buffers, at: length)
                consider(buffers)
                length += buffers.reduce(0) { $0 + Int64($1.readableBytes) }
            case .overwrite(let offset, let buffer): try file.write([buffer], at: offset)
            case .truncate(let newLength):
                try file.truncate(to: newLength)
                length = newLength
            case .sync: try file.sync()
            }
        }
    }

    /// Each piece but the head, which is written again at the end, is as likely as any other to be the sample.
    private mutating func consider(_ buffers: [ByteBuffer]) {
        pieces += 1
        guard pieces > 1, Int.random(in: 1..<pieces) == 1 else { return }
        var sum = CRC32C()
        var left = ReadBackSample.maximumLength
        for buffer in buffers where left > 0 {
            buffer.withUnsafeReadableBytes { sum.update(.init(rebasing: $0.prefix(left))) }
            left -= min(left, buffer.readableBytes)
        }
        sample = ReadBackSample(offset: length, length: ReadBackSample.maximumLength - left, sum: sum.value)
    }
}
