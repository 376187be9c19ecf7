import PlatformProtocol

/// What a terminal keeps across restarts: the code that it may log in with, and what the platform has set.
package struct PlatformMemory: Sendable, Hashable {
    /// Nil where it has to register.
    package var code: [UInt8]?
    /// By number.
    package var parameters: [UInt32: [UInt8]] = [:]

    package init() {}

    package static let formatLine = "edge-agent platform 1"
    /// Longer files are not ours.
    package static let maximumBytes = 1 << 16

    package var text: String {
        var text = Self.formatLine + "\n"
        if let code { text += "code \(hex(code))\n" }
        for (id, value) in parameters.sorted(by: { $0.key < $1.key }) { text += "parameter \(hex(id)) \(hex(value))\n" }
        return text
    }

    /// Lines that make no sense are left out. Nil where the first line is not ours.
    package init?(text: String) {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == Self.formatLine[...] else { return nil }
        for line in lines {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            if words.count == 2, words[0] == "code", let code = bytes(hex: words[1]) {
                self.code = code
            } else if words.count == 3, words[0] == "parameter", let id = UInt32(words[1], radix: 16),
                let value = bytes(hex: words[2]), value.count <= 255
            {
                parameters[id] = value
            }
        }
    }
}
