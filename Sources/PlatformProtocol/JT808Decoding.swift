/// Frames and packets in words, for logs and `edgectl platform decode`.
package enum JT808Decoding {
    /// A whole frame, with its delimiters.
    package static func frame(_ bytes: [UInt8]) throws(JT808Error) -> DecodedValue {
        let frame = try JT808Frame(bytes: bytes)
        let content = try JT808Frame.unescaped(bytes.dropFirst().dropLast())
        var fields = header(frame)
        fields.append(.init("checksum", .text(hex(content.last ?? 0))))
        fields.append(.init("body", try body(frame)))
        if frame.header.piece == nil {
            let message = try JT808Message(
                id: frame.header.id, body: frame.body, version: frame.header.version)
            fields.insert(.init("name", .text(message.name)), at: 1)
            let again = JT808Frame(header: frame.header, body: message.body(frame.header.version)).bytes
            fields.append(.init("encoded", .text(hex(again))))
        } else {
            fields.append(.init("encoded", .text(hex(frame.bytes))))
        }
        return .fields(fields)
    }

    private static func header(_ frame: JT808Frame) -> [DecodedValue.Field] {
        let header = frame.header
        var fields: [DecodedValue.Field] = [
            .init("msgId", .text("0x" + hex(header.id))), .init("bodyLen", .number(frame.body.count)),
            .init("encrypt", .number(header.encryption)), .init("subpackage", .flag(header.piece != nil)),
            .init("version2019", .flag(header.version == .v2019)),
        ]
        if header.version == .v2019 { fields.append(.init("protocolVersion", .number(header.edition))) }
        fields += [.init("phone", .text(BCD.digits(header.phone))), .init("serial", .number(header.serial))]
        if let piece = header.piece {
            fields += [.init("total", .number(piece.total)), .init("index", .number(piece.index))]
        }
        return fields
    }

    /// The body's fields; of a piece of a longer message, only its bytes.
    package static func body(_ frame: JT808Frame) throws(JT808Error) -> DecodedValue {
        guard frame.header.piece == nil, frame.header.encryption == 0 else {
            return .fields([.init("raw", .text(hex(frame.body)))])
        }
        return fields(
            of: try JT808Message(id: frame.header.id, body: frame.body, version: frame.header.version),
            version: frame.header.version)
    }

    package static func fields(of message: JT808Message, version: JT808Version) -> DecodedValue {
        .fields(list(message, version))
    }

    private static func list(_ message: JT808Message, _ version: JT808Version) -> [DecodedValue.Field] {
        switch message {
        case .heartbeat, .unregister, .timeQuery, .queryAllParameters, .queryAttributes, .queryLocation,
            .queryMediaAttributes:
            []
        case .unknown(_, let body): [.init("raw", .text(hex(body)))]
        case .terminalAnswer(let answer), .platformAnswer(let answer):
            [
                .init("ackSerial", .number(answer.answers)), .init("ackId", .text("0x" + hex(answer.id))),
                .init("result", .number(answer.result)),
            ]
        case .terminalResend(let request), .resend(let request):
            [
                .init("firstSerial", .number(request.firstSerial)), .init("count", .number(request.indices.count)),
                .init("packets", .list(request.indices.map { .number($0) })),
            ]
        case .time(let answer): [.init("time", .text("\(answer.time)"))]
        case .registration(let body): registration(body)
        case .registrationAnswer(let answer):
            [.init("ackSerial", .number(answer.answers)), .init("result", .number(answer.result))]
                + (answer.code.map { [.init("authCode", .text(GBK.decode($0)))] } ?? [])
        case .authentication(let body):
            [.init("authCode", .text(GBK.decode(body.code)))]
                + (version == .v2019
                    ? [.init("imei", .text("\(body.imei)")), .init("software", .text("\(body.software)"))] : [])
        case .setParameters(let body): parameters(body.parameters)
        case .parameters(let body): [.init("ackSerial", .number(body.answers))] + parameters(body.parameters)
        case .queryParameters(let body):
            [
                .init("count", .number(body.ids.count)), .init("ids", .list(body.ids.map { .text(parameterID($0)) })),
            ]
        case .attributes(let body): attributes(body)
        case .location(let body): location(body)
        case .locationAnswer(let body): [.init("ackSerial", .number(body.answers))] + location(body.location)
        case .track(let body):
            [.init("interval", .number(body.interval)), .init("validity", .number(body.validity))]
        default: JT1078Decoding.list(message)
        }
    }

    private static func registration(_ body: JT808Registration) -> [DecodedValue.Field] {
        [
            .init("province", .number(body.province)), .init("city", .number(body.city)),
            .init("manufacturer", .text("\(body.manufacturer)")), .init("model", .text("\(body.model)")),
            .init("terminalId", .text("\(body.terminalID)")), .init("plateColor", .number(body.plateColour)),
            .init("plate", .text(GBK.decode(body.plate))),
        ]
    }

    private static func attributes(_ body: JT808Attributes) -> [DecodedValue.Field] {
        [
            .init("type", .number(body.type)), .init("manufacturer", .text("\(body.manufacturer)")),
            .init("model", .text("\(body.model)")), .init("terminalId", .text("\(body.terminalID)")),
            .init("iccid", .text(BCD.digits(body.iccid))), .init("hardware", .text(GBK.decode(body.hardware))),
            .init("firmware", .text(GBK.decode(body.firmware))), .init("gnss", .number(body.gnss)),
            .init("network", .number(body.network)),
        ]
    }

    private static func location(_ body: JT808Location) -> [DecodedValue.Field] {
        let fields: [DecodedValue.Field] = [
            .init("alarm", .text(hex(body.alarms))), .init("status", .text(hex(body.status))),
            .init("lat", .number(body.latitude)), .init("lon", .number(body.longitude)),
            .init("altitude", .number(body.altitude)), .init("speed01kmh", .number(body.speed)),
            .init("direction", .number(body.direction)), .init("time", .text("\(body.time)")),
        ]
        guard !body.extras.isEmpty else { return fields }
        let extras = body.extras.map { extra in
            DecodedValue.fields([
                .init("id", .text("0x" + hex(extra.id))), .init("len", .number(extra.value.count)),
                .init("value", .text(hex(extra.value))),
            ])
        }
        return fields + [.init("extras", .list(extras))]
    }

    // MARK: Parameters

    private static func parameterID(_ id: UInt32) -> String {
        id <= 0xFFFF ? "0x" + hex(UInt16(id)) : "0x" + hex(id)
    }

    private static func parameters(_ parameters: [JT808Parameter]) -> [DecodedValue.Field] {
        [.init("count", .number(parameters.count)), .init("params", .list(parameters.map(parameter)))]
    }

    private static func parameter(_ parameter: JT808Parameter) -> DecodedValue {
        var fields: [DecodedValue.Field] = [
            .init("id", .text(parameterID(parameter.id))), .init("len", .number(parameter.value.count)),
            .init("value", .text(hex(parameter.value))),
        ]
        var reader = JT808Reader(parameter.value, version: .v2013)
        switch parameter.known {
        case .audioVideo:
            if let value = try? JT808AudioVideoParameter(&reader) {
                fields += settings(value.settings) + [.init("audioOut", .number(value.audioOutput))]
            }
        case .channels:
            if let value = try? JT808ChannelTable(&reader) { fields += table(value) }
        case .channelVideo:
            if let value = try? JT808ChannelVideo(&reader) {
                let channels = value.entries.map { entry in
                    DecodedValue.fields([.init("logical", .number(entry.logical))] + settings(entry.settings))
                }
                fields += [.init("count", .number(channels.count)), .init("channels", .list(channels))]
            }
        case let known? where known.isText: fields.append(.init("text", .text(GBK.decode(parameter.value))))
        case .heartbeat, .tcpAnswerTimeout, .tcpResends, .tcpPort, .udpPort, .locationStrategy, .locationInterval,
            .province, .city, .plateColour:
            if let number = parameter.number { fields.append(.init("uint", .number(number))) }
        default: break
        }
        return .fields(fields)
    }

    private static func table(_ table: JT808ChannelTable) -> [DecodedValue.Field] {
        [
            .init("avChannels", .number(table.counts.both)), .init("audioChannels", .number(table.counts.audio)),
            .init("videoChannels", .number(table.counts.video)),
            .init(
                "table",
                .list(
                    table.entries.map { entry in
                        .fields([
                            .init("physical", .number(entry.physical)), .init("logical", .number(entry.logical)),
                            .init("type", .number(entry.type)), .init("ptz", .number(entry.hasPTZ)),
                        ])
                    })),
        ]
    }

    private static func settings(_ settings: JT808VideoSettings) -> [DecodedValue.Field] {
        func encoding(_ prefix: String, _ encoding: JT808Encoding) -> [DecodedValue.Field] {
            [
                .init(prefix + "Mode", .number(encoding.mode)), .init(prefix + "Res", .number(encoding.resolution)),
                .init(prefix + "KeyInterval", .number(encoding.keyFrameInterval)),
                .init(prefix + "Fps", .number(encoding.frameRate)), .init(prefix + "Kbps", .number(encoding.bitrate)),
            ]
        }
        return encoding("rt", settings.live) + encoding("st", settings.stored) + [.init("osd", .number(settings.osd))]
    }
}
