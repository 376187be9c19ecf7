import PlatformProtocol

/// How a fleet platform finds a stream again in JT/T 1078 packets, and how its sound is encoded: what a target of the
/// scheme `jt1078` says behind the host.
///
/// `jt1078://host[:port]/SIM/channel[?sim=6|10&audio=aac|g711a]`, and the same with `jt1078+udp://`.
package struct JT1078Stream: Sendable, Hashable {
    package var sim: PhoneNumber
    /// Bytes of the SIM number in each packet: 6, or 10 as terminals of 2019 write it.
    package var simLength: Int
    /// Logical.
    package var channel: UInt8
    package var audio: JT1078Audio

    package init(sim: PhoneNumber, simLength: Int = 6, channel: UInt8, audio: JT1078Audio = .aac) {
        self.sim = sim
        self.simLength = simLength
        self.channel = channel
        self.audio = audio
    }

    /// Nil where path or query say something else.
    init?(path: String, query: String?) {
        let parts = path.split(separator: "/")
        guard parts.count == 2, let sim = PhoneNumber(parts[0]), let channel = UInt8(parts[1]) else { return nil }
        self.init(sim: sim, channel: channel)
        for pair in (query ?? "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1)
            guard sides.count == 2 else { return nil }
            switch (sides[0], sides[1]) {
            case ("sim", "6"): simLength = 6
            case ("sim", "10"): simLength = 10
            case ("audio", let name):
                guard let audio = JT1078Audio(rawValue: String(name)) else { return nil }
                self.audio = audio
            default: return nil
            }
        }
        guard sim.digits.count <= simLength * 2 else { return nil }
    }

    /// Behind the host.
    package var path: String { "/\(sim)/\(channel)?sim=\(simLength)&audio=\(audio.rawValue)" }
}
