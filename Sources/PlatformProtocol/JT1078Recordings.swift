/// Which recordings are meant: the end of 0x9205 and 0x9206.
package struct JT1078Selection: Sendable, Hashable {
    /// Logical; 0 for all.
    package var channel: UInt8
    package var start: JT808Time
    package var end: JT808Time
    /// 0 for no condition.
    package var alarms: UInt64
    /// 0 both, 1 sound, 2 pictures, 3 pictures with or without sound.
    package var mediaType: UInt8
    /// 0 all, 1 main, 2 sub.
    package var stream: UInt8
    /// 0 all, 1 main, 2 backup.
    package var storage: UInt8

    package init(
        channel: UInt8, start: JT808Time, end: JT808Time, alarms: UInt64 = 0, mediaType: UInt8 = 0, stream: UInt8 = 0,
        storage: UInt8 = 0
    ) {
        self.channel = channel
        self.start = start
        self.end = end
        self.alarms = alarms
        self.mediaType = mediaType
        self.stream = stream
        self.storage = storage
    }

    init(_ reader: inout JT808Reader) throws(JT808Error) {
        channel = try reader.byte("channel")
        start = try reader.time("start")
        end = try reader.time("end")
        alarms = try reader.integer("alarm")
        mediaType = try reader.byte("mediaType")
        stream = try reader.byte("streamType")
        storage = try reader.byte("storage")
    }

    func write(to writer: inout JT808Writer) {
        writer.write(channel)
        writer.write(start)
        writer.write(end)
        writer.write(alarms)
        writer.write([mediaType, stream, storage])
    }
}

/// 0x9205: which recordings are there?
package struct JT1078ResourceQuery: JT808Body {
    package var selection: JT1078Selection

    package init(_ selection: JT1078Selection) { self.selection = selection }
    package init(_ reader: inout JT808Reader) throws(JT808Error) { selection = try JT1078Selection(&reader) }
    package func write(to writer: inout JT808Writer) { selection.write(to: &writer) }
}

/// 0x1205: these are.
package struct JT1078ResourceList: JT808Body {
    package struct Record: Sendable, Hashable {
        package var selection: JT1078Selection
        package var size: UInt32

        package init(selection: JT1078Selection, size: UInt32) {
            self.selection = selection
            self.size = size
        }
    }

    package var answers: UInt16
    package var total: UInt32
    package var records: [Record]

    package static let recordLength = 28
    package static let headLength = 6

    package init(answers: UInt16, records: [Record]) {
        self.answers = answers
        total = UInt32(clamping: records.count)
        self.records = records
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        total = try reader.double("total")
        records = []
        while !reader.isAtEnd {
            records.append(Record(selection: try JT1078Selection(&reader), size: try reader.double("size")))
        }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        writer.write(total)
        for record in records {
            record.selection.write(to: &writer)
            writer.write(record.size)
        }
    }

    /// Cut at whole records, since some receivers read each piece by itself.
    package static func split(_ body: [UInt8]) -> [[UInt8]] {
        guard body.count > JT808Header.maximumBody else { return [body] }
        let perPiece = (JT808Header.maximumBody - headLength) / recordLength
        let first = headLength + perPiece * recordLength
        return [Array(body[..<first])]
            + JT808SubPackages.split(Array(body[first...]), limit: perPiece * recordLength)
    }
}

/// 0x9201: play recordings to an address.
package struct JT1078PlaybackRequest: JT808Body {
    package var address: JT1078Address
    package var channel: UInt8
    package var mediaType: UInt8
    /// 0 any, 1 main, 2 sub.
    package var stream: UInt8
    package var storage: UInt8
    /// 0 normal, 1 fast forward, 2 backward by key frames, 3 key frames, 4 a single frame.
    package var mode: UInt8
    /// 0 none, 1 to 5: 1, 2, 4, 8, 16 times.
    package var speed: UInt8
    package var start: JT808Time
    package var end: JT808Time

    package init(
        address: JT1078Address, channel: UInt8, mediaType: UInt8 = 0, stream: UInt8 = 0, storage: UInt8 = 0,
        mode: UInt8 = 0, speed: UInt8 = 0, start: JT808Time, end: JT808Time
    ) {
        self.address = address
        self.channel = channel
        self.mediaType = mediaType
        self.stream = stream
        self.storage = storage
        self.mode = mode
        self.speed = speed
        self.start = start
        self.end = end
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        address = try JT1078Address(&reader)
        channel = try reader.byte("channel")
        mediaType = try reader.byte("mediaType")
        stream = try reader.byte("streamType")
        storage = try reader.byte("storage")
        mode = try reader.byte("mode")
        speed = try reader.byte("speed")
        start = try reader.time("start")
        end = try reader.time("end")
    }

    package func write(to writer: inout JT808Writer) {
        address.write(to: &writer)
        writer.write([channel, mediaType, stream, storage, mode, speed])
        writer.write(start)
        writer.write(end)
    }
}

/// 0x9202: command a playback.
package struct JT1078PlaybackControl: JT808Body {
    package var channel: UInt8
    /// 0 go on, 1 pause, 2 end, 3 fast forward, 4 backward by key frames, 5 seek, 6 key frames only.
    package var command: UInt8
    package var speed: UInt8
    /// Of a seek.
    package var position: JT808Time

    package init(channel: UInt8, command: UInt8, speed: UInt8 = 0, position: JT808Time = .none) {
        self.channel = channel
        self.command = command
        self.speed = speed
        self.position = position
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        channel = try reader.byte("channel")
        command = try reader.byte("command")
        speed = try reader.byte("speed")
        // Left out by some platforms where it means nothing.
        position = reader.count >= 6 ? try reader.time("position") : .none
    }

    package func write(to writer: inout JT808Writer) {
        writer.write([channel, command, speed])
        writer.write(position)
    }
}

/// 0x9206: bring recordings to an FTP server.
package struct JT1078UploadRequest: JT808Body {
    package var host: [UInt8]
    package var port: UInt16
    package var user: [UInt8]
    package var password: [UInt8]
    package var path: [UInt8]
    package var selection: JT1078Selection
    /// Bits: 0 over Wi-Fi, 1 over a cable, 2 over a mobile network.
    package var conditions: UInt8

    package init(
        host: [UInt8], port: UInt16, user: [UInt8], password: [UInt8], path: [UInt8], selection: JT1078Selection,
        conditions: UInt8
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.path = path
        self.selection = selection
        self.conditions = conditions
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        host = try reader.shortText("host")
        port = try reader.word("port")
        user = try reader.shortText("user")
        password = try reader.shortText("password")
        path = try reader.shortText("path")
        selection = try JT1078Selection(&reader)
        conditions = try reader.byte("condition")
    }

    package func write(to writer: inout JT808Writer) {
        writer.writeShort(host)
        writer.write(port)
        writer.writeShort(user)
        writer.writeShort(password)
        writer.writeShort(path)
        selection.write(to: &writer)
        writer.write(conditions)
    }
}

/// 0x1206: an upload is over.
package struct JT1078UploadResult: JT808Body {
    package var answers: UInt16
    /// 0 done, 1 failed.
    package var result: UInt8

    package init(answers: UInt16, result: UInt8) {
        self.answers = answers
        self.result = result
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        result = try reader.byte("result")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        writer.write(result)
    }
}

/// 0x9207: pause, go on with or give up an upload.
package struct JT1078UploadControl: JT808Body {
    /// The serial of its 0x9206.
    package var upload: UInt16
    /// 0 pause, 1 go on, 2 give up.
    package var control: UInt8

    package init(upload: UInt16, control: UInt8) {
        self.upload = upload
        self.control = control
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        upload = try reader.word("ackSerial")
        control = try reader.byte("control")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(upload)
        writer.write(control)
    }
}
