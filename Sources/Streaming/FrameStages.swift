import Media

/// The stages of a picture's way through the agent, in their order.
package enum FrameStage: String, Sendable, CaseIterable {
    /// From the driver's time stamp until the agent has the picture.
    case camera
    /// Conversion, turning, text.
    case prepare
    /// In the encoder's inbox.
    case wait
    /// Scaling and encoding.
    case encode
    /// Into the hub: wrapping, caching.
    case publish
    /// To the event loop, and there to every consumer.
    case deliver
}

/// How long pictures took lately at each stage.
package struct StageTimes: Sendable, Hashable {
    package var stage: FrameStage
    /// Microseconds.
    package var median: Int
    package var p99: Int
    package var maximum: Int
    /// What the figures are made of; the last `StageMeter.window` at most.
    package var pictures: Int

    package init(stage: FrameStage, median: Int, p99: Int, maximum: Int, pictures: Int) {
        self.stage = stage
        self.median = median
        self.p99 = p99
        self.maximum = maximum
        self.pictures = pictures
    }
}

/// How long encoding took, all pictures since the stream began, as a histogram.
package struct EncodeHistogram: Sendable, Hashable {
    /// Upper ends of the buckets, in microseconds; what takes longer is in `count` only.
    package static let bounds = [1000, 2000, 5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000]

    /// Pictures that took as long as the bound or less: each bucket holds those before it.
    package private(set) var cumulative = [Int](repeating: 0, count: bounds.count)
    package private(set) var count = 0
    package private(set) var seconds = 0.0

    package init() {}

    package mutating func add(_ time: MediaTime) {
        let microseconds = Int(time.microseconds)
        for (index, bound) in Self.bounds.enumerated() where microseconds <= bound { cumulative[index] += 1 }
        count += 1
        seconds += time.seconds
    }
}

/// Keeps the times of the last pictures, in fixed memory.
package struct StageMeter: Sendable {
    /// Pictures; ten seconds and more.
    package static let window = 256

    package init() {}

    private var rings = [[Int32]](repeating: [], count: FrameStage.allCases.count)
    private var next = [Int](repeating: 0, count: FrameStage.allCases.count)

    package mutating func add(_ stage: FrameStage, _ time: MediaTime) {
        let index = Self.index(stage)
        let microseconds = Int32(clamping: max(time.microseconds, 0))
        if rings[index].count < Self.window {
            rings[index].append(microseconds)
        } else {
            rings[index][next[index]] = microseconds
        }
        next[index] = (next[index] + 1) % Self.window
    }

    /// Stages that no picture went through are left out.
    package var times: [StageTimes] {
        FrameStage.allCases.compactMap { stage in
            let sorted = rings[Self.index(stage)].sorted()
            guard let last = sorted.last else { return nil }
            return StageTimes(
                stage: stage, median: Int(sorted[(sorted.count - 1) / 2]),
                p99: Int(sorted[(sorted.count * 99 + 99) / 100 - 1]),
                maximum: Int(last), pictures: sorted.count)
        }
    }

    private static func index(_ stage: FrameStage) -> Int { FrameStage.allCases.firstIndex(of: stage) ?? 0 }
}
