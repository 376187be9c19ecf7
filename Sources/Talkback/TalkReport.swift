import Media

/// How a talk is going.
package struct TalkReport: Sendable, Hashable {
    /// What the sender sends.
    package enum Form: String, Sendable {
        case pcm
        case flv
        /// Samples that somebody else has decoded.
        case samples
    }

    package var holder: TalkHolder
    /// The sender's name for people, such as an address.
    package var source: String
    /// Nil before anything came.
    package var form: Form?
    /// How long the talk has been going on.
    package var duration: MediaTime
    package var bytes: Int
    package var figures: TalkFigures
}

/// What became of a talk's sound.
package struct TalkFigures: Sendable, Hashable {
    /// The sound's own samples a second; 0 before any came.
    package var rate = 0
    /// From a sample's arrival to its being heard, as of now.
    package var delay = MediaTime.zero
    /// The longest that was.
    package var longestDelay = MediaTime.zero
    package var played = MediaTime.zero
    /// Silence played because nothing was there in time.
    package var silence = MediaTime.zero
    /// How often sound ran out.
    package var underruns = 0
    /// Sound that came too late or was too much, let go.
    package var dropped = MediaTime.zero
    /// Frames that got lost on the way, or that the decoder refused.
    package var lostFrames = 0
    /// How often the speaker itself ran out of samples, which is the agent's or the machine's fault.
    package var speakerUnderruns = 0
}
