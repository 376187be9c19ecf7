import Configuration
import Testing

/// A configuration may be anything: a million broken ones must each end in a result or in mistakes with a place.
@Suite struct ConfigurationMutationTests {
    private static let seeds = [
        "channels:\n- id: 1\n  name: Front\n  video: {source: v4l2, size: 1280x720, controls: {other: {0x1: 2}}}\n",
        "channels: [{main: {bitrate: 90000, tune: \"zerolatency,grain\"}, sub: false, overlay: {text: '{name}'}}]\n",
        "server:\n  port: 80\n  allowedOrigins: [a, \"*\"]\n  viewerQueue: {seconds: 1.5}\npush:\n  adaptBitrate: true\n",
        "# c\n---\nlog: {level: info}\nstate:\n  folder: /a\ncontrol: {socket: /b}\npush: {defaultTarget: >-\n  rtmp://h/a}\n",
        "channels:\n- audio: {source: file, file: /w, rate: 44100, channels: 2, syntheticDrift: -1e2}\n- video:\n    source: file\n    file: |-\n      /x\n",
    ].map { Array($0.utf8) }

    private static let words = [
        "- ", ": ", "\n", "\n  ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!!str ", "| \n", ">-\n", "? ", "#",
        "---\n",
        "...\n", "%YAML 1.1\n", "null", "~", "1e999", "-0", "nan", "99999999999999999999", "\t", "\u{0}", "\u{85}",
        "\u{feff}", "<<: ", "0x", "\u{2028}", "channels:", "main:", "id: 1\n", "\\x41",
    ].map { Array($0.utf8) }

    /// xorshift64*: the same mutations each time.
    private struct Random {
        var state: UInt64
        mutating func next(_ bound: Int) -> Int {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
        }
    }

    @Test(arguments: [1, 2])
    func halfAMillionBrokenTexts(seed: UInt64) {
        var random = Random(state: seed &* 0x9e37_79b9_7f4a_7c15)
        var (good, bad, placeless) = (0, 0, 0)
        for _ in 0..<500_000 {
            var text = Self.seeds[random.next(Self.seeds.count)]
            for _ in 0...random.next(3) {
                let at = random.next(text.count + 1)
                switch random.next(5) {
                case 0: text.insert(contentsOf: Self.words[random.next(Self.words.count)], at: at)
                case 1: if at < text.count { text[at] = UInt8(random.next(256)) }
                case 2: text.removeSubrange(at..<min(text.count, at + 1 + random.next(8)))
                case 3: if at < text.count { text[at] ^= 1 << UInt8(random.next(8)) }
                default: text.insert(contentsOf: text[at..<min(text.count, at + random.next(24))], at: at)
                }
            }
            do {
                _ = try ConfigurationReader.read(text)
                good += 1
            } catch {
                bad += 1
                if error.mistakes.isEmpty || error.mistakes.contains(where: { $0.position.line < 1 }) { placeless += 1 }
            }
        }
        #expect(good > 5_000)
        #expect(bad > 100_000)
        #expect(placeless == 0)
    }
}
