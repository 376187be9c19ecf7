import Media

/// One pixel format of a camera with the sizes and rates it comes in.
package struct CameraFormat: Sendable, Hashable {
    /// A size, and how fast pictures of it come.
    package struct Mode: Sendable, Hashable {
        package let size: PictureSize
        /// Pictures a second, the fastest first. Empty where the driver does not tell.
        package let rates: [Double]

        package init(size: PictureSize, rates: [Double]) {
            self.size = size
            self.rates = rates
        }
    }

    package let fourCC: FourCC
    package let description: String
    /// Converted by libv4l2 out of another format.
    package let isEmulated: Bool
    package let modes: [Mode]

    package init(fourCC: FourCC, description: String, isEmulated: Bool, modes: [Mode]) {
        self.fourCC = fourCC
        self.description = description
        self.isEmulated = isEmulated
        self.modes = modes
    }
}

/// Picks what a camera is asked for: first what fits in size and rate, then what costs the least to encode.
package struct CameraFormatChoice: Sendable, Hashable {
    package let fourCC: FourCC
    package let size: PictureSize

    package init(fourCC: FourCC, size: PictureSize) {
        self.fourCC = fourCC
        self.size = size
    }

    /// - Parameter passThrough: whether H.264 from the camera itself may be used as it is.
    package static func choose(
        from formats: [CameraFormat], size: PictureSize, frameRate: Double, passThrough: Bool
    ) -> CameraFormatChoice? {
        var best: (choice: CameraFormatChoice, cost: [Double])?
        for format in formats {
            guard let effort = effort(of: format, passThrough: passThrough) else { continue }
            for mode in format.modes where mode.size.width >= 16 && mode.size.height >= 16 {
                // A camera that does not tell its rates is believed to reach the one asked for.
                let rate = mode.rates.max() ?? frameRate
                let tooSlow = rate < frameRate * 0.99 ? 1 - rate / frameRate : 0
                let cost = [sizeMismatch(mode.size, size), tooSlow, effort]
                if best.map({ cost.lexicographicallyPrecedes($0.cost) }) ?? true {
                    best = (CameraFormatChoice(fourCC: format.fourCC, size: mode.size), cost)
                }
            }
        }
        return best?.choice
    }

    /// Nil for formats that cannot be used.
    private static func effort(of format: CameraFormat, passThrough: Bool) -> Double? {
        let base: Double? =
            switch format.fourCC {
            case .h264: passThrough ? 0 : nil
            case .nv12, .yu12: 1
            case .yuyv, .uyvy: 2
            case .mjpeg, .jpeg: 3
            default: nil
            }
        return base.map { format.isEmulated ? $0 + 10 : $0 }
    }

    /// 0 for the size itself, up to 1 for larger ones, which lose nothing, and above 1 for smaller ones.
    private static func sizeMismatch(_ offered: PictureSize, _ wanted: PictureSize) -> Double {
        if offered == wanted { return 0 }
        if offered.width >= wanted.width, offered.height >= wanted.height {
            return 1 - Double(wanted.pixels) / Double(offered.pixels)
        }
        return 2 - Double(min(offered.pixels, wanted.pixels)) / Double(wanted.pixels)
    }
}
