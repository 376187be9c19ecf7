/// IMA ADPCM, mono (Intel/DVI, "IMA Digital Audio Focus and Technical Working Groups", 1992): a block's state in four
/// bytes (predictor, little-endian; step index; one spare), then two samples a byte, low half first.
package enum IMAADPCM {
    private static let steps: [Int] = [
        7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97,
        107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796,
        876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871,
        5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623,
        27086, 29794, 32767,
    ]
    private static let moves = [-1, -1, -1, -1, 2, 4, 6, 8]

    /// Nothing of a block without its state.
    package static func decode(_ block: some Collection<UInt8>) -> [Int16] {
        var bytes = block.makeIterator()
        guard let low = bytes.next(), let high = bytes.next(), let first = bytes.next(), bytes.next() != nil else {
            return []
        }
        var predictor = Int(Int16(bitPattern: UInt16(high) << 8 | UInt16(low)))
        var index = min(Int(first), steps.count - 1)
        var samples: [Int16] = []
        samples.reserveCapacity(block.count * 2)
        while let byte = bytes.next() {
            for code in [Int(byte & 15), Int(byte >> 4)] {
                let step = steps[index]
                var change = step >> 3
                if code & 4 != 0 { change += step }
                if code & 2 != 0 { change += step >> 1 }
                if code & 1 != 0 { change += step >> 2 }
                predictor = min(max(predictor + (code & 8 != 0 ? -change : change), -32768), 32767)
                index = min(max(index + moves[code & 7], 0), steps.count - 1)
                samples.append(Int16(predictor))
            }
        }
        return samples
    }
}
