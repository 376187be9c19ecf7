import Media

/// How well a microphone's echo is taken out.
package struct EchoReport: Sendable, Hashable {
    /// The echo comes so much later than the speaker's own clock says; nil before that is known, or where it need not be.
    package var delay: MediaTime?
    /// Echo return loss enhancement: by how many decibels what the microphone hears is lowered while the far end
    /// speaks, over the last seconds. Low also where the near end speaks at the same time. Nil before anybody spoke.
    package var lossDecibels: Double?
    /// How often the two had to be brought together anew, because a device was held up.
    package var realignments = 0
}
