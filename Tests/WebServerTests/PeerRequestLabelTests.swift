import Access
import NIOCore
import Signalling
import TestSupport
import Testing
import WebServer

/// What viewers on a link may do is what their ticket says.
@Suite struct PeerRequestLabelTests {
    private let rig = Rig(strangers: .refused)

    /// Whether a link with this grant is served, or told of something else that is wrong.
    private func isAllowed(_ label: PeerRequestLabel, _ grant: Grant) -> Bool {
        let routes = ViewerRoutes(agent: rig.agent, registry: rig.registry, policy: CrossOriginPolicy(origins: []))
        let router = GuardedRouter(routes, gate: rig.access.gate)
        let request = label.request(from: .link(7), with: grant)
        if label.method == .voice, let start = router.voice(request) {
            if case .refused(let answer) = start { return !String(buffer: answer.body).contains("notAllowed") }
            return true
        }
        if case .answer(let answer) = router.route(request) {
            return !String(buffer: answer.body).contains("notAllowed")
        }
        return true
    }

    @Test(arguments: [
        ("GET ipc.flv?action=live&channel=0", Right.live), ("get /ipc.flv?action=Live-Audio", .live),
        ("GET ipc.flv?action=playback-audio", .playback), ("GET ipc.flv?action=download&file_name=a", .download),
        ("VOICE channel=0", .talk), ("COMMAND action=inner_define&cmd=get_device_st", .command),
        ("COMMAND action=inner_define&cmd=get_file_list", .playback),
        ("COMMAND action=inner_define&cmd=playback_seek", .playback),
        ("COMMAND action=inner_define&cmd=call_answer", .talk),
        (#"COMMAND action=user_define&cmd={"topic":"ptz"}"#, .ptz), ("COMMAND action=user_define&cmd=ptz_left", .ptz),
        (#"COMMAND action=user_define&cmd={"topic":"Mirror_Flip"}"#, .control),
        (#"COMMAND action=user_define&cmd={"topic":"get_status"}"#, .command),
        ("COMMAND action=user_define&cmd=LAMP_ON", .control),
    ]) func eachRequestTakesItsRight(_ text: String, _ right: Right) throws {
        let label = try #require(PeerRequestLabel(text))
        #expect(isAllowed(label, Grant(rights: [right])))
        #expect(isAllowed(label, Grant(rights: [right], channel: 0)))
        #expect(!isAllowed(label, Grant(rights: [right], channel: 1)))
        var others = Right.ofViewers.subtracting([right])
        // Who may do everything that users can command may turn heads as well.
        if right == .ptz { others.remove(.control) }
        #expect(!isAllowed(label, Grant(rights: others)))
    }

    /// Who asks is the link, whatever the label says.
    @Test(arguments: [
        "GET ipc.flv?action=live&_visitor=7", "COMMAND action=inner_define&_visitor=7&cmd=get_nvr_list",
        "VOICE channel=0&_visitor=7",
    ]) func aPeerCannotCallItselfAnother(_ text: String) throws {
        let request = try #require(PeerRequestLabel(text)).request(from: .link(3), with: .nothing)
        #expect(request.visitor == .link(3) && request.head.headers.isEmpty)
    }

    @Test func privacyIsOfTheWholeDevice() throws {
        let label = try #require(PeerRequestLabel(#"COMMAND action=user_define&channel=0&cmd={"topic":"set_status"}"#))
        #expect(isAllowed(label, Grant(rights: [.control])))
        #expect(!isAllowed(label, Grant(rights: [.control], channel: 0)))
    }

    @Test func theDevicesMessagesAreForEverybodyOnALink() throws {
        #expect(isAllowed(try #require(PeerRequestLabel("GET feedback")), .nothing))
    }

    @Test(arguments: [
        "VOICE channel=x", "GET ipc.flv?action=live&channel=", "GET ipc.flv?channel=1&channel=0&action=live",
        "COMMAND action=inner_define&channel=%31&cmd=get_nvr_list",
    ]) func aChannelIsWhatTheRouterTakesItFor(_ text: String) throws {
        let label = try #require(PeerRequestLabel(text))
        let query = try RequestQuery(label.text.drop { $0 != "?" && label.method == .get })
        let channel = try? query.channel { _ in true }
        #expect(isAllowed(label, Grant(rights: Right.ofViewers, channel: 1)) == (channel == 1))
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
            _ = isAllowed(label, Grant(rights: [.live], channel: 0))
        }
        #expect(taken > FuzzRounds.count / 10)
    }
}
