import Media
import PlatformLink
import PlatformProtocol
import Publishing
import Testing

/// A platform that says what a test wants, and a clock that a test moves.
struct SessionRig {
    var session: PlatformSession
    var now = MediaTime.zero
    var view = TerminalView()
    var actions: [PlatformSession.Action] = []
    private var serial: UInt16 = 100
    let version: JT808Version

    init(version: JT808Version = .v2013, code: [UInt8]? = nil, _ change: (inout PlatformSettings) -> Void = { _ in }) {
        var settings = PlatformSettings(
            name: "test", servers: [.init(host: "a", port: 1), .init(host: "b", port: 2)],
            phone: PhoneNumber("138") ?? .none, channels: [.init(logical: 1, id: 0), .init(logical: 2, id: 1)])
        settings.version = version
        change(&settings)
        self.version = version
        var memory = PlatformMemory()
        memory.code = code
        session = PlatformSession(settings: settings, memory: memory, seed: 1, now: .zero)
        let stream = TerminalView.Stream(
            size: PictureSize(width: 1280, height: 720), frameRate: 25, bitrate: 2_000_000, keyFrameInterval: 2)
        for id in 0...1 {
            view.channels[id] = TerminalView.Channel(
                hasVideo: true, hasAudio: true, hasPTZ: id == 0, isCameraLost: false, main: stream, sub: stream)
        }
        view.hasSpeaker = true
        view.wallClock = 1_700_000_000_000
    }

    mutating func do_(_ body: (inout PlatformSession) -> [PlatformSession.Action]) { actions = body(&session) }

    mutating func wake(after span: MediaTime = .zero) {
        now += span
        let (now, view) = (now, view)
        do_ { $0.wake(now: now, view: view) }
    }

    mutating func receive(_ message: JT808Message, serial: UInt16? = nil) {
        if serial == nil { self.serial += 1 }
        let frame = JT808Frame(
            header: JT808Header(
                id: message.id, version: version, phone: [UInt8](repeating: 0, count: version.phoneBytes),
                serial: serial ?? self.serial), body: message.body(version))
        receive(frame.bytes)
    }

    mutating func receive(_ bytes: [UInt8]) {
        let (now, view) = (now, view)
        do_ { $0.received(bytes, now: now, view: view) }
    }

    mutating func connect() {
        let now = now
        do_ { $0.connected(now: now) }
    }

    mutating func logIn() {
        let start = now
        do_ { $0.start(now: start) }
        connect()
        if let registration = sent.first(where: { $0.1.id == 0x0100 }) {
            receive(.registrationAnswer(.init(answers: registration.0, result: 0, code: [7, 7])))
        }
        acknowledge(0x0102)
    }

    /// Answers the newest message with this id.
    mutating func acknowledge(_ id: UInt16, _ result: JT808Result = .done) {
        guard let serial = sent.last(where: { $0.1.id == id })?.0 else { return }
        receive(.platformAnswer(.init(answers: serial, id: id, result: result)))
    }

    /// What the last step sent.
    var sent: [(UInt16, JT808Message)] {
        actions.compactMap { action in
            guard case .send(let bytes) = action, let frame = try? JT808Frame(bytes: bytes),
                let message = try? JT808Message(id: frame.header.id, body: frame.body, version: version)
            else { return nil }
            return (frame.header.serial, message)
        }
    }

    var ids: [UInt16] { sent.map(\.1.id) }

    var results: [UInt8] {
        sent.compactMap { if case .terminalAnswer(let answer) = $0.1 { answer.result } else { nil } }
    }

    var orders: [PlatformStreams.Order] {
        actions.compactMap { if case .stream(let order) = $0 { order } else { nil } }
    }

    var opened: PlatformStreams.Stream? {
        for case .open(let stream) in orders { return stream }
        return nil
    }

    static let address = JT1078Address(host: "m", tcpPort: 10, udpPort: 0)

    static func live(
        _ channel: UInt8 = 1, type: UInt8 = 0, stream: UInt8 = 0, _ address: JT1078Address = address
    ) -> JT808Message {
        .openLive(JT1078LiveRequest(address: address, channel: channel, dataType: type, stream: stream))
    }
}

/// Logging in and staying so.
@Suite struct PlatformLogInTests {
    @Test(arguments: JT808Version.allCases) func registersLogsInAndReports(_ version: JT808Version) {
        var rig = SessionRig(version: version)
        rig.do_ { $0.start(now: .zero) }
        #expect(rig.actions == [.connect(.init(host: "a", port: 1))])
        rig.connect()
        #expect(rig.ids == [0x0100])
        #expect(rig.sent.first?.0 == 0)
        rig.receive(.registrationAnswer(.init(answers: 0, result: 0, code: [1, 2])))
        #expect(rig.ids == [0x0102])
        #expect(rig.actions.contains { if case .remember(let memory) = $0 { memory.code == [1, 2] } else { false } })
        #expect(rig.session.state == .authenticating)
        rig.receive(.platformAnswer(.init(answers: 1, id: 0x0102, result: .done)))
        #expect(rig.session.state == .online)
        #expect(rig.actions.contains(.online))
        rig.wake()
        #expect(rig.ids == [0x0200])
    }

    @Test func aCodeSparesTheRegistration() {
        var rig = SessionRig(code: [1])
        rig.do_ { $0.start(now: .zero) }
        rig.connect()
        #expect(rig.ids == [0x0102])
        // The platform does not know it any more: once anew.
        rig.acknowledge(0x0102, .failed)
        #expect(rig.ids == [0x0100])
        rig.receive(.registrationAnswer(.init(answers: 1, result: 0, code: [2])))
        rig.acknowledge(0x0102, .failed)
        #expect(rig.session.state == .offline)
        #expect(rig.actions.contains(.disconnect))
        // Not hammered: minutes.
        rig.wake(after: .seconds(100))
        #expect(rig.actions.isEmpty)
        rig.wake(after: .seconds(30))
        #expect(rig.session.state == .connecting)
    }

    @Test func commandsBeforeTheLogInFail() {
        var rig = SessionRig()
        rig.do_ { $0.start(now: .zero) }
        rig.connect()
        rig.receive(SessionRig.live())
        #expect(rig.results == [1])
        #expect(rig.orders.isEmpty)
    }

    @Test func unansweredMessagesGoOutAgainAndThenTheLinkCountsAsBroken() {
        var rig = SessionRig { $0.heartbeat = 1000 }
        rig.do_ { $0.start(now: .zero) }
        rig.connect()
        let first = rig.actions
        var times: [Int64] = []
        while rig.session.state == .registering, rig.now < .seconds(600) {
            rig.wake(after: .seconds(1))
            if rig.actions == first { times.append(rig.now.milliseconds / 1000) }
        }
        // 10 s, then twice that, then six times.
        #expect(times == [10, 30, 90])
        #expect(rig.actions.contains(.disconnect))
        #expect(rig.now == .seconds(330))
    }

    @Test func aSilentLinkIsNoticed() {
        var rig = SessionRig()
        rig.logIn()
        // Nothing is answered any more.
        while rig.session.state == .online, rig.now < .seconds(600) { rig.wake(after: .seconds(1)) }
        #expect(rig.now <= .seconds(31))
    }

    @Test func heartbeatsFollowTheVersion() {
        for (version, expected) in [(JT808Version.v2013, 0), (.v2019, 3)] {
            var rig = SessionRig(version: version) {
                $0.heartbeat = 10
                $0.locationInterval = 5
            }
            rig.logIn()
            var beats = 0
            for _ in 0..<35 {
                rig.wake(after: .seconds(1))
                beats += rig.ids.count { $0 == 0x0002 }
                for (serial, message) in rig.sent {
                    rig.receive(.platformAnswer(.init(answers: serial, id: message.id, result: .done)))
                }
            }
            // In 2013 the locations say that the terminal lives.
            #expect(beats == expected)
        }
    }

    @Test func pausesGrowAndServersTakeTurns() {
        var rig = SessionRig()
        rig.do_ { $0.start(now: .zero) }
        var hosts: [String] = []
        var pauses: [Double] = []
        for _ in 0..<12 {
            let failed = rig.now
            rig.do_ { $0.connectionEnded("no", now: failed) }
            while rig.session.state == .offline { rig.wake(after: .milliseconds(100)) }
            pauses.append((rig.now - failed).seconds)
            for case .connect(let server) in rig.actions { hosts.append(server.host) }
        }
        #expect(hosts.prefix(4) == ["b", "a", "b", "a"])
        for (index, pause) in pauses.enumerated() {
            let full = min(Double(1 << index), 60)
            #expect(pause <= full + 0.2 && pause >= full * 0.66)
        }
    }

    @Test func locationsOfTheTimeWithoutALinkGoFirst() {
        var rig = SessionRig { $0.locationInterval = 10 }
        rig.logIn()
        rig.wake()
        rig.acknowledge(0x0200)
        let lost = rig.now
        rig.do_ { $0.connectionEnded("cut", now: lost) }
        for _ in 0..<40 {
            rig.wake(after: .seconds(1))
            rig.view.wallClock += 1000
            if rig.session.state == .connecting {
                let now = rig.now
                rig.do_ { $0.connectionEnded("no", now: now) }
            }
        }
        while rig.session.state != .connecting { rig.wake(after: .seconds(1)) }
        rig.connect()
        rig.acknowledge(0x0102)
        rig.wake()
        #expect(rig.ids.count >= 5)
        #expect(rig.ids.allSatisfy { $0 == 0x0200 })
    }

    @Test func alarmsAreReportedAtOnceAndMasked() {
        var rig = SessionRig { $0.locationInterval = 1000 }
        rig.logIn()
        rig.wake()
        rig.acknowledge(0x0200)
        rig.view.channels[1]?.isCameraLost = true
        rig.wake(after: .milliseconds(500))
        guard case .location(let location)? = rig.sent.first?.1 else {
            Issue.record("no location")
            return
        }
        #expect(location.alarms == 1 << 11)
        #expect(location.extras.map(\.id) == [0x14, 0x15])
        #expect(location.extras.map(\.value) == [[0, 0, 0, 1], [0, 0, 0, 2]])
        rig.view.channels[1]?.isCameraLost = false
        rig.wake(after: .milliseconds(500))
        #expect(rig.ids == [0x0200])
        rig.receive(.setParameters(JT808SetParameters([JT808Parameter(.alarmMask, number: 1)])))
        #expect(rig.results == [0])
        rig.view.channels[1]?.isCameraLost = true
        rig.wake(after: .milliseconds(500))
        if case .location(let location)? = rig.sent.first?.1 {
            #expect(location.extras.map(\.value) == [[0, 0, 0, 0]])
        }
    }

    @Test func aNewServerIsGoneToAfterTheAnswer() {
        var rig = SessionRig()
        rig.logIn()
        rig.receive(.setParameters(JT808SetParameters([JT808Parameter(.mainServer, text: "c:77")])))
        #expect(rig.results == [0])
        #expect(rig.actions.contains(.disconnect))
        let answer = rig.actions.firstIndex { if case .send = $0 { true } else { false } }
        let end = rig.actions.firstIndex(of: .disconnect)
        #expect((answer ?? .max) < (end ?? 0))
        rig.wake()
        #expect(rig.actions.contains(.connect(.init(host: "c", port: 77))))
    }

    @Test func parametersAreAppliedAsFarAsTheyAreKnown() {
        var rig = SessionRig()
        rig.logIn()
        let known = JT808Parameter(.heartbeat, number: 60)
        let unknown = JT808Parameter(id: 0xF000, value: [1])
        rig.receive(.setParameters(JT808SetParameters([unknown, known])))
        #expect(rig.results == [0])
        rig.receive(.setParameters(JT808SetParameters([unknown])))
        #expect(rig.results == [3])
        rig.receive(.setParameters(JT808SetParameters([JT808Parameter(id: 1, value: [1])])))
        #expect(rig.results == [2])
        rig.receive(.queryParameters(JT808QueryParameters([1, 0xF000, 0x13])))
        guard case .parameters(let answer)? = rig.sent.first?.1 else {
            Issue.record("no parameters")
            return
        }
        #expect(answer.parameters == [known, JT808Parameter(.mainServer, text: "a")])
    }

    /// The bit rates that streams may have; everything else of them is the configuration's.
    @Test(arguments: JT808Version.allCases) func bitRatesAreLimitedAndOtherThingsKept(_ version: JT808Version) throws {
        func encoding(_ rate: UInt32) -> JT808VideoSettings {
            let one = JT808Encoding(mode: 1, resolution: 1, keyFrameInterval: 10, frameRate: 5, bitrate: rate)
            return JT808VideoSettings(live: one, stored: one, osd: 0)
        }
        func parameter(_ id: JT808ParameterID, _ body: some JT808Body) -> JT808Parameter {
            var writer = JT808Writer(version: version)
            body.write(to: &writer)
            return JT808Parameter(id: id.rawValue, value: writer.bytes)
        }
        var rig = SessionRig(version: version)
        rig.logIn()
        let all = parameter(.audioVideo, JT808AudioVideoParameter(settings: encoding(800), audioOutput: 1))
        rig.receive(.setParameters(JT808SetParameters([all])))
        #expect(rig.results == [0])
        #expect(rig.actions.contains(.limit(channelID: 0, bitrate: 800_000)))
        #expect(rig.actions.contains(.limit(channelID: 1, bitrate: 800_000)))
        // What is said of one channel is not changed by what is said of all.
        let one = parameter(.channelVideo, JT808ChannelVideo([.init(logical: 2, settings: encoding(1))]))
        rig.receive(.setParameters(JT808SetParameters([one])))
        #expect(rig.actions.contains(.limit(channelID: 1, bitrate: 64_000)))
        #expect(!rig.actions.contains { if case .limit(0, _) = $0 { true } else { false } })
        // A query says what is so: the configured pictures, and fewer bits.
        rig.receive(.queryParameters(JT808QueryParameters([0x75, 0x77])))
        guard case .parameters(let answer)? = rig.sent.first?.1, answer.parameters.count == 2 else {
            Issue.record("no parameters")
            return
        }
        var reader = JT808Reader(answer.parameters[0].value, version: version)
        let found = try JT808AudioVideoParameter(&reader)
        #expect(found.settings.live.bitrate == 800)
        #expect(found.settings.live.resolution == 5)
        #expect(found.settings.live.frameRate == 25)
        reader = JT808Reader(answer.parameters[1].value, version: version)
        #expect(try JT808ChannelVideo(&reader).entries.map(\.settings.live.bitrate) == [800, 64])
        // No more than is configured, whatever is wanted; and a table that is cut off is none.
        rig.receive(
            .setParameters(
                JT808SetParameters([
                    parameter(.audioVideo, JT808AudioVideoParameter(settings: encoding(90_000), audioOutput: 1))
                ])))
        rig.receive(.queryParameters(JT808QueryParameters([0x75])))
        if case .parameters(let answer)? = rig.sent.first?.1, let value = answer.parameters.first?.value {
            reader = JT808Reader(value, version: version)
            #expect(try JT808AudioVideoParameter(&reader).settings.live.bitrate == 2000)
        }
        rig.receive(.setParameters(JT808SetParameters([JT808Parameter(id: 0x77, value: [2] + one.value.dropFirst())])))
        #expect(rig.results == [2])
        // Vehicles' limits mean nothing to a camera; a platform that sets them finds them again.
        let speed = JT808Parameter(id: 0x55, value: [0, 0, 0, 90])
        rig.receive(.setParameters(JT808SetParameters([speed])))
        #expect(rig.results == [0])
        rig.receive(.queryParameters(JT808QueryParameters([0x55])))
        guard case .parameters(let again)? = rig.sent.first?.1 else {
            Issue.record("no parameters")
            return
        }
        #expect(again.parameters == [speed])
    }

    @Test func whatThePlatformHasSetIsInForceAfterARestart() {
        var rig = SessionRig()
        rig.logIn()
        let one = JT808Encoding(mode: 0, resolution: 0, keyFrameInterval: 1, frameRate: 1, bitrate: 300)
        var writer = JT808Writer(version: .v2013)
        JT808AudioVideoParameter(settings: .init(live: one, stored: one, osd: 0), audioOutput: 0).write(to: &writer)
        rig.receive(.setParameters(JT808SetParameters([JT808Parameter(id: 0x75, value: writer.bytes)])))
        guard case .remember(let memory)? = rig.actions.first(where: { if case .remember = $0 { true } else { false } })
        else {
            Issue.record("nothing is remembered")
            return
        }
        let settings = PlatformSettings(
            name: "test", servers: [.init(host: "a", port: 1)], phone: .none, channels: [.init(logical: 1, id: 7)])
        var again = PlatformSession(settings: settings, memory: memory, seed: 1, now: .zero)
        #expect(again.start(now: .zero).contains(.limit(channelID: 7, bitrate: 300_000)))
    }

    @Test func clocksAreCompared() {
        var rig = SessionRig(version: .v2019)
        rig.logIn()
        #expect(rig.ids.contains(0x0004))
        let ahead = JT808Time(milliseconds: rig.view.wallClock + 90_000, offset: 0)
        rig.receive(.time(JT808TimeAnswer(time: ahead)))
        #expect(rig.actions == [.clockDiffers(90)])
        rig.receive(.time(JT808TimeAnswer(time: JT808Time(milliseconds: rig.view.wallClock, offset: 0))))
        #expect(rig.actions.isEmpty)
        rig = SessionRig(version: .v2013)
        rig.logIn()
        #expect(!rig.ids.contains(0x0004))
    }

    @Test func anUploadsEndIsToldUntilItIsConfirmed() {
        var rig = SessionRig()
        func reconnect() {
            let now = rig.now
            rig.do_ { $0.connectionEnded("cut", now: now) }
            while rig.session.state != .connecting { rig.wake(after: .seconds(1)) }
            rig.connect()
            rig.acknowledge(0x0102)
        }
        rig.logIn()
        rig.do_ { $0.uploaded(5, isDone: true, now: .zero) }
        #expect(rig.sent.map(\.1) == [.uploadResult(JT1078UploadResult(answers: 5, result: 0))])
        // Its answer got lost with the connection, and another one ends meanwhile.
        let now = rig.now
        rig.do_ { $0.connectionEnded("cut", now: now) }
        rig.do_ { $0.uploaded(6, isDone: false, now: now) }
        #expect(rig.actions.isEmpty)
        while rig.session.state != .connecting { rig.wake(after: .seconds(1)) }
        rig.connect()
        rig.acknowledge(0x0102)
        let told = rig.sent.filter { $0.1.id == 0x1206 }
        #expect(told.map(\.1) == [5, 6].map { .uploadResult(.init(answers: $0, result: $0 == 5 ? 0 : 1)) })
        rig.receive(.platformAnswer(.init(answers: told[0].0, id: 0x1206, result: .done)))
        reconnect()
        #expect(rig.sent.filter { $0.1.id == 0x1206 }.map(\.1) == [.uploadResult(.init(answers: 6, result: 1))])
        // A platform that never confirms does not hear of it for ever.
        reconnect()
        #expect(!rig.ids.contains(0x1206))
    }

    @Test func piecesThatGotLostComeAgain() {
        var rig = SessionRig(version: .v2019)
        rig.logIn()
        rig.receive(.queryResources(JT1078ResourceQuery(JT1078Selection(channel: 0, start: .none, end: .none))))
        guard case .find(let search)? = rig.actions.first else {
            Issue.record("no search")
            return
        }
        let record = JT1078ResourceList.Record(
            selection: JT1078Selection(channel: 1, start: .none, end: .none), size: 1)
        rig.do_ { $0.found(search, Array(repeating: record, count: 100), quality: nil, now: .zero) }
        let pieces = rig.actions
        #expect(pieces.count == 3)
        guard case .send(let bytes)? = pieces.first, let first = try? JT808Frame(bytes: bytes).header.serial else {
            Issue.record("nothing sent")
            return
        }
        rig.receive(.resend(JT808ResendRequest(firstSerial: first, indices: [1, 3, 9])))
        #expect(rig.actions == [pieces[0], pieces[2]])
    }
}

/// Section 4.6 of the specification, and the rules of 2.4 and 2.5, point by point.
@Suite struct PlatformStreamTests {
    private func rig() -> SessionRig {
        var rig = SessionRig()
        rig.logIn()
        return rig
    }

    @Test func theAnswerComesFirst() throws {
        var rig = rig()
        rig.receive(SessionRig.live())
        guard case .send? = rig.actions.first else {
            Issue.record("the answer is not the first action")
            return
        }
        #expect(rig.results == [0])
        let stream = try #require(rig.opened)
        #expect(stream.quality == .main)
        #expect(stream.wanted == .all)
    }

    @Test func aRepeatWithTheSameSerialIsAnsweredAndNotCarriedOut() {
        var rig = rig()
        rig.receive(SessionRig.live(), serial: 9)
        rig.receive(SessionRig.live(), serial: 9)
        #expect(rig.results == [0])
        #expect(rig.orders.isEmpty)
        // The platform counts anew on a new connection.
        let now = rig.now
        rig.do_ { $0.connectionEnded("", now: now) }
        while rig.session.state != .connecting { rig.wake(after: .seconds(1)) }
        rig.connect()
        rig.acknowledge(0x0102)
        rig.receive(SessionRig.live(), serial: 9)
        #expect(rig.results == [0])
        #expect(rig.orders.count == 1)
    }

    @Test func theSameAgainBringsAKeyPictureAndAnotherStreamIsSwitchedTo() throws {
        var rig = rig()
        rig.receive(SessionRig.live())
        let token = try #require(rig.opened).token
        rig.receive(SessionRig.live())
        #expect(rig.orders == [.requestKeyFrame(token)])
        rig.receive(SessionRig.live(stream: 1))
        #expect(rig.orders == [.change(token, .sub, .all)])
        rig.receive(SessionRig.live(type: 1, stream: 1))
        #expect(rig.orders == [.change(token, .sub, .video)])
        // Another target: the new one first.
        rig.receive(SessionRig.live(1, JT1078Address(host: "n", tcpPort: 10, udpPort: 0)))
        #expect(rig.orders.count == 2)
        #expect(rig.orders.last == .close(token))
        #expect(rig.opened?.address.host == "n")
    }

    @Test func controlsAreIdempotent() throws {
        var rig = rig()
        rig.receive(SessionRig.live())
        let token = try #require(rig.opened).token
        func control(_ command: UInt8, closes: UInt8 = 0, stream: UInt8 = 1) -> JT808Message {
            .controlLive(JT1078LiveControl(channel: 1, command: command, closes: closes, stream: stream))
        }
        for (message, order) in [
            (control(1), PlatformStreams.Order.change(token, .sub, .all)), (control(2), .setPaused(token, true)),
            (control(3), .setPaused(token, false)), (control(0, closes: 1), .change(token, .sub, .video)),
            (control(0), .close(token)),
        ] {
            rig.receive(message)
            #expect(rig.results == [0])
            #expect(rig.orders == [order])
            rig.receive(message)
            #expect(rig.results == [0])
            #expect(rig.orders.isEmpty)
        }
    }

    @Test func talkAndLiveDoNotStopEachOther() throws {
        var rig = rig()
        rig.receive(SessionRig.live())
        let live = try #require(rig.opened).token
        let other = JT1078Address(host: "t", tcpPort: 11, udpPort: 0)
        rig.receive(SessionRig.live(type: 2, other))
        let talk = try #require(rig.opened).token
        #expect(rig.session.streams.all.count == 2)
        // One talk at a time.
        rig.receive(SessionRig.live(2, type: 2, other))
        #expect(rig.results == [1])
        rig.receive(.controlLive(JT1078LiveControl(channel: 1, command: 4)))
        #expect(rig.orders == [.close(talk)])
        rig.receive(SessionRig.live(type: 2, other))
        rig.receive(.controlLive(JT1078LiveControl(channel: 1, command: 0)))
        #expect(rig.orders == [.close(live)])
        // What is left is the talk.
        rig.receive(.controlLive(JT1078LiveControl(channel: 1, command: 0)))
        #expect(rig.orders.count == 1)
        #expect(rig.session.streams.all.isEmpty)
        // Somebody else talks.
        rig.view.isSomebodyTalking = true
        rig.receive(SessionRig.live(type: 2, other))
        #expect(rig.results == [1])
        rig.view.isSomebodyTalking = false
        rig.view.hasSpeaker = false
        rig.receive(SessionRig.live(type: 2, other))
        #expect(rig.results == [3])
    }

    @Test func whatCannotBeDeliveredIsRefusedAtOnce() {
        var rig = rig()
        rig.view.channels[0]?.isCameraLost = true
        rig.receive(SessionRig.live())
        #expect(rig.results == [1])
        rig.receive(SessionRig.live(3))
        #expect(rig.results == [1])
        rig.receive(SessionRig.live(2, type: 5))
        #expect(rig.results == [3])
        rig.receive(SessionRig.live(2, JT1078Address(host: "m", tcpPort: 0, udpPort: 0)))
        #expect(rig.results == [2])
        rig.view.roomForStreams = 0
        rig.receive(SessionRig.live(2))
        #expect(rig.results == [1])
        #expect(rig.session.streams.all.isEmpty)
    }

    @Test func refusedOpeningsAreTold() {
        var rig = rig()
        rig.receive(SessionRig.live(3))
        #expect(rig.actions.last == .refusedStream(.live, channelID: nil, .failed))
        rig.receive(SessionRig.live(2, type: 5))
        #expect(rig.actions.last == .refusedStream(nil, channelID: 1, .unsupported))
        rig.receive(.unknown(id: 0x9101, body: [1]))
        #expect(rig.actions.last == .refusedStream(nil, channelID: nil, .badMessage))
        let request = JT1078PlaybackRequest(
            address: SessionRig.address, channel: 1, start: .none, end: .none)
        rig.receive(.openPlayback(request))
        #expect(rig.actions.last == .refusedStream(.playback, channelID: 0, .badMessage))
    }

    @Test func streamsOutliveTheLinkForAWhile() {
        var rig = rig()
        rig.receive(SessionRig.live())
        let now = rig.now
        rig.do_ { $0.connectionEnded("cut", now: now) }
        func pass(_ seconds: Int) {
            for _ in 0..<seconds {
                rig.wake(after: .seconds(1))
                let now = rig.now
                if rig.session.state == .connecting { rig.do_ { $0.connectionEnded("no", now: now) } }
            }
        }
        pass(58)
        #expect(rig.session.streams.all.count == 1)
        pass(3)
        #expect(rig.session.streams.all.isEmpty)
    }

    @Test func whatIsGivenUpWithTheLinkIsNotThePlatformsWish() throws {
        var rig = rig()
        rig.receive(SessionRig.live())
        let token = try #require(rig.opened).token
        let now = rig.now
        rig.do_ { $0.connectionEnded("cut", now: now) }
        rig.wake(after: PlatformSession.grace)
        guard case .giveUp(token, let cause)? = rig.orders.first else {
            Issue.record("not given up")
            return
        }
        #expect(StreamNotice.closed(cause.code, wasPublishing: true).cause == .terminalClosed)
    }

    @Test func endsOfStreamsAreMappedToThePlatformsWords() {
        #expect(StreamNotice.closed(.requested, wasPublishing: true).cause == .clientRequest)
        #expect(StreamNotice.closed(.service, wasPublishing: true).cause == .terminalClosed)
        #expect(StreamNotice.closed(.networkLost, wasPublishing: true).cause == .terminalClosed)
        #expect(StreamNotice.closed(.unreachable, wasPublishing: false).cause == .terminalDataTimeout)
        #expect(StreamNotice.closed(.shutdown, wasPublishing: true).cause == .terminalClosed)
        // Nobody sees the end of datagrams.
        #expect(StreamNotice.closed(.networkLost, wasPublishing: true, isDatagram: true).cause == .terminalDataTimeout)
        #expect(StreamNotice.closed(.requested, wasPublishing: true, isDatagram: true).cause == .clientRequest)
        #expect(StreamNotice.refused.cause?.rawValue == 9)
    }

    @Test func playbackIsAnsweredByResultAndList() throws {
        let start = JT808Time(milliseconds: 1_700_000_000_000)
        let request = JT1078PlaybackRequest(address: SessionRig.address, channel: 1, start: start, end: .none)
        let record = JT1078ResourceList.Record(
            selection: JT1078Selection(channel: 1, start: start, end: start), size: 1)
        for (answer, expected) in [
            (PlatformSettings.PlaybackAnswer.both, [UInt16(0x0001), 0x1205]), (.general, [0x0001]), (.list, [0x1205]),
        ] {
            var rig = SessionRig { $0.playbackAnswer = answer }
            rig.logIn()
            rig.receive(.openPlayback(request))
            guard case .find(let search)? = rig.actions.first else {
                Issue.record("no search")
                return
            }
            if answer == .list {
                // Nothing goes before it, however long it takes.
                rig.wake(after: .milliseconds(80))
                #expect(rig.results.isEmpty)
            }
            rig.do_ { $0.found(search, [record], quality: .sub, now: .zero) }
            #expect(rig.ids == expected)
            #expect(rig.opened?.kind == .playback)
            #expect(rig.opened?.quality == .sub)
        }
        // Nothing recorded; and a slow disk is not waited for.
        var rig = rig()
        rig.receive(.openPlayback(request))
        guard case .find(let search)? = rig.actions.first else { return }
        rig.do_ { $0.found(search, [], quality: nil, now: .zero) }
        #expect(rig.results == [1])
        #expect(rig.orders.isEmpty)
        rig.receive(.openPlayback(request))
        rig.wake(after: .milliseconds(80))
        #expect(rig.results == [0])
    }

    @Test func headsTurnAndTheirAnswerIsNeverLate() {
        var rig = rig()
        rig.receive(.turn(JT1078PTZ(channel: 1, value: 3, speed: 255)))
        guard case .move(let move)? = rig.actions.first else {
            Issue.record("no move")
            return
        }
        #expect(move.motion == .left(1))
        rig.do_ { $0.carriedOut(move.serial, move.id, .done, now: .zero) }
        #expect(rig.results == [0])
        rig.do_ { $0.carriedOut(move.serial, move.id, .done, now: .zero) }
        #expect(rig.actions.isEmpty)
        rig.receive(.turn(JT1078PTZ(channel: 2, value: 3, speed: 255)))
        #expect(rig.results == [3])
        rig.receive(.zoom(JT1078PTZ(channel: 1, value: 2)))
        #expect(rig.results == [2])
        rig.receive(.zoom(JT1078PTZ(channel: 1, value: 0)))
        rig.wake(after: .milliseconds(80))
        #expect(rig.results == [0])
    }
}
