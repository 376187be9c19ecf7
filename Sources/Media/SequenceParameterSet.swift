/// What is of use in an H.264 sequence parameter set (7.3.2.1.1).
package struct SequenceParameterSet: Sendable, Hashable {
    package let profile: UInt8
    package let compatibility: UInt8
    package let level: UInt8
    package let chromaFormat: UInt8
    package let lumaDepth: UInt8
    package let chromaDepth: UInt8
    /// After cropping.
    package let size: PictureSize

    /// Profiles whose sets carry chroma format and bit depths.
    package static let highProfiles: Set<UInt8> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

    /// Reads a NAL unit of type 7. Nil where it is not one, breaks off or makes no sense.
    package init?(nal: some Collection<UInt8>) {
        guard let first = nal.first, first & 0x1F == H264.NALType.sps else { return nil }
        var bits = BitReader(Self.withoutEmulationPrevention(nal.dropFirst()))
        guard let profile = bits.read(8), let compatibility = bits.read(8), let level = bits.read(8),
            bits.unsigned() != nil
        else { return nil }
        self.profile = UInt8(profile)
        self.compatibility = UInt8(compatibility)
        self.level = UInt8(level)

        var chroma: UInt32 = 1
        var lumaDepth: UInt32 = 0
        var chromaDepth: UInt32 = 0
        var separatePlanes = false
        if Self.highProfiles.contains(self.profile) {
            guard let format = bits.unsigned(), format <= 3 else { return nil }
            chroma = format
            if format == 3 {
                guard let flag = bits.flag() else { return nil }
                separatePlanes = flag
            }
            guard let luma = bits.unsigned(), luma <= 6, let chromaBits = bits.unsigned(), chromaBits <= 6,
                bits.flag() != nil, let hasScaling = bits.flag()
            else { return nil }
            (lumaDepth, chromaDepth) = (luma, chromaBits)
            if hasScaling {
                for list in 0..<(format == 3 ? 12 : 8) {
                    guard let present = bits.flag() else { return nil }
                    if present, !Self.skipScalingList(&bits, count: list < 6 ? 16 : 64) { return nil }
                }
            }
        }
        self.chromaFormat = UInt8(chroma)
        self.lumaDepth = UInt8(lumaDepth)
        self.chromaDepth = UInt8(chromaDepth)

        guard bits.unsigned() != nil, let orderType = bits.unsigned() else { return nil }
        if orderType == 0 {
            guard bits.unsigned() != nil else { return nil }
        } else if orderType == 1 {
            guard bits.flag() != nil, bits.signed() != nil, bits.signed() != nil, let cycle = bits.unsigned(),
                cycle <= 255
            else { return nil }
            for _ in 0..<cycle { guard bits.signed() != nil else { return nil } }
        }
        guard bits.unsigned() != nil, bits.flag() != nil, let widthUnits = bits.unsigned(),
            let heightUnits = bits.unsigned(), widthUnits < 1024, heightUnits < 1024, let framesOnly = bits.flag()
        else { return nil }
        if !framesOnly { guard bits.flag() != nil else { return nil } }
        guard bits.flag() != nil, let cropped = bits.flag() else { return nil }

        var width = (Int(widthUnits) + 1) * 16
        var height = (Int(heightUnits) + 1) * 16 * (framesOnly ? 1 : 2)
        if cropped {
            guard let left = bits.unsigned(), let right = bits.unsigned(), let top = bits.unsigned(),
                let bottom = bits.unsigned(), left < 16384, right < 16384, top < 16384, bottom < 16384
            else { return nil }
            let monochrome = chroma == 0 || separatePlanes
            let unitX = monochrome || chroma == 3 ? 1 : 2
            let unitY = (monochrome || chroma != 1 ? 1 : 2) * (framesOnly ? 1 : 2)
            width -= Int(left + right) * unitX
            height -= Int(top + bottom) * unitY
        }
        guard width > 0, height > 0 else { return nil }
        size = PictureSize(width: width, height: height)
    }

    private static func skipScalingList(_ bits: inout BitReader, count: Int) -> Bool {
        var last: Int32 = 8
        var next: Int32 = 8
        for _ in 0..<count {
            if next != 0 {
                guard let delta = bits.signed(), (-128...127).contains(delta) else { return false }
                next = (last + delta + 256) % 256
            }
            last = next == 0 ? last : next
        }
        return true
    }

    /// Takes the 3 out of every 0, 0, 3 (7.4.1).
    private static func withoutEmulationPrevention(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        var zeros = 0
        for byte in bytes {
            if zeros >= 2, byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            plain.append(byte)
        }
        return plain
    }
}
