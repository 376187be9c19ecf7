import Glibc

/// How well the device's radio receives, as the kernel says in `/proc/net/wireless`.
enum RadioSignal {
    /// Links report their quality out of this.
    private static let bestQuality = 70.0

    /// Percent, of the best of all radios; nil where there is none.
    static func strength() -> Int? {
        guard let file = fopen("/proc/self/net/wireless", "re") else { return nil }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 4096)
        let count = fread(&text, 1, text.count, file)
        return strength(in: String(decoding: text[..<count], as: UTF8.self))
    }

    /// Two lines of heads, then one for each radio: `wlan0: 0000   54.  -56.  -256 …`.
    private static func strength(in text: String) -> Int? {
        text.split(separator: "\n").dropFirst(2).compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 2, let quality = Double(words[2].prefix { $0 != "." }) else { return nil }
            return Int(min(max(100 * quality / bestQuality, 0), 100))
        }.max()
    }
}
