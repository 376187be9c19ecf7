import Containers
import NIOCore

extension StreamHeaders {
    /// The tags that stand in front of a stream's first frame, and the file's header where it is the very first.
    package func flv(timestamp: UInt32, isFirst: Bool) -> ByteBuffer {
        var block = isFirst ? FLVWriter.header(hasVideo: video != nil, hasAudio: audio != nil) : ByteBuffer()
        FLVWriter.write(metadata, timestamp: timestamp, to: &block)
        if let video { FLVWriter.write(video, timestamp: timestamp, to: &block) }
        if let audio { FLVWriter.write(audio, timestamp: timestamp, to: &block) }
        return block
    }
}
