import Access

/// Answers commands: `action=inner_define&channel=0&cmd=get_file_list&…`, `action=user_define&cmd=…`. Knows no transport
/// and no command; rooms that serve commands put them in.
package struct CommandTable: Sendable {
    package typealias Handler = @Sendable (InnerCommand) async -> CommandReply
    /// One that answers at once, on whatever thread.
    package typealias QuickHandler = @Sendable (InnerCommand) -> CommandReply

    private enum Entry: Sendable {
        case patient(Handler)
        case quick(QuickHandler)
    }

    private var handlers: [InnerCommandName: (entry: Entry, needsChannel: Bool)] = [:]
    private let userCommands: UserCommands

    package init(userCommands: UserCommands = UserCommands()) { self.userCommands = userCommands }

    package mutating func add(_ name: InnerCommandName, _ handler: @escaping Handler) {
        handlers[name] = (.patient(handler), true)
    }

    /// - Parameter needsChannel: whether a channel that there is not is answered here, with 404.
    package mutating func addQuick(
        _ name: InnerCommandName, needsChannel: Bool = true, _ handler: @escaping QuickHandler
    ) {
        handlers[name] = (.quick(handler), needsChannel)
    }

    package func answer(
        _ text: some StringProtocol & Sendable, from visitor: VisitorID, hasChannel: (Int) -> Bool
    ) async -> CommandReply {
        guard let command = try? CommandText(text) else { return .wrongRequest }
        return await answer(command, from: ViewerIdentity(visitor), hasChannel: hasChannel)
    }

    /// As `answer` does, where that needs no waiting; nil where it does. Viewers that lost their link ask for the
    /// device's state all the time, and should not wait for a thread.
    package func answerAtOnce(
        _ command: CommandText, from viewer: ViewerIdentity, grant: Grant = .everything, hasChannel: (Int) -> Bool
    ) -> CommandReply? {
        guard command.action == .inner,
            case .answer(let reply) = find(command, from: viewer, grant: grant, hasChannel: hasChannel)
        else { return nil }
        return reply
    }

    private enum Found {
        case answer(CommandReply)
        case handler(Handler, InnerCommand)
    }

    private func find(
        _ command: CommandText, from viewer: ViewerIdentity, grant: Grant, hasChannel: (Int) -> Bool
    ) -> Found {
        guard let text = command.query["cmd"], !text.isEmpty else { return .answer(.wrongRequest) }
        guard let name = InnerCommandName(rawValue: text), let (entry, needsChannel) = handlers[name] else {
            return .answer(.unsupported)
        }
        let channel = try? command.query.channel(hasChannel)
        if needsChannel, channel == nil { return .answer(.wrongRequest) }
        let inner = InnerCommand(
            name: name, channel: channel ?? -1, viewer: viewer, grant: grant, query: command.query)
        return switch entry {
        case .patient(let handler): .handler(handler, inner)
        case .quick(let handler): .answer(handler(inner))
        }
    }

    /// Never empty: viewers take no answer for a broken connection.
    ///
    /// - Parameters:
    ///   - grant: what the viewer may do; that it may do this was found out before.
    ///   - hasChannel: whether there is a channel of this number.
    package func answer(
        _ command: CommandText, from viewer: ViewerIdentity, grant: Grant = .everything, hasChannel: (Int) -> Bool
    ) async -> CommandReply {
        switch command.action {
        case .inner:
            switch find(command, from: viewer, grant: grant, hasChannel: hasChannel) {
            case .answer(let reply): return reply
            case .handler(let handler, let inner): return await handler(inner)
            }
        case .user(let payload):
            guard let channel = try? command.query.channel(hasChannel), !payload.isEmpty else { return .wrongRequest }
            return await userCommands.answer(
                UserCommand(channel: channel, visitor: viewer.visitor, payload: payload))
        }
    }
}

/// A command that there is.
package struct InnerCommand: Sendable {
    package let name: InnerCommandName
    /// One that there is; -1 where there is none and the command takes that.
    package let channel: Int
    package let viewer: ViewerIdentity
    package let grant: Grant
    package let query: RequestQuery

    package var visitor: VisitorID { viewer.visitor }
}
