/// The JSON text that answers a command, its keys in the order of the specification's examples.
package struct CommandReply: Sendable, Hashable {
    package let text: String

    package init(_ value: JSONValue) { text = value.text }

    package static let accepted = status("0")
    package static let refused = status("1")
    /// Something in the request is wrong.
    package static let wrongRequest = status("404")
    package static let unsupported = status("406")
    /// The device could not do it.
    package static let deviceError = status("407")

    /// What a user command gets that nobody knows.
    package static let unknownUserCommand = CommandReply(["result": .text("-1")])

    private static func status(_ code: String) -> CommandReply { CommandReply(["status": .text(code)]) }
}
