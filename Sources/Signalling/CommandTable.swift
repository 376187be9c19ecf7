/// Answers commands: `action=inner_define&channel=0&cmd=get_file_list&…`. Knows no transport and no command; rooms that
/// serve commands put them in.
package struct CommandTable: Sendable {
    /// Longer commands are refused.
    package static let maximumBytes = 3000

    package typealias Handler = @Sendable (InnerCommand) async -> CommandReply

    private var handlers: [String: Handler] = [:]

    package init() {}

    /// - Parameter name: the value of `cmd`.
    package mutating func add(_ name: String, _ handler: @escaping Handler) { handlers[name] = handler }

    /// Never empty: viewers take no answer for a broken connection.
    ///
    /// - Parameter hasChannel: whether there is a channel of this number.
    package func answer(
        _ text: some StringProtocol & Sendable, from visitor: VisitorID, hasChannel: (Int) -> Bool
    ) async -> CommandReply {
        guard text.utf8.count <= Self.maximumBytes, let query = try? RequestQuery(text),
            query["action"]?.lowercased() == "inner_define", let name = query["cmd"], !name.isEmpty
        else { return .wrongRequest }
        guard let handler = handlers[name] else { return .unsupported }
        guard let channel = try? query.channel(hasChannel) else { return .wrongRequest }
        return await handler(InnerCommand(name: name, channel: channel, visitor: visitor, query: query))
    }
}

/// A command that there is, for a channel that there is.
package struct InnerCommand: Sendable {
    package let name: String
    package let channel: Int
    package let visitor: VisitorID
    package let query: RequestQuery
}
