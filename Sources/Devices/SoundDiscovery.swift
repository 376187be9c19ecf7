import CALSA

/// A microphone or a speaker that this machine has.
package struct SoundDevice: Sendable, Hashable {
    /// What to write into the configuration, such as plughw:CARD=Loopback,DEV=1: the card by its name, with conversion.
    package let device: String
    package let name: String
}

/// Finds sound devices that capture or play.
package enum SoundDiscovery {
    package static func microphones() -> [SoundDevice] { devices(SND_PCM_STREAM_CAPTURE) }
    package static func speakers() -> [SoundDevice] { devices(SND_PCM_STREAM_PLAYBACK) }

    private static func devices(_ direction: snd_pcm_stream_t) -> [SoundDevice] {
        var found: [SoundDevice] = []
        var card: Int32 = -1
        while snd_card_next(&card) == 0, card >= 0 { found += devices(direction, card: card) }
        return found
    }

    private static func devices(_ direction: snd_pcm_stream_t, card: Int32) -> [SoundDevice] {
        var control: OpaquePointer?
        guard snd_ctl_open(&control, "hw:\(card)", 0) == 0, let control else { return [] }
        defer { snd_ctl_close(control) }
        var cardInfo: OpaquePointer?
        snd_ctl_card_info_malloc(&cardInfo)
        defer { snd_ctl_card_info_free(cardInfo) }
        guard snd_ctl_card_info(control, cardInfo) == 0 else { return [] }
        let id = snd_ctl_card_info_get_id(cardInfo).map { String(cString: $0) } ?? "\(card)"

        var info: OpaquePointer?
        snd_pcm_info_malloc(&info)
        defer { snd_pcm_info_free(info) }
        var found: [SoundDevice] = []
        var device: Int32 = -1
        while snd_ctl_pcm_next_device(control, &device) == 0, device >= 0 {
            snd_pcm_info_set_device(info, UInt32(device))
            snd_pcm_info_set_subdevice(info, 0)
            snd_pcm_info_set_stream(info, direction)
            guard snd_ctl_pcm_info(control, info) == 0 else { continue }
            let name = snd_pcm_info_get_name(info).map { String(cString: $0) } ?? ""
            found.append(SoundDevice(device: "plughw:CARD=\(id),DEV=\(device)", name: name))
        }
        return found
    }
}
