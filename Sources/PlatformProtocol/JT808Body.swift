/// What a message carries. Bytes behind the last field are passed over, as platforms add some.
package protocol JT808Body: Sendable, Hashable {
    init(_ reader: inout JT808Reader) throws(JT808Error)
    func write(to writer: inout JT808Writer)
}

/// Of a general answer.
package enum JT808Result: UInt8, Sendable, Hashable {
    case done = 0
    case failed = 1
    case badMessage = 2
    case unsupported = 3
    /// Only from platforms.
    case alarmHandled = 4
}

/// 0x0001 and 0x8001: the answer where a message has none of its own.
package struct JT808GeneralAnswer: JT808Body {
    package var answers: UInt16
    package var id: UInt16
    /// A `JT808Result`, or what a platform made up.
    package var result: UInt8

    package init(answers: UInt16, id: UInt16, result: JT808Result) {
        self.answers = answers
        self.id = id
        self.result = result.rawValue
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        id = try reader.word("ackId")
        result = try reader.byte("result")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        writer.write(id)
        writer.write(result)
    }
}

/// 0x8003, and 0x0005 the other way: pieces of a long message that did not arrive.
package struct JT808ResendRequest: JT808Body {
    package var firstSerial: UInt16
    package var indices: [UInt16]

    package init(firstSerial: UInt16, indices: [UInt16]) {
        self.firstSerial = firstSerial
        self.indices = indices
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        firstSerial = try reader.word("firstSerial")
        let count = reader.version == .v2013 ? Int(try reader.byte("count")) : Int(try reader.word("count"))
        guard count * 2 <= reader.count else { throw .truncated("packets") }
        indices = []
        for _ in 0..<count { indices.append(try reader.word("packets")) }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(firstSerial)
        let listed = writer.version == .v2013 ? indices.prefix(255) : indices.prefix(65535)
        if writer.version == .v2013 { writer.write(UInt8(listed.count)) } else { writer.write(UInt16(listed.count)) }
        for index in listed { writer.write(index) }
    }
}

/// 0x8004: the platform's clock.
package struct JT808TimeAnswer: JT808Body {
    /// In UTC, unlike all other times.
    package var time: JT808Time

    package init(time: JT808Time) { self.time = time }
    package init(_ reader: inout JT808Reader) throws(JT808Error) { time = try reader.time("time") }
    package func write(to writer: inout JT808Writer) { writer.write(time) }
}

/// 0x8202: follow the terminal more closely for a while.
package struct JT808Tracking: JT808Body {
    /// Seconds; 0 ends it.
    package var interval: UInt16
    /// Seconds.
    package var validity: UInt32

    package init(interval: UInt16, validity: UInt32) {
        self.interval = interval
        self.validity = validity
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        interval = try reader.word("interval")
        // Not sent where tracking is to end.
        validity = reader.isAtEnd ? 0 : try reader.double("validity")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(interval)
        writer.write(validity)
    }
}
