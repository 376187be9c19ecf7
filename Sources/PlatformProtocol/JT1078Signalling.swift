/// Where media is to be sent: the beginning of 0x9101 and 0x9201.
package struct JT1078Address: Sendable, Hashable {
    /// Name or address, as it came.
    package var host: String
    /// 0 for none.
    package var tcpPort: UInt16
    package var udpPort: UInt16

    package init(host: String, tcpPort: UInt16, udpPort: UInt16) {
        self.host = host
        self.tcpPort = tcpPort
        self.udpPort = udpPort
    }

    init(_ reader: inout JT808Reader) throws(JT808Error) {
        host = FixedText(raw: try reader.shortText("ip")).description
        tcpPort = try reader.word("tcpPort")
        udpPort = try reader.word("udpPort")
    }

    func write(to writer: inout JT808Writer) {
        writer.writeShort(Array(host.utf8))
        writer.write(tcpPort)
        writer.write(udpPort)
    }
}

/// 0x1003: what the terminal's codecs can do. Carries no serial of the question.
package struct JT1078Attributes: JT808Body {
    package var audioCodec: UInt8
    package var audioChannels: UInt8
    /// 0 8 kHz, 1 22.05, 2 44.1, 3 48.
    package var sampleRate: UInt8
    /// 0 8, 1 16, 2 32.
    package var sampleBits: UInt8
    package var frameLength: UInt16
    package var hasAudioOutput: UInt8
    package var videoCodec: UInt8
    package var maximumAudioChannels: UInt8
    package var maximumVideoChannels: UInt8

    package init(
        audioCodec: UInt8, audioChannels: UInt8, sampleRate: UInt8, sampleBits: UInt8, frameLength: UInt16,
        hasAudioOutput: Bool, videoCodec: UInt8, maximumAudioChannels: UInt8, maximumVideoChannels: UInt8
    ) {
        self.audioCodec = audioCodec
        self.audioChannels = audioChannels
        self.sampleRate = sampleRate
        self.sampleBits = sampleBits
        self.frameLength = frameLength
        self.hasAudioOutput = hasAudioOutput ? 1 : 0
        self.videoCodec = videoCodec
        self.maximumAudioChannels = maximumAudioChannels
        self.maximumVideoChannels = maximumVideoChannels
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        audioCodec = try reader.byte("audioCodec")
        audioChannels = try reader.byte("audioChannels")
        sampleRate = try reader.byte("sampleRate")
        sampleBits = try reader.byte("sampleBits")
        frameLength = try reader.word("frameLen")
        hasAudioOutput = try reader.byte("audioOut")
        videoCodec = try reader.byte("videoCodec")
        maximumAudioChannels = try reader.byte("maxAudio")
        maximumVideoChannels = try reader.byte("maxVideo")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write([audioCodec, audioChannels, sampleRate, sampleBits])
        writer.write(frameLength)
        writer.write([hasAudioOutput, videoCodec, maximumAudioChannels, maximumVideoChannels])
    }
}

/// 0x9101: send what a channel sees and hears to an address.
package struct JT1078LiveRequest: JT808Body {
    package var address: JT1078Address
    package var channel: UInt8
    /// 0 pictures and sound, 1 pictures, 2 talk, 3 listening, 4 broadcast, 5 pass-through.
    package var dataType: UInt8
    /// 0 main, 1 sub.
    package var stream: UInt8

    package init(address: JT1078Address, channel: UInt8, dataType: UInt8, stream: UInt8) {
        self.address = address
        self.channel = channel
        self.dataType = dataType
        self.stream = stream
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        address = try JT1078Address(&reader)
        channel = try reader.byte("channel")
        dataType = try reader.byte("dataType")
        stream = try reader.byte("streamType")
    }

    package func write(to writer: inout JT808Writer) {
        address.write(to: &writer)
        writer.write([channel, dataType, stream])
    }
}

/// 0x9102: change or end that.
package struct JT1078LiveControl: JT808Body {
    package var channel: UInt8
    /// 0 close, 1 switch stream, 2 pause, 3 resume, 4 end talk.
    package var command: UInt8
    /// With command 0: 0 both, 1 sound only, 2 pictures only.
    package var closes: UInt8
    /// With command 1: 0 main, 1 sub.
    package var stream: UInt8

    package init(channel: UInt8, command: UInt8, closes: UInt8 = 0, stream: UInt8 = 0) {
        self.channel = channel
        self.command = command
        self.closes = closes
        self.stream = stream
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        channel = try reader.byte("channel")
        command = try reader.byte("command")
        closes = try reader.byte("closeType")
        stream = try reader.byte("switchTo")
    }

    package func write(to writer: inout JT808Writer) { writer.write([channel, command, closes, stream]) }
}

/// 0x9105: how the platform receives a channel.
package struct JT1078TransmissionStatus: JT808Body {
    package var channel: UInt8
    /// Per cent.
    package var lossRate: UInt8

    package init(channel: UInt8, lossRate: UInt8) {
        self.channel = channel
        self.lossRate = lossRate
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        channel = try reader.byte("channel")
        lossRate = try reader.byte("lossRate")
    }

    package func write(to writer: inout JT808Writer) { writer.write([channel, lossRate]) }
}

/// 0x9301 to 0x9306: one of a channel's motors, or its wiper or light.
package struct JT1078PTZ: JT808Body {
    package var channel: UInt8
    /// Turning: 0 stop, 1 up, 2 down, 3 left, 4 right. Else 0 or 1; see the message's id.
    package var value: UInt8
    /// Only of turning.
    package var speed: UInt8?

    package init(channel: UInt8, value: UInt8, speed: UInt8? = nil) {
        self.channel = channel
        self.value = value
        self.speed = speed
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        channel = try reader.byte("channel")
        value = try reader.byte("value")
        speed = nil
    }

    package static func turn(_ reader: inout JT808Reader) throws(JT808Error) -> Self {
        var turn = try Self(&reader)
        turn.speed = try reader.byte("speed")
        return turn
    }

    package func write(to writer: inout JT808Writer) { writer.write([channel, value] + (speed.map { [$0] } ?? [])) }
}
