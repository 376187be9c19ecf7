import Media

/// What MP4Writer and MP4Reader agree on. Every limit holds for both, so what one writes the other reads.
package enum MP4 {
    /// Samples of all tracks together: at 25 pictures and 16 sound frames a second more than three hours.
    package static let maximumSamples = 1 << 19
    /// Bytes of one sample: 8 MiB.
    package static let maximumSampleLength = 8 << 20
    /// From one sample of a track to the next.
    package static let maximumGap = MediaTime.seconds(3600)
    /// From the file's time 0 to the end of the last sample.
    package static let maximumDuration = MediaTime.seconds(7 * 86400)
    /// How much earlier than the file's time 0 sound may begin. Its samples' times in the fragments are shifted by
    /// this much, since decode times have no sign there.
    package static let maximumLead = MediaTime.seconds(1)
    /// Samples of one fragment, both tracks together.
    package static let maximumFragmentSamples = 1000
    /// Buffers of one append: IOV_MAX of Linux.
    package static let maximumBuffers = 1024

    /// Ticks a second of pictures and of the movie: divides evenly by all usual picture rates (ISO/IEC 14496-12, 8.4.2).
    package static let videoTimescale = 90_000

    /// Of each kind of track, the same in the fragments and at the end.
    static func trackID(_ kind: MediaKind) -> UInt32 { kind == .video ? 1 : 2 }
}
