/// How long a stream's last pictures took at one stage of their way through the agent.
package struct StageReport: Codable, Sendable, Hashable {
    package enum Stage: String, Codable, Sendable, CaseIterable {
        /// From the driver's time stamp until the agent has the picture.
        case camera
        /// Conversion, turning, text.
        case prepare
        /// For the encoder.
        case wait
        /// Scaling and encoding.
        case encode
        /// Wrapping and caching.
        case publish
        /// To the event loop, and there to every consumer.
        case deliver
    }

    package var stage: Stage
    /// Microseconds.
    package var median: Int
    package var p99: Int
    package var maximum: Int
    /// What the figures are made of.
    package var pictures: Int

    package init(stage: Stage, median: Int, p99: Int, maximum: Int, pictures: Int) {
        self.stage = stage
        self.median = median
        self.p99 = p99
        self.maximum = maximum
        self.pictures = pictures
    }
}
