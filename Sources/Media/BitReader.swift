/// Reads bits, most significant first, and the Exp-Golomb numbers of H.264 (9.1). Nil past the end.
package struct BitReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    package var bitsLeft: Int { bytes.count * 8 - position }

    package mutating func read(_ count: Int) -> UInt32? {
        guard count <= 32, bitsLeft >= count else { return nil }
        var value: UInt32 = 0
        for _ in 0..<count {
            value = value << 1 | UInt32(bytes[position >> 3] >> (7 - UInt8(position & 7)) & 1)
            position += 1
        }
        return value
    }

    package mutating func flag() -> Bool? { read(1).map { $0 == 1 } }

    /// ue(v)
    package mutating func unsigned() -> UInt32? {
        var zeros = 0
        while let bit = read(1) {
            if bit == 1 { return zeros == 0 ? 0 : read(zeros).map { (1 << UInt32(zeros)) - 1 + $0 } }
            zeros += 1
            if zeros > 31 { return nil }
        }
        return nil
    }

    /// se(v)
    package mutating func signed() -> Int32? {
        unsigned().map { $0 & 1 == 1 ? Int32($0 / 2) + 1 : -Int32($0 / 2) }
    }
}
