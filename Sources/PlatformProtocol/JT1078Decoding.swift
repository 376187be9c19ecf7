/// The video messages and media packets in words.
package enum JT1078Decoding {
    static func list(_ message: JT808Message) -> [DecodedValue.Field] {
        switch message {
        case .mediaAttributes(let body): attributes(body)
        case .openLive(let body):
            address(body.address) + [
                .init("channel", .number(body.channel)), .init("dataType", .number(body.dataType)),
                .init("streamType", .number(body.stream)),
            ]
        case .controlLive(let body):
            [
                .init("channel", .number(body.channel)), .init("command", .number(body.command)),
                .init("closeType", .number(body.closes)), .init("switchTo", .number(body.stream)),
            ]
        case .transmissionStatus(let body):
            [.init("channel", .number(body.channel)), .init("lossRate", .number(body.lossRate))]
        case .openPlayback(let body): playback(body)
        case .controlPlayback(let body):
            [
                .init("channel", .number(body.channel)), .init("command", .number(body.command)),
                .init("speed", .number(body.speed)), .init("position", .text("\(body.position)")),
            ]
        case .queryResources(let body): selection(body.selection)
        case .resourceList(let body):
            [
                .init("ackSerial", .number(body.answers)), .init("total", .number(body.total)),
                .init(
                    "records",
                    .list(body.records.map { .fields(selection($0.selection) + [.init("size", .number($0.size))]) })),
            ]
        case .upload(let body): upload(body)
        case .uploadResult(let body):
            [.init("ackSerial", .number(body.answers)), .init("result", .number(body.result))]
        case .controlUpload(let body):
            [.init("ackSerial", .number(body.upload)), .init("control", .number(body.control))]
        case .turn(let body):
            [
                .init("channel", .number(body.channel)), .init("direction", .number(body.value)),
                .init("speed", .number(body.speed ?? 0)),
            ]
        case .focus(let body), .iris(let body), .wiper(let body), .infrared(let body), .zoom(let body):
            [.init("channel", .number(body.channel)), .init("value", .number(body.value))]
        default: []
        }
    }

    private static func attributes(_ body: JT1078Attributes) -> [DecodedValue.Field] {
        [
            .init("audioCodec", .number(body.audioCodec)), .init("audioChannels", .number(body.audioChannels)),
            .init("sampleRate", .number(body.sampleRate)), .init("sampleBits", .number(body.sampleBits)),
            .init("frameLen", .number(body.frameLength)), .init("audioOut", .number(body.hasAudioOutput)),
            .init("videoCodec", .number(body.videoCodec)), .init("maxAudio", .number(body.maximumAudioChannels)),
            .init("maxVideo", .number(body.maximumVideoChannels)),
        ]
    }

    private static func address(_ address: JT1078Address) -> [DecodedValue.Field] {
        [
            .init("ip", .text(address.host)), .init("tcpPort", .number(address.tcpPort)),
            .init("udpPort", .number(address.udpPort)),
        ]
    }

    private static func playback(_ body: JT1078PlaybackRequest) -> [DecodedValue.Field] {
        address(body.address) + [
            .init("channel", .number(body.channel)), .init("mediaType", .number(body.mediaType)),
            .init("streamType", .number(body.stream)), .init("storage", .number(body.storage)),
            .init("mode", .number(body.mode)), .init("speed", .number(body.speed)),
            .init("start", .text("\(body.start)")), .init("end", .text("\(body.end)")),
        ]
    }

    private static func selection(_ selection: JT1078Selection) -> [DecodedValue.Field] {
        [
            .init("channel", .number(selection.channel)), .init("start", .text("\(selection.start)")),
            .init("end", .text("\(selection.end)")), .init("alarm", .text(hex(selection.alarms))),
            .init("mediaType", .number(selection.mediaType)), .init("streamType", .number(selection.stream)),
            .init("storage", .number(selection.storage)),
        ]
    }

    private static func upload(_ body: JT1078UploadRequest) -> [DecodedValue.Field] {
        [
            .init("host", .text(GBK.decode(body.host))), .init("port", .number(body.port)),
            .init("user", .text(GBK.decode(body.user))), .init("password", .text(GBK.decode(body.password))),
            .init("path", .text(GBK.decode(body.path))),
        ] + selection(body.selection) + [.init("condition", .number(body.conditions))]
    }

    // MARK: Packets

    /// A media packet.
    /// - Parameter simLength: nil to guess: six bytes where the length then fits, else ten.
    package static func packet(_ bytes: [UInt8], simLength: Int? = nil) -> DecodedValue? {
        let lengths = simLength.map { [$0] } ?? [6, 10]
        for length in lengths {
            guard let header = JT1078Header(bytes[...], simLength: length),
                simLength != nil || header.length + header.dataLength == bytes.count
            else { continue }
            return fields(of: header, data: bytes.dropFirst(header.length).prefix(header.dataLength))
        }
        return nil
    }

    private static func fields(of header: JT1078Header, data: ArraySlice<UInt8>) -> DecodedValue {
        var fields: [DecodedValue.Field] = [
            .init("V", .number(header.flags >> 6)), .init("P", .number(header.flags >> 5 & 1)),
            .init("X", .number(header.flags >> 4 & 1)), .init("CC", .number(header.flags & 15)),
            .init("M", .number(header.isMarked ? 1 : 0)), .init("PT", .number(header.payloadType)),
            .init("seq", .number(header.sequence)), .init("sim", .text(BCD.digits(header.sim))),
            .init("channel", .number(header.channel)), .init("dataType", .number(header.kind.rawValue)),
            .init("subpackage", .number(header.split.rawValue)),
        ]
        if header.kind != .passThrough { fields.append(.init("timestamp", .number(header.timestamp))) }
        if header.kind.isVideo {
            fields += [
                .init("lastIFrameInterval", .number(header.sinceKeyFrame)),
                .init("lastFrameInterval", .number(header.sinceFrame)),
            ]
        }
        fields += [
            .init("headerLen", .number(header.length)), .init("bodyLen", .number(header.dataLength)),
            .init("simBytes", .number(header.sim.count)), .init("bodyHead", .text(hex(data.prefix(16)))),
            .init("encoded", .text(hex(header.bytes + data))),
        ]
        return .fields(fields)
    }
}
