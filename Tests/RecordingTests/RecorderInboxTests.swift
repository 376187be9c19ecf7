import Media
import Recording
import Streaming
import Testing

@Suite struct RecorderInboxTests {
    private static let key = StreamKey(channel: 0, stream: .main)
    private static let other = StreamKey(channel: 1, stream: .main)

    private func frames(_ count: Int) throws -> [StreamFrame] {
        var stream = try TestStream(Self.key, start: .zero, hasAudio: false)
        stream.pictureBytes = 1 << 20
        return Array(stream.frames(until: .milliseconds(200 * Int64(count) - 100)))
    }

    @Test func aStreamWaitsWhileItsShareIsTaken() throws {
        let inbox = RecorderInbox()
        var put = 0
        for frame in try frames(10) where inbox.hasRoom(Self.key) {
            inbox.put(.frame(Self.key, frame, lost: 0))
            put += frame.tag.bodyLength
        }
        // The last one may go beyond.
        #expect(put >= RecorderInbox.maximumBytes && put < RecorderInbox.maximumBytes + (2 << 20))
        #expect(inbox.hasRoom(Self.other), "the others do not wait with it")
        let items = try #require(inbox.take(until: .zero))
        #expect(!inbox.hasRoom(Self.key), "what is being written still counts")
        #expect(inbox.release([Self.key: put / 4]).isEmpty)
        #expect(inbox.release([Self.key: put - put / 4]) == [Self.key])
        #expect(inbox.hasRoom(Self.key) && !items.isEmpty)
        #expect(inbox.release([:]).isEmpty, "it is told once")
    }

    @Test func whatCameBeforeTheEndIsTakenAndNothingAfterwards() throws {
        let inbox = RecorderInbox()
        let frame = try #require(try frames(1).first)
        #expect(inbox.put(.frame(Self.key, frame, lost: 0)))
        inbox.close()
        #expect(inbox.take(until: .zero)?.count == 1)
        #expect(inbox.take(until: .zero) == nil)
        #expect(!inbox.put(.frame(Self.key, frame, lost: 0)))
    }

    @Test func nothingComesAtTheDeadline() {
        let inbox = RecorderInbox()
        #expect(inbox.take(until: .zero)?.isEmpty == true)
    }
}
