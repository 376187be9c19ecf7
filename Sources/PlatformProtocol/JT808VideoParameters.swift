/// How one kind of stream is encoded, as parameters 0x0075 and 0x0077 say it: nine bytes.
package struct JT808Encoding: Sendable, Hashable {
    /// 0 constant, 1 variable, 2 average bit rate.
    package var mode: UInt8
    /// 0 QCIF, 1 CIF, 2 WCIF, 3 D1, 4 WD1, 5 720p, 6 1080p; from 100 on, the maker's own.
    package var resolution: UInt8
    /// In pictures.
    package var keyFrameInterval: UInt16
    package var frameRate: UInt8
    /// Kilobits a second.
    package var bitrate: UInt32

    package init(mode: UInt8, resolution: UInt8, keyFrameInterval: UInt16, frameRate: UInt8, bitrate: UInt32) {
        self.mode = mode
        self.resolution = resolution
        self.keyFrameInterval = keyFrameInterval
        self.frameRate = frameRate
        self.bitrate = bitrate
    }

    init(_ reader: inout JT808Reader) throws(JT808Error) {
        mode = try reader.byte("encoding mode")
        resolution = try reader.byte("resolution")
        keyFrameInterval = try reader.word("key frame interval")
        frameRate = try reader.byte("frame rate")
        bitrate = try reader.double("bit rate")
    }

    func write(to writer: inout JT808Writer) {
        writer.write(mode)
        writer.write(resolution)
        writer.write(keyFrameInterval)
        writer.write(frameRate)
        writer.write(bitrate)
    }
}

/// What 0x0075 says of all channels, and each entry of 0x0077 of one.
package struct JT808VideoSettings: Sendable, Hashable {
    package var live: JT808Encoding
    package var stored: JT808Encoding
    /// What is written into the picture, by bits.
    package var osd: UInt16

    package init(live: JT808Encoding, stored: JT808Encoding, osd: UInt16) {
        self.live = live
        self.stored = stored
        self.osd = osd
    }

    init(_ reader: inout JT808Reader) throws(JT808Error) {
        live = try JT808Encoding(&reader)
        stored = try JT808Encoding(&reader)
        osd = try reader.word("osd")
    }

    func write(to writer: inout JT808Writer) {
        live.write(to: &writer)
        stored.write(to: &writer)
        writer.write(osd)
    }
}

/// 0x0075.
package struct JT808AudioVideoParameter: JT808Body {
    package var settings: JT808VideoSettings
    package var audioOutput: UInt8

    package init(settings: JT808VideoSettings, audioOutput: UInt8) {
        self.settings = settings
        self.audioOutput = audioOutput
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        settings = try JT808VideoSettings(&reader)
        audioOutput = try reader.byte("audio output")
    }

    package func write(to writer: inout JT808Writer) {
        settings.write(to: &writer)
        writer.write(audioOutput)
    }
}

/// 0x0076: which channels there are.
package struct JT808ChannelTable: JT808Body {
    package struct Entry: Sendable, Hashable {
        /// From 1.
        package var physical: UInt8
        package var logical: UInt8
        /// 0 both, 1 sound, 2 pictures.
        package var type: UInt8
        package var hasPTZ: UInt8

        package init(physical: UInt8, logical: UInt8, type: UInt8, hasPTZ: UInt8) {
            self.physical = physical
            self.logical = logical
            self.type = type
            self.hasPTZ = hasPTZ
        }
    }

    /// With sound and pictures, with sound, and with pictures only.
    package var counts: (both: UInt8, audio: UInt8, video: UInt8) { (both, audio, video) }
    private var both: UInt8
    private var audio: UInt8
    private var video: UInt8
    package var entries: [Entry]

    package init(_ entries: [Entry]) {
        self.entries = entries
        func count(_ type: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: entries.count { $0.type == type }) }
        (both, audio, video) = (count(0), count(1), count(2))
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        both = try reader.byte("both")
        audio = try reader.byte("audio")
        video = try reader.byte("video")
        entries = []
        for _ in 0..<(Int(both) + Int(audio) + Int(video)) {
            entries.append(
                Entry(
                    physical: try reader.byte("physical"), logical: try reader.byte("logical"),
                    type: try reader.byte("type"), hasPTZ: try reader.byte("ptz")))
        }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write([both, audio, video])
        for entry in entries { writer.write([entry.physical, entry.logical, entry.type, entry.hasPTZ]) }
    }
}

/// 0x0077: settings of single channels.
package struct JT808ChannelVideo: JT808Body {
    package struct Entry: Sendable, Hashable {
        package var logical: UInt8
        package var settings: JT808VideoSettings

        package init(logical: UInt8, settings: JT808VideoSettings) {
            self.logical = logical
            self.settings = settings
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        entries = []
        for _ in 0..<(try reader.byte("count")) {
            entries.append(
                Entry(logical: try reader.byte("logical"), settings: try JT808VideoSettings(&reader)))
        }
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(UInt8(min(entries.count, 255)))
        for entry in entries.prefix(255) {
            writer.write(entry.logical)
            entry.settings.write(to: &writer)
        }
    }
}
