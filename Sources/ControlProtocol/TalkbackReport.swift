/// Talking through the device's speaker, as `status` tells it.
package struct TalkbackReport: Codable, Sendable, Hashable {
    /// The talk that is going on.
    package struct Talk: Codable, Sendable, Hashable {
        /// Who talks, such as an address and port.
        package var from: String
        /// pcm, flv or samples; nil before anything came.
        package var form: String?
        package var seconds: Double
        package var bytes: Int
        /// Of the sound that came, samples a second.
        package var rate: Int
        /// From a sample's coming to its being heard: now, and the longest so far.
        package var delayMilliseconds: Int
        package var longestDelayMilliseconds: Int
        package var playedMilliseconds: Int
        /// Silence played because nothing was there, and how often.
        package var silenceMilliseconds: Int
        package var underruns: Int
        /// What came too late or was too much.
        package var droppedMilliseconds: Int
        package var lostFrames: Int
        package var speakerUnderruns: Int

        package init(
            from: String, form: String?, seconds: Double, bytes: Int, rate: Int, delayMilliseconds: Int,
            longestDelayMilliseconds: Int, playedMilliseconds: Int, silenceMilliseconds: Int, underruns: Int,
            droppedMilliseconds: Int, lostFrames: Int, speakerUnderruns: Int
        ) {
            self.from = from
            self.form = form
            self.seconds = seconds
            self.bytes = bytes
            self.rate = rate
            self.delayMilliseconds = delayMilliseconds
            self.longestDelayMilliseconds = longestDelayMilliseconds
            self.playedMilliseconds = playedMilliseconds
            self.silenceMilliseconds = silenceMilliseconds
            self.underruns = underruns
            self.droppedMilliseconds = droppedMilliseconds
            self.lostFrames = lostFrames
            self.speakerUnderruns = speakerUnderruns
        }
    }

    /// How well a channel's microphone is freed of the speaker's echo.
    package struct Echo: Codable, Sendable, Hashable {
        package var channel: Int
        /// The echo comes so much later than the devices say; nil before that is known.
        package var delayMilliseconds: Int?
        /// By how many decibels the echo is lowered; nil before anybody talked.
        package var lossDecibels: Double?
        package var realignments: Int

        package init(channel: Int, delayMilliseconds: Int?, lossDecibels: Double?, realignments: Int) {
            self.channel = channel
            self.delayMilliseconds = delayMilliseconds
            self.lossDecibels = lossDecibels
            self.realignments = realignments
        }
    }

    /// As configured: a device's name, or "auto".
    package var speaker: String
    /// Since the agent started.
    package var talks: Int
    package var refused: Int
    /// Nil while nobody talks.
    package var talk: Talk?
    /// Of channels whose microphones' echo is cancelled.
    package var echoes: [Echo]

    package init(speaker: String, talks: Int, refused: Int, talk: Talk?, echoes: [Echo]) {
        self.speaker = speaker
        self.talks = talks
        self.refused = refused
        self.talk = talk
        self.echoes = echoes
    }
}

/// How a talk went; the answer to `POST /voice` when it is over.
package struct TalkEndReport: Codable, Sendable, Hashable {
    /// Such as "finished", "idle", "hung up".
    package var cause: String
    package var talk: TalkbackReport.Talk

    package init(cause: String, talk: TalkbackReport.Talk) {
        self.cause = cause
        self.talk = talk
    }
}
