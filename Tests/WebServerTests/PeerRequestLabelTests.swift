import PeerToPeer
import Signalling
import TestSupport
import Testing
import WebServer

@Suite struct PeerRequestLabelTests {
    @Test(arguments: [
        ("GET ipc.flv?action=live&channel=0", PeerGrant.Right.live), ("get /ipc.flv?action=Live-Audio", .live),
        ("GET ipc.flv?action=playback-audio", .playback), ("GET ipc.flv?action=download&file_name=a", .download),
        ("VOICE channel=0", .talk), ("COMMAND action=inner_define&cmd=get_device_st", .command),
        (#"COMMAND action=user_define&cmd={"topic":"ptz"}"#, .control),
    ]) func eachRequestTakesItsRight(_ text: String, _ right: PeerGrant.Right) throws {
        let label = try #require(PeerRequestLabel(text))
        #expect(label.isAllowed(by: PeerGrant(rights: [right])))
        #expect(label.isAllowed(by: PeerGrant(rights: [right], channel: 0)))
        #expect(!label.isAllowed(by: PeerGrant(rights: [right], channel: 1)))
        #expect(!label.isAllowed(by: PeerGrant(rights: PeerGrant.everything.rights.subtracting([right]))))
    }

    @Test func theDevicesMessagesAreForEverybody() throws {
        #expect(try #require(PeerRequestLabel("GET feedback")).isAllowed(by: PeerGrant(rights: [])))
    }

    @Test(arguments: [
        "VOICE channel=x", "GET ipc.flv?action=live&channel=", "GET ipc.flv?channel=1&channel=0&action=live",
        "COMMAND action=inner_define&channel=%31&cmd=get_nvr_list",
    ]) func aChannelIsWhatTheRouterTakesItFor(_ text: String) throws {
        let label = try #require(PeerRequestLabel(text))
        let query = try RequestQuery(label.text.drop { $0 != "?" && label.method == .get })
        let channel = try? query.channel { _ in true }
        #expect(label.isAllowed(by: PeerGrant(rights: PeerGrant.everything.rights, channel: 1)) == (channel == 1))
    }

    /// Whatever a label says, one without rights gets nothing of what rights are for.
    @Test func anyLabelsDoNoHarm() {
        var generator = TestSupport.SplitMix64(state: 8831)
        let seeds = [
            "GET ipc.flv?action=live&channel=0&quality=high", "COMMAND action=inner_define&channel=0&cmd=get_device_st",
            #"COMMAND action=user_define&channel=0&cmd={"topic":"ptz","data":{"cmd":"left"}}"#,
            "VOICE channel=0&rate=8000",
            "GET feedback",
        ].map { Array($0.utf8) }
        var taken = 0
        for round in 0..<FuzzRounds.count {
            var bytes = seeds[round % seeds.count]
            mutate(&bytes, using: &generator)
            guard let label = PeerRequestLabel(String(decoding: bytes, as: UTF8.self)) else { continue }
            taken += 1
            _ = label.isAllowed(by: PeerGrant(rights: [.live], channel: 0))
        }
        #expect(taken > FuzzRounds.count / 10)
    }
}
