/// One setting of a terminal, by its number.
package struct JT808Parameter: Sendable, Hashable {
    package var id: UInt32
    package var value: [UInt8]

    package init(id: UInt32, value: [UInt8]) {
        self.id = id
        self.value = value
    }

    package init(_ id: JT808ParameterID, number: UInt32) {
        self.init(id: id.rawValue, value: withUnsafeBytes(of: number.bigEndian) { Array($0) })
    }

    package init(_ id: JT808ParameterID, text: String) {
        self.init(id: id.rawValue, value: Array((GBK.encode(text) ?? Array(text.utf8)).prefix(255)))
    }

    package var known: JT808ParameterID? { JT808ParameterID(rawValue: id) }

    /// Of a value of one, two or four bytes.
    package var number: UInt32? {
        [1, 2, 4].contains(value.count) ? value.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        id = try reader.double("id")
        value = try reader.shortText("value")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(id)
        writer.writeShort(value)
    }
}

/// The parameters that mean something to a video terminal.
package enum JT808ParameterID: UInt32, Sendable, Hashable, CaseIterable {
    case heartbeat = 0x0001
    case tcpAnswerTimeout = 0x0002
    case tcpResends = 0x0003
    case mainServer = 0x0013
    case backupServer = 0x0017
    case tcpPort = 0x0018
    case udpPort = 0x0019
    case locationStrategy = 0x0020
    case locationInterval = 0x0029
    case audioVideo = 0x0075
    case channels = 0x0076
    case channelVideo = 0x0077
    case alarmRecording = 0x0079
    case alarmMask = 0x007A
    case wakeSchedule = 0x007C
    case province = 0x0081
    case city = 0x0082
    case plate = 0x0083
    case plateColour = 0x0084

    package var isText: Bool { [.mainServer, .backupServer, .plate].contains(self) }
}

/// 0x8103: change settings.
package struct JT808SetParameters: JT808Body {
    package var parameters: [JT808Parameter]

    package init(_ parameters: [JT808Parameter]) { self.parameters = parameters }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        parameters = try Self.list(&reader, count: Int(try reader.byte("count")))
    }

    package func write(to writer: inout JT808Writer) { Self.write(parameters, to: &writer) }

    static func list(_ reader: inout JT808Reader, count: Int) throws(JT808Error) -> [JT808Parameter] {
        var parameters: [JT808Parameter] = []
        for _ in 0..<count { parameters.append(try JT808Parameter(&reader)) }
        return parameters
    }

    static func write(_ parameters: [JT808Parameter], to writer: inout JT808Writer) {
        writer.write(UInt8(min(parameters.count, 255)))
        for parameter in parameters.prefix(255) { parameter.write(to: &writer) }
    }
}

/// 0x8106: which settings are wanted.
package struct JT808QueryParameters: JT808Body {
    package var ids: [UInt32]

    package init(_ ids: [UInt32]) { self.ids = ids }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        ids = []
        for _ in 0..<(try reader.byte("count")) { ids.append(try reader.double("ids")) }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(UInt8(min(ids.count, 255)))
        for id in ids.prefix(255) { writer.write(id) }
    }
}

/// 0x0104: the settings there are.
package struct JT808ParameterAnswer: JT808Body {
    package var answers: UInt16
    package var parameters: [JT808Parameter]

    package init(answers: UInt16, parameters: [JT808Parameter]) {
        self.answers = answers
        self.parameters = parameters
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        parameters = try JT808SetParameters.list(&reader, count: Int(try reader.byte("count")))
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        JT808SetParameters.write(parameters, to: &writer)
    }
}
