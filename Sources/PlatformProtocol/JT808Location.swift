/// 0x0200: where a terminal is and how it does.
package struct JT808Location: JT808Body {
    package struct Extra: Sendable, Hashable {
        package var id: UInt8
        package var value: [UInt8]

        package init(id: UInt8, value: [UInt8]) {
            self.id = id
            self.value = value
        }

        /// Four bytes.
        package init(id: UInt8, number: UInt32) {
            self.init(id: id, value: withUnsafeBytes(of: number.bigEndian) { Array($0) })
        }
    }

    package enum ExtraID {
        package static let videoAlarms: UInt8 = 0x14
        package static let signalLost: UInt8 = 0x15
        package static let storageFaults: UInt8 = 0x17
    }

    package enum Status {
        package static let isOn: UInt32 = 1 << 0
        package static let hasPosition: UInt32 = 1 << 1
        package static let isSouth: UInt32 = 1 << 2
        package static let isWest: UInt32 = 1 << 3
        package static let usesGPS: UInt32 = 1 << 18
    }

    package enum Alarm {
        package static let cameraFault: UInt32 = 1 << 11
    }

    package enum VideoAlarm {
        package static let signalLost: UInt32 = 1 << 0
        package static let storageFault: UInt32 = 1 << 2
    }

    package var alarms: UInt32
    package var status: UInt32
    /// Millionths of a degree, without sign.
    package var latitude: UInt32
    package var longitude: UInt32
    /// Metres.
    package var altitude: UInt16
    /// Tenths of a kilometre an hour.
    package var speed: UInt16
    /// Degrees, clockwise from north.
    package var direction: UInt16
    package var time: JT808Time
    package var extras: [Extra]

    package init(
        alarms: UInt32 = 0, status: UInt32 = 0, latitude: UInt32 = 0, longitude: UInt32 = 0, altitude: UInt16 = 0,
        speed: UInt16 = 0, direction: UInt16 = 0, time: JT808Time, extras: [Extra] = []
    ) {
        self.alarms = alarms
        self.status = status
        self.latitude = latitude
        self.longitude = longitude
        self.altitude = altitude
        self.speed = speed
        self.direction = direction
        self.time = time
        self.extras = extras
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        alarms = try reader.double("alarm")
        status = try reader.double("status")
        latitude = try reader.double("lat")
        longitude = try reader.double("lon")
        altitude = try reader.word("altitude")
        speed = try reader.word("speed01kmh")
        direction = try reader.word("direction")
        time = try reader.time("time")
        extras = []
        while !reader.isAtEnd {
            extras.append(Extra(id: try reader.byte("id"), value: try reader.shortText("extra")))
        }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(alarms)
        writer.write(status)
        writer.write(latitude)
        writer.write(longitude)
        writer.write(altitude)
        writer.write(speed)
        writer.write(direction)
        writer.write(time)
        for extra in extras {
            writer.write(extra.id)
            writer.writeShort(extra.value)
        }
    }
}

/// 0x0201: the same on demand.
package struct JT808LocationAnswer: JT808Body {
    package var answers: UInt16
    package var location: JT808Location

    package init(answers: UInt16, location: JT808Location) {
        self.answers = answers
        self.location = location
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        location = try JT808Location(&reader)
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        location.write(to: &writer)
    }
}
