import Media

/// Passes on the sound of a feed and leaves out its pictures.
package final class SoundSink: FrameSink {
    private let sink: any FrameSink

    package init(_ sink: any FrameSink) { self.sink = sink }

    package var isWritable: Bool { sink.isWritable }

    package func send(headers: StreamHeaders, timestamp: UInt32) {
        guard let audio = headers.format.audio, let own = StreamHeaders(StreamFormat(audio: audio)) else { return }
        sink.send(headers: own, timestamp: timestamp)
    }

    package func send(frame: StreamFrame, timestamp: UInt32) {
        if frame.kind == .audio { sink.send(frame: frame, timestamp: timestamp) }
    }

    package func flush() { sink.flush() }
    package func streamEnded() { sink.streamEnded() }
    package func streamBroke() { sink.streamBroke() }
}
