import PlatformProtocol
import Testing

/// Each message against bytes put together by hand from the standard's tables.
@Suite struct JT808MessageTests {
    private func check(
        _ message: JT808Message, _ version: JT808Version, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(hex(message.body(version)) == text, sourceLocation: sourceLocation)
        let body = try #require(bytes(hex: text))
        #expect(
            try JT808Message(id: message.id, body: body, version: version) == message, sourceLocation: sourceLocation)
        // Platforms add bytes, and whatever is cut off must be noticed, or be the end of a text.
        for count in 0..<body.count {
            _ = try? JT808Message(id: message.id, body: Array(body[..<count]), version: version)
        }
    }

    @Test func registration() throws {
        func message(_ version: JT808Version) -> JT808Message {
            .registration(
                JT808Registration(
                    province: 44, city: 300, manufacturer: "EDGEA", model: "EA-1", terminalID: "0000001",
                    plateColour: 2,
                    plate: "粤B1", version: version))
        }
        let zeros = { String(repeating: "00", count: $0) }
        try check(
            message(.v2013), .v2013,
            "002c012c" + "4544474541" + "45412d31" + zeros(16) + "30303030303031" + "02" + "d4c14231")
        try check(
            message(.v2019), .v2019,
            "002c012c" + "4544474541" + zeros(6) + "45412d31" + zeros(26) + "30303030303031" + zeros(23) + "02"
                + "d4c14231")
    }

    @Test func paddingInFrontIsKept() throws {
        let body = try #require(
            bytes(
                hex: "002c012c" + String(repeating: "00", count: 6) + "4544474541"
                    + String(repeating: "00", count: 26) + "45412d31" + String(repeating: "20", count: 29) + "31"
                    + "00"))
        let message = try JT808Message(id: 0x0100, body: body, version: .v2019)
        guard case .registration(let registration) = message else {
            Issue.record("another message")
            return
        }
        #expect("\(registration.manufacturer)" == "EDGEA")
        #expect("\(registration.model)" == "EA-1")
        #expect("\(registration.terminalID)" == "1")
        #expect(message.body(.v2019) == body)
    }

    @Test func authentication() throws {
        let answer = JT808RegistrationAnswer(answers: 3, result: 0, code: [0xD5, 0xE2, 0x31])
        try check(.registrationAnswer(answer), .v2013, "000300d5e231")
        try check(.registrationAnswer(JT808RegistrationAnswer(answers: 3, result: 4)), .v2019, "000304")
        try check(.authentication(JT808Authentication(code: [0x31, 0x32])), .v2013, "3132")
        try check(
            .authentication(JT808Authentication(code: [0x31], imei: "123456789012345", software: "1.0")), .v2019,
            "0131" + "313233343536373839303132333435" + "312e30" + String(repeating: "00", count: 17))
    }

    @Test func answersAndResending() throws {
        try check(
            .terminalAnswer(JT808GeneralAnswer(answers: 1, id: 0x9101, result: .failed)), .v2013, "0001910101")
        try check(.resend(JT808ResendRequest(firstSerial: 9, indices: [2, 3])), .v2013, "00090200020003")
        try check(.resend(JT808ResendRequest(firstSerial: 9, indices: [2, 3])), .v2019, "0009000200020003")
        try check(.terminalResend(JT808ResendRequest(firstSerial: 9, indices: [2])), .v2019, "000900010002")
    }

    @Test func parameters() throws {
        let list = [JT808Parameter(.heartbeat, number: 30), JT808Parameter(.mainServer, text: "a.b")]
        try check(.setParameters(JT808SetParameters(list)), .v2013, "02" + "00000001040000001e" + "0000001303612e62")
        try check(
            .parameters(JT808ParameterAnswer(answers: 8, parameters: [list[0]])), .v2019,
            "000801" + "00000001040000001e")
        try check(.queryParameters(JT808QueryParameters([1, 0x76])), .v2013, "020000000100000076")
    }

    @Test func videoParameters() throws {
        let encoding = JT808Encoding(mode: 0, resolution: 5, keyFrameInterval: 50, frameRate: 25, bitrate: 2000)
        let settings = JT808VideoSettings(live: encoding, stored: encoding, osd: 5)
        let text = "00050032" + "19000007d0" + "00050032" + "19000007d0" + "0005"
        var writer = JT808Writer(version: .v2013)
        JT808AudioVideoParameter(settings: settings, audioOutput: 1).write(to: &writer)
        #expect(hex(writer.bytes) == text + "01")
        writer = JT808Writer(version: .v2013)
        JT808ChannelVideo([.init(logical: 2, settings: settings)]).write(to: &writer)
        #expect(hex(writer.bytes) == "0102" + text)
        writer = JT808Writer(version: .v2013)
        let table = JT808ChannelTable([
            .init(physical: 1, logical: 1, type: 0, hasPTZ: 1), .init(physical: 2, logical: 33, type: 1, hasPTZ: 0),
        ])
        table.write(to: &writer)
        #expect(hex(writer.bytes) == "010100" + "01010001" + "02210100")
        var reader = JT808Reader(writer.bytes, version: .v2013)
        #expect(try JT808ChannelTable(&reader) == table)
    }

    @Test func attributesAndLocation() throws {
        let attributes = JT808Attributes(
            type: 0x40, manufacturer: "EDGEA", model: "EA", terminalID: "7", iccid: "12345678901234567890",
            hardware: "h1", firmware: "1.0", gnss: 1, network: 32, version: .v2013)
        try check(
            .attributes(attributes), .v2013,
            "0040" + "4544474541" + "4541" + String(repeating: "00", count: 18) + "37000000000000"
                + "12345678901234567890" + "026831" + "03312e30" + "01" + "20")
        let location = JT808Location(
            alarms: 1 << 11, status: 3, latitude: 31_230_416, longitude: 121_473_701, altitude: 4, speed: 0,
            direction: 0, time: JT808Time(milliseconds: 1_600_000_000_000), extras: [.init(id: 0x14, number: 1)])
        let text =
            "00000800" + "00000003" + "01dc89d0" + "073d8aa5" + "0004" + "0000" + "0000" + "200913202640"
            + "140400000001"
        try check(.location(location), .v2013, text)
        try check(.locationAnswer(JT808LocationAnswer(answers: 2, location: location)), .v2019, "0002" + text)
    }

    @Test func videoCommands() throws {
        let address = JT1078Address(host: "10.0.0.1", tcpPort: 1078, udpPort: 0)
        let addressText = "0831302e302e302e31" + "0436" + "0000"
        try check(
            .mediaAttributes(
                JT1078Attributes(
                    audioCodec: 6, audioChannels: 1, sampleRate: 0, sampleBits: 1, frameLength: 320,
                    hasAudioOutput: true, videoCodec: 98, maximumAudioChannels: 1, maximumVideoChannels: 4)),
            .v2013, "06010001014001620104")
        try check(
            .openLive(JT1078LiveRequest(address: address, channel: 2, dataType: 0, stream: 1)), .v2019,
            addressText + "020001")
        try check(.controlLive(JT1078LiveControl(channel: 2, command: 1, stream: 1)), .v2013, "02010001")
        try check(.transmissionStatus(JT1078TransmissionStatus(channel: 2, lossRate: 5)), .v2013, "0205")
        let start = JT808Time(raw: [0x26, 0x11, 0x21, 0x08, 0, 0])
        let end = JT808Time(raw: [0x26, 0x11, 0x21, 0x09, 0, 0])
        try check(
            .openPlayback(
                JT1078PlaybackRequest(address: address, channel: 1, mode: 1, speed: 3, start: start, end: end)),
            .v2013, addressText + "010000000103" + "261121080000" + "261121090000")
        try check(
            .controlPlayback(JT1078PlaybackControl(channel: 1, command: 5, position: start)), .v2013,
            "010500261121080000")
        try check(.turn(JT1078PTZ(channel: 1, value: 3, speed: 200)), .v2013, "0103c8")
        for message in [
            JT808Message.focus(JT1078PTZ(channel: 1, value: 0)), .iris(JT1078PTZ(channel: 1, value: 0)),
            .wiper(JT1078PTZ(channel: 1, value: 0)), .infrared(JT1078PTZ(channel: 1, value: 0)),
            .zoom(JT1078PTZ(channel: 1, value: 0)),
        ] {
            try check(message, .v2019, "0100")
        }
    }

    @Test func recordings() throws {
        let selection = JT1078Selection(
            channel: 3, start: JT808Time(raw: [0x26, 0x11, 0x21, 0x08, 0, 0]), end: .none, alarms: 1 << 32,
            mediaType: 3, stream: 1, storage: 2)
        let text = "03" + "261121080000" + "000000000000" + "0000000100000000" + "030102"
        try check(.queryResources(JT1078ResourceQuery(selection)), .v2013, text)
        try check(
            .resourceList(JT1078ResourceList(answers: 4, records: [.init(selection: selection, size: 256)])), .v2013,
            "0004" + "00000001" + text + "00000100")
        try check(
            .upload(
                JT1078UploadRequest(
                    host: Array("h".utf8), port: 21, user: Array("u".utf8), password: Array("p".utf8),
                    path: Array("/d".utf8), selection: selection, conditions: 7)),
            .v2013, "0168" + "0015" + "0175" + "0170" + "022f64" + text + "07")
        try check(.uploadResult(JT1078UploadResult(answers: 4, result: 1)), .v2013, "000401")
        try check(.controlUpload(JT1078UploadControl(upload: 4, control: 2)), .v2013, "000402")
    }

    @Test func longAndShortBodiesOfSloppyPlatforms() throws {
        let long = try JT808Message(id: 0x9102, body: [1, 0, 0, 1, 9, 9], version: .v2013)
        #expect(long == .controlLive(JT1078LiveControl(channel: 1, command: 0, closes: 0, stream: 1)))
        let short = try JT808Message(id: 0x9202, body: [1, 1, 0], version: .v2013)
        #expect(short == .controlPlayback(JT1078PlaybackControl(channel: 1, command: 1)))
        #expect(throws: JT808Error.truncated("ackSerial")) {
            try JT808Message(id: 0x8001, body: [], version: .v2013)
        }
        #expect(try JT808Message(id: 0x4321, body: [7], version: .v2013) == .unknown(id: 0x4321, body: [7]))
    }
}
