import Motion
import Signalling
import Synchronization
import TestSupport
import Testing

@Suite struct UserCommandTests {
    private func answer(_ text: String, _ table: CommandTable, from visitor: UInt32 = 0) async -> String {
        await table.answer(text, from: VisitorID(visitor)) { $0 < 2 }.text
    }

    // MARK: The text

    @Test(arguments: [
        ("action=user_define&channel=1&cmd=a&b=c", 1, "a&b=c"),
        ("?cmd=x&action=user_define&channel=1&_token=5", 1, "x"),
        ("action=user_define&cmd=", 0, ""), ("cmd={\"a\":\"&\"}&action=user_define", 0, "{\"a\":\"&\"}"),
        ("channel=1}&action=USER_DEFINE&cmd=cmd=2", 1, "cmd=2"), ("xcmd=1&action=user_define&cmd=2", 0, "2"),
        ("action=user_define&cmd={\"cmd=\":\"&action=inner_define\"}", 0, "{\"cmd=\":\"&action=inner_define\"}"),
    ])
    func thePayloadGoesToTheEnd(_ text: String, _ channel: Int, _ payload: String) throws {
        let command = try CommandText(text)
        #expect(command.action == .user(payload: payload))
        #expect(command.query.number("channel") == (text.contains("channel") ? .value(channel) : .missing))
    }

    @Test(arguments: [
        #"{"topic":"ptz","data":"%7B"}"#, "%7B%22topic%22%3A%22ptz%22%2C%22data%22%3A%22%257B%22%7D",
        "{%22topic%22:%22ptz%22,%22data%22:%22%257B%22}", "%7B%22topic%22%3A+%22ptz%22%2C+%22data%22%3A+%22%257B%22%7D",
    ])
    func encodedOrNotItIsTheSame(_ payload: String) {
        let command = UserCommand(channel: 0, visitor: .anonymous, payload: payload)
        #expect(command.json?.text == #"{"topic":"ptz","data":"%7B"}"#)
    }

    @Test func lengthIsBounded() async {
        let table = FakeDevice().table()
        let start = "action=user_define&cmd="
        let most = start + String(repeating: "x", count: 3000 - start.utf8.count)
        #expect(await answer(most, table) == #"{"result":"-1"}"#)
        #expect(await answer(most + "x", table) == #"{"status":"404"}"#)
    }

    // MARK: PTZ

    @Test func thePTZReplyHasTheSpecifiedShape() async {
        let device = FakeDevice()
        let text = #"action=user_define&channel=0&cmd={"topic":"ptz","data":{"cmd":"ptz_up_press"},"message_id":7}"#
        #expect(
            await answer(text, device.table(), from: 5)
                == #"{"confirmation_topic":"ptz","result":"0","apex":"no","current_x":"10","current_y":"-5","#
                + #""max_x":"180","max_y":"45","min_x":"-180","min_y":"-45","message_id":7}"#)
        #expect(device.head.takeCommands() == [.press([.up], speed: 0.5)])
        #expect(device.head.holders.withLock { $0 } == [VisitorID(5).motionHolder])
        // The number comes back as it came, and may be missing.
        for (number, back) in [(#","message_id":"a7""#, #","message_id":"a7"}"#), ("", #""min_y":"-45"}"#)] {
            let text = "action=user_define&cmd={\"topic\":\"ptz\",\"data\":{\"cmd\":\"ptz_release_pre\"}\(number)}"
            #expect(await answer(text, device.table()).hasSuffix(back))
        }
        #expect(device.head.takeCommands() == [.release, .release])
        let other = text.replacing("channel=0", with: "channel=1")
        #expect(
            await answer(other, device.table())
                == #"{"confirmation_topic":"ptz","result":"-1","apex":"no","message_id":7}"#)
        device.head.refusal.withLock { $0 = .positionUnknown }
        #expect(await answer(text, device.table()).contains(#""result":"-1","apex":"no""#))
    }

    @Test(arguments: [
        (#"{"cmd":"ptz_down_press"}"#, PTZCommand.press([.down], speed: 0.5)),
        (#"{"cmd":"ptz_left_press","speed":"100"}"#, .press([.left], speed: 1)),
        (#"{"cmd":"ptz_right_press","speed":-5}"#, .press([.right], speed: 0.01)),
        (#"{"cmd":"ptz_left_up_press"}"#, .press([.left, .up], speed: 0.5)),
        (#"{"cmd":"ptz_zoom_in_press"}"#, .press([.zoomIn], speed: 0.5)),
        (#"{"cmd":"PTZ_IRIS_CLOSE_PRESS"}"#, .press([.irisClose], speed: 0.5)),
        (#"{"cmd":"ptz_focus_near"}"#, .step(.focusNear)), (#"{"cmd":"ptz_left"}"#, .step(.left)),
        (#"{"cmd":"ptz_release"}"#, .release), (#"{"cmd":"ptz_home"}"#, .home),
        (#"{"cmd":"ptz_go","x":-12.5,"y":"3"}"#, .go(pan: -12.5, tilt: 3, zoom: nil)),
        (#"{"cmd":"ptz_preset_set","preset":3}"#, .setPreset(3)),
        (#"{"cmd":"ptz_preset_call","preset":"255"}"#, .callPreset(255)),
        (#"{"cmd":"ptz_preset_clear","preset":1}"#, .clearPreset(1)),
        (#"{"cmd":"ptz_patrol_start","presets":[1,"2",999]}"#, .startPatrol([1, 2])),
        (#"{"cmd":"ptz_patrol_start"}"#, .startPatrol(nil)), (#"{"cmd":"ptz_patrol_stop"}"#, .stopPatrol),
        (#"{"cmd":"ptz_aux_on","aux":2}"#, .auxiliary(2, isOn: true)),
        (#"{"cmd":"ptz_aux_off","aux":8}"#, .auxiliary(8, isOn: false)),
    ])
    func ordersAreUnderstood(_ data: String, _ command: PTZCommand) throws {
        #expect(PTZMessage(try #require(JSONReader.read(data))) == .command(command))
    }

    @Test(arguments: [
        "{}", #"{"cmd":"ptz_"}"#, #"{"cmd":"ptz_press"}"#, #"{"cmd":"left_press"}"#,
        #"{"cmd":"ptz_left_up_down_press"}"#,
        #"{"cmd":"ptz_preset_call"}"#, #"{"cmd":"ptz_preset_call","preset":0}"#, #"{"cmd":"ptz_aux_on","aux":9}"#,
        #"{"cmd":"ptz_preset_call","preset":256}"#, #"{"cmd":"ptz_go"}"#, #"{"cmd":["ptz_left"]}"#,
        #"{"cmd":"ptz_go","x":"1e999"}"#,
    ])
    func nonsenseIsNoOrder(_ data: String) throws {
        #expect(PTZMessage(try #require(JSONReader.read(data))) == nil)
    }

    @Test(arguments: [
        ("ptz_left", PTZDirection.left), ("ptz_right", .right), ("ptz_up", .up), ("ptz_down", .down), ("ptz_top", .up),
        ("ptz_bottom", .down), ("ballhead_left", .left), ("ballhead_top", .up), ("BALLHEAD_BOTTOM", .down),
        ("ptz_left&channel=0", .left), ("ptz_zoom_in", .zoomIn),
    ])
    func plainWordsAreOneStep(_ word: String, _ direction: PTZDirection) async {
        let device = FakeDevice()
        #expect(await answer("action=user_define&channel=0&cmd=\(word)", device.table()) == #"{"status":"0"}"#)
        #expect(device.head.takeCommands() == [.step(direction)])
    }

    @Test func headsThatAreNotThereOrRefuseSaySo() async {
        let device = FakeDevice()
        #expect(await answer("action=user_define&channel=1&cmd=ptz_left", device.table()) == #"{"status":"406"}"#)
        device.head.refusal.withLock { $0 = .unavailable("") }
        #expect(await answer("action=user_define&channel=0&cmd=ptz_left", device.table()) == #"{"status":"1"}"#)
    }

    // MARK: Other topics

    @Test func topicsAreAnsweredInTheirForm() async {
        let device = FakeDevice()
        let table = device.table()
        for (topic, data, more) in [
            ("get_status", #"{"user":"owner"}"#, #""status":"working","user_num":"1","signal_strength":"80","#),
            ("version", "{}", #""info":"1.2.3","#), ("intercom", "{}", #""status":"unused","#),
            ("Mirror_flip", #"{"mode":"flip"}"#, ""), ("set_status", #"{"status":"standby"}"#, ""),
            ("get_status", "{}", #""status":"standby","user_num":"1","signal_strength":"80","#),
            ("set_status", #"{"status":"working"}"#, ""),
        ] {
            let text = "action=user_define&cmd={\"topic\":\"\(topic)\",\"data\":\(data),\"message_id\":3}"
            #expect(
                await answer(text, table)
                    == "{\"confirmation_topic\":\"\(topic)\",\"result\":\"0\",\(more)\"message_id\":3}")
        }
        #expect(device.state.withLock { $0.orientations } == [0: .flip])
        device.state.withLock { $0.isTalking = true }
        #expect(
            await answer(#"action=user_define&cmd={"topic":"intercom"}"#, table)
                == #"{"confirmation_topic":"intercom","result":"0","status":"using"}"#)
        for wrong in [#""Mirror_flip","data":{"mode":"up"}"#, #""set_status""#, #""set_status","data":{"status":1}"#] {
            #expect(await answer("action=user_define&cmd={\"topic\":\(wrong)}", table).contains(#""result":"-1""#))
        }
    }

    // MARK: The hook

    private struct Hook: UserCommandHook {
        func ask(_ command: UserCommand) async throws(HookFailure) -> JSONValue {
            guard command.word != "break" else { throw HookFailure("broken") }
            return command.hookRequest
        }
    }

    @Test func theHookIsAskedLast() async {
        let device = FakeDevice()
        let table = device.table(hook: Hook())
        #expect(
            await answer("action=user_define&channel=1&cmd=SET_SPEAKER_VOLUME,80", table, from: 7)
                == #"{"visitor":7,"channel":1,"payload":"SET_SPEAKER_VOLUME,80","json":null}"#)
        #expect(
            await answer(#"action=user_define&cmd={"topic":"sd_format"}"#, table)
                == #"{"visitor":0,"channel":0,"payload":"{\"topic\":\"sd_format\"}","json":{"topic":"sd_format"}}"#)
        #expect(await answer("action=user_define&cmd=break", table) == #"{"status":"407"}"#)
        #expect(await answer("action=user_define&cmd=ptz_left", table) == #"{"status":"0"}"#)
        let alone = device.table()
        for unknown in ["custom_cmd", "xxx", #"{"topic":"upgrade","data":{"url":"http://x/$(reboot)"}}"#, "%00"] {
            #expect(await answer("action=user_define&cmd=\(unknown)", alone) == #"{"result":"-1"}"#)
        }
    }

    // MARK: At once

    @Test func whatNeedsNoWaitingIsAnsweredAtOnce() async throws {
        let table = FakeDevice().table()
        for (text, isQuick) in [
            ("action=inner_define&cmd=get_device_st&type=live", true), ("action=inner_define&cmd=nothing", true),
            ("action=inner_define&cmd=call_answer&channel=9", true), ("action=inner_define&cmd=playback_pause", false),
            ("action=user_define&cmd=ptz_left", false),
        ] {
            let reply = table.answerAtOnce(
                try CommandText(text), from: ViewerIdentity(.anonymous), hasChannel: { $0 < 2 })
            #expect((reply != nil) == isQuick, "\(text)")
            if let reply { #expect(await answer(text, table) == reply.text) }
        }
    }

    // MARK: Mutations

    /// Each is answered, with JSON, whatever it says.
    @Test func commandsSurviveMutations() async {
        let device = FakeDevice()
        let table = device.table(hook: Hook())
        var random = SplitMix64(state: 0x4711)
        let seeds = [
            #"action=user_define&channel=0&cmd={"topic":"ptz","data":{"cmd":"ptz_right_press"},"message_id":7}"#,
            "action=user_define&channel=0&cmd=%7B%22topic%22%3A%22set_status%22%2C%22data%22%3A%7B%22status%22%3A",
            "action=user_define&cmd=ptz_left", "cmd=ballhead_left&action=user_define&channel=1",
            "action=inner_define&channel=0&cmd=get_device_st&type=live&quality=high&requester=server-voip",
            "action=inner_define&cmd=get_nvr_list&nvr=x", "action=inner_define&channel=0&cmd=playback_seek&time=12}",
        ].map { Array($0.utf8) }
        let interesting = Array("&=%?+#0123456789abcdef{}[]\":,\\\0\u{7f}".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<FuzzRounds.count {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count + 1))
                let byte = interesting[Int(random.next() % UInt64(interesting.count))]
                switch random.next() % 4 {
                case 0: bytes.insert(byte, at: place)
                case 1 where place < bytes.count: bytes[place] = byte
                case 2 where place < bytes.count: bytes.remove(at: place)
                default: bytes.append(contentsOf: bytes.prefix(place))
                }
            }
            let reply = await answer(String(decoding: bytes, as: UTF8.self), table)
            if JSONReader.read(reply) == nil { Issue.record("\(bytes) is answered with \(reply)") }
        }
        #expect(!device.head.takeCommands().isEmpty)
    }
}
