import Signalling
import Testing

@Suite struct StreamRequestTests {
    private func request(_ text: String) throws(RequestRefusal) -> StreamRequest {
        try StreamRequest(RequestQuery(text)) { $0 < 2 }
    }

    @Test(arguments: [
        ("action=playback&channel=1&start_time=100&end_time=105", PlaybackRequest(channel: 1, start: 100, end: 105)),
        ("action=Playback&start_time=100}&end_time=200&type=0", PlaybackRequest(channel: 0, start: 100, end: 200)),
        (
            "action=playback&start_time=100&end_time=200&type=2",
            PlaybackRequest(channel: 0, start: 100, end: 200, type: 2)
        ),
        (
            "action=playback&start_time=100&end_time=200&_progress=1500",
            PlaybackRequest(channel: 0, start: 100, end: 200, progress: 1500)
        ),
        (
            "action=playback&start_time=100&end_time=200&_progress=9000000000000000000",
            PlaybackRequest(channel: 0, start: 100, end: 200, progress: 101_000)
        ),
        (
            "action=playback&start_time=100&end_time=200&_progress=x", PlaybackRequest(channel: 0, start: 100, end: 200)
        ),
    ])
    func acceptsPlayback(_ text: String, _ wanted: PlaybackRequest) throws {
        #expect(try request(text) == .playback(wanted))
    }

    /// Both seconds belong to it.
    @Test func playbackRangeIsInclusive() {
        #expect(PlaybackRequest(channel: 0, start: 100, end: 105).range == 100_000..<106_000)
    }

    @Test(arguments: [
        "action=playback", "action=playback&start_time=100", "action=playback&end_time=100",
        "action=playback&start_time=100&end_time=104", "action=playback&start_time=200&end_time=100",
        "action=playback&start_time=&end_time=", "action=playback&start_time=x&end_time=y",
        "action=playback&start_time=1&end_time=99999999999999999999",
        "action=playback&start_time=1&end_time=253402300800",
        "action=playback&channel=2&start_time=100&end_time=200",
    ])
    func refusesPlaybackWith404(_ text: String) {
        #expect { try request(text) } throws: { ($0 as? RequestRefusal)?.status == 404 }
    }

    @Test(arguments: [
        ("action=download&file_name=20261121/1.mp4", DownloadRequest(channel: 0, name: "20261121/1.mp4", offset: 0)),
        (
            "action=download&file_name=20261121%2F1.mp4&offset=12",
            DownloadRequest(channel: 0, name: "20261121/1.mp4", offset: 12)
        ),
        ("action=download&channel=1&file_name=%252e&offset=", DownloadRequest(channel: 1, name: "%2e", offset: 0)),
    ])
    func acceptsDownload(_ text: String, _ wanted: DownloadRequest) throws {
        #expect(try request(text) == .download(wanted))
    }

    @Test(arguments: [
        "action=download", "action=download&file_name=", "action=download&file_name=a%00b",
        "action=download&file_name=a&offset=x", "action=download&file_name=a&offset=-1",
        "action=download&file_name=\(String(repeating: "a", count: 128))",
    ])
    func refusesDownloadWith404(_ text: String) {
        #expect { try request(text) } throws: { ($0 as? RequestRefusal)?.status == 404 }
    }
}
