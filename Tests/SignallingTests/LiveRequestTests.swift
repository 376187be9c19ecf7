import Signalling
import Streaming
import Testing

@Suite struct LiveRequestTests {
    private func request(_ text: String) throws(RequestRefusal) -> LiveRequest {
        guard case .live(let live) = try StreamRequest(RequestQuery(text), hasChannel: { $0 < 2 }) else {
            throw .notFound("not live")
        }
        return live
    }

    @Test(arguments: [
        ("action=live", 0, StreamQuality.main), ("action=live&channel=1&quality=high", 1, .main),
        ("action=live&quality=super", 0, .main), ("action=live&quality=standard", 0, .sub),
        ("action=live&quality=", 0, .main), ("action=Live&quality=STANDARD", 0, .sub),
        ("action=live&channel=1}", 1, .main), ("action=live&channel=&requester=app-ios", 0, .main),
    ])
    func accepts(_ text: String, _ channel: Int, _ quality: StreamQuality) throws {
        let live = try request(text)
        #expect(live == LiveRequest(channel: channel, quality: quality))
    }

    @Test(arguments: [
        "", "action=", "action=dead", "channel=0", "action=live&channel=2", "action=live&channel=x",
        "action=live&channel=-1", "action=live&quality=bogus", "action=live&quality=high%20",
    ])
    func refusesWith404(_ text: String) {
        #expect { try request(text) } throws: { ($0 as? RequestRefusal)?.status == 404 }
    }

    @Test func channelIsCheckedFirst() {
        #expect { try request("channel=9&action=dead") } throws: {
            ($0 as? RequestRefusal)?.message.contains("channel 9") == true
        }
    }

    @Test func qualitiesRoundTrip() {
        for quality in StreamQuality.allCases {
            #expect(LiveRequest.quality(LiveRequest.name(of: quality)) == quality)
        }
    }
}
