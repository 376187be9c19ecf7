import Media

/// Changes a microphone's sound before it is encoded, such as taking the speaker's echo out of it.
package protocol AudioProcessor: Sendable {
    /// Called on the microphone's thread with each buffer as it was captured, in order. What comes out may be less, or
    /// more by what was held back before, with the time of its first sample.
    func process(_ buffer: inout SampleBuffer)
}
