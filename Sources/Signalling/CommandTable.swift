/// Answers commands: `action=inner_define&channel=0&cmd=get_file_list&…`, `action=user_define&cmd=…`. Knows no transport
/// and no command; rooms that serve commands put them in.
package struct CommandTable: Sendable {
    package typealias Handler = @Sendable (InnerCommand) async -> CommandReply

    private var handlers: [String: (handler: Handler, needsChannel: Bool)] = [:]
    private let userCommands: UserCommands

    package init(userCommands: UserCommands = UserCommands()) { self.userCommands = userCommands }

    /// - Parameters:
    ///   - name: the value of `cmd`.
    ///   - needsChannel: whether a channel that there is not is answered here, with 404.
    package mutating func add(_ name: String, needsChannel: Bool = true, _ handler: @escaping Handler) {
        handlers[name] = (handler, needsChannel)
    }

    package func answer(
        _ text: some StringProtocol & Sendable, from visitor: VisitorID, hasChannel: (Int) -> Bool
    ) async -> CommandReply {
        guard let command = try? CommandText(text) else { return .wrongRequest }
        return await answer(command, from: ViewerIdentity(visitor), hasChannel: hasChannel)
    }

    /// Never empty: viewers take no answer for a broken connection.
    ///
    /// - Parameter hasChannel: whether there is a channel of this number.
    package func answer(
        _ command: CommandText, from viewer: ViewerIdentity, hasChannel: (Int) -> Bool
    ) async -> CommandReply {
        switch command.action {
        case .inner:
            guard let name = command.query["cmd"], !name.isEmpty else { return .wrongRequest }
            guard let (handler, needsChannel) = handlers[name] else { return .unsupported }
            let channel = try? command.query.channel(hasChannel)
            if needsChannel, channel == nil { return .wrongRequest }
            return await handler(
                InnerCommand(name: name, channel: channel ?? -1, viewer: viewer, query: command.query))
        case .user(let payload):
            guard let channel = try? command.query.channel(hasChannel), !payload.isEmpty else { return .wrongRequest }
            return await userCommands.answer(
                UserCommand(channel: channel, visitor: viewer.visitor, payload: payload))
        }
    }
}

/// A command that there is.
package struct InnerCommand: Sendable {
    package let name: String
    /// One that there is; -1 where there is none and the command takes that.
    package let channel: Int
    package let viewer: ViewerIdentity
    package let query: RequestQuery

    package var visitor: VisitorID { viewer.visitor }
}
