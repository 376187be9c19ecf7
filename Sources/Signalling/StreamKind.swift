/// What a visitor can have one of, of each channel.
package enum StreamKind: Sendable, Hashable, CaseIterable {
    case live, liveAudio, livePictures, playback, playbackAudio
}
