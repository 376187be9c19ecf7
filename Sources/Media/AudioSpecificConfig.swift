/// The two bytes that tell an AAC-LC decoder rate and channels (ISO/IEC 14496-3, 1.6.2.1).
package struct AudioSpecificConfig: Sendable, Hashable {
    package let rate: Int
    package let channels: Int

    package static let rates = [
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
    ]

    /// Nil for a rate without an index of its own or for other than one or two channels.
    package init?(rate: Int, channels: Int) {
        guard Self.rates.contains(rate), (1...2).contains(channels) else { return nil }
        self.rate = rate
        self.channels = channels
    }

    /// Reads object type 2 (AAC-LC), also with extensions behind it. Nil for anything else.
    package init?(bytes: some Sequence<UInt8>) {
        var bits = BitReader(bytes)
        guard let type = bits.read(5), type == 2, let index = bits.read(4) else { return nil }
        if index == 15 {
            guard let explicit = bits.read(24) else { return nil }
            rate = Int(explicit)
        } else {
            guard Int(index) < Self.rates.count else { return nil }
            rate = Self.rates[Int(index)]
        }
        guard rate > 0, let channels = bits.read(4), (1...2).contains(channels) else { return nil }
        self.channels = Int(channels)
    }

    package var bytes: [UInt8] {
        let index = Self.rates.firstIndex(of: rate) ?? 15
        return [UInt8(2 << 3 | index >> 1), UInt8((index & 1) << 7 | channels << 3)]
    }
}
