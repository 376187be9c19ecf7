/// A command as it came: `action=inner_define&channel=0&cmd=get_device_st&type=live`, or
/// `action=user_define&channel=0&cmd={"topic":"ptz",…}`.
package struct CommandText: Sendable, Hashable {
    /// Longer commands are refused.
    package static let maximumBytes = 3000

    package enum Action: Sendable, Hashable {
        case inner
        /// With what stands behind the first `cmd=`, up to the end: viewers send JSON there as it is, `&` and all.
        case user(payload: String)
    }

    package let action: Action
    /// Of a user command, what stands around the payload.
    package let query: RequestQuery

    package init(_ text: some StringProtocol) throws(RequestRefusal) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes else {
            throw .malformed("a command has at most \(Self.maximumBytes) bytes")
        }
        let behind = Self.payloadStart(bytes)
        let head = try RequestQuery(String(decoding: bytes[..<(behind ?? bytes.count)], as: UTF8.self))
        if let behind, head["action"]?.lowercased() == "user_define" {
            (action, query) = (.user(payload: String(decoding: bytes[behind...], as: UTF8.self)), head)
            return
        }
        let whole = try RequestQuery(text)
        switch whole["action"]?.lowercased() {
        case "inner_define": (action, query) = (.inner, whole)
        case "user_define":
            let payload = bytes[(behind ?? bytes.count)...]
            (action, query) = (.user(payload: Self.withoutParameters(payload)), whole)
        default: throw .malformed("the action of a command is inner_define or user_define")
        }
    }

    /// Behind the first `cmd=` that begins a pair.
    private static func payloadStart(_ bytes: [UInt8]) -> Int? {
        let key = Array("cmd=".utf8)
        return bytes.indices.first { place in
            let before = place == 0 ? UInt8(ascii: "&") : bytes[place - 1]
            return [UInt8(ascii: "&"), UInt8(ascii: "?")].contains(before) && bytes[place...].starts(with: key)
        }.map { $0 + key.count }
    }

    /// Where the action comes behind the payload, so do others of the parameters that every command may have.
    private static func withoutParameters(_ payload: ArraySlice<UInt8>) -> String {
        var payload = payload
        while let mark = payload.lastIndex(of: UInt8(ascii: "&")) {
            let key = String(decoding: payload[(mark + 1)...].prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
            guard ["action", "channel", "requester", "req_id"].contains(key) || key.hasPrefix("_") else { break }
            payload = payload[..<mark]
        }
        return String(decoding: payload, as: UTF8.self)
    }
}
