/// Free text for the device, `action=user_define`, for a channel that there is.
package struct UserCommand: Sendable, Hashable {
    package let channel: Int
    package let visitor: VisitorID
    /// Decoded where it was percent-encoded.
    package let text: String
    /// The text, where it is JSON.
    package let json: JSONValue?

    package init(channel: Int, visitor: VisitorID, payload: String) {
        self.channel = channel
        self.visitor = visitor
        (text, json) = Self.decode(payload)
    }

    /// A word such as `ptz_left`, in lower case; parameters behind it do not belong to it.
    package var word: String { text.prefix { $0 != "&" && !$0.isWhitespace }.lowercased() }

    /// Some viewers encode the payload and some do not, and JSON may hold a `%` of its own: as it came first, then
    /// percent-decoded, then as forms are encoded, with `+` for a space.
    private static func decode(_ payload: String) -> (String, JSONValue?) {
        if let json = JSONReader.read(payload) { return (payload, json) }
        let bytes = Array(payload.utf8)
        let plain = Hexadecimal.percentDecoded(bytes)
        if let json = JSONReader.read(plain) { return (String(decoding: plain, as: UTF8.self), json) }
        let form = Hexadecimal.percentDecoded(bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
        if let json = JSONReader.read(form) { return (String(decoding: form, as: UTF8.self), json) }
        return (String(decoding: plain, as: UTF8.self), nil)
    }
}
