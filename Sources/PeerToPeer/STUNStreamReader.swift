/// Cuts what comes over TCP into messages (RFC 8489, 6.2.2).
package struct STUNStreamReader: Sendable {
    private var waiting: [UInt8] = []

    package init() {}

    /// - Returns: the messages that are whole now; nil where no message is to be expected any more.
    package mutating func take(_ bytes: [UInt8]) -> [[UInt8]]? {
        waiting += bytes
        var messages: [[UInt8]] = []
        while waiting.count >= STUNMessage.headerBytes {
            guard let length = STUNMessage.length(waiting), length <= STUNMessage.maximumBytes else { return nil }
            guard waiting.count >= length else { break }
            messages.append(Array(waiting.prefix(length)))
            waiting.removeFirst(length)
        }
        return messages
    }
}
