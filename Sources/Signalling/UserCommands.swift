/// Answers user commands: the topics that this device knows, the plain words of heads that turn, and for all others the
/// integrator's hook.
package struct UserCommands: Sendable {
    /// - Returns: nil where this is none of its commands.
    package typealias Handler = @Sendable (UserCommand) async -> CommandReply?

    private var handlers: [Handler] = []
    private let hook: (any UserCommandHook)?

    package init(hook: (any UserCommandHook)? = nil) { self.hook = hook }

    /// Those that were added first are asked first.
    package mutating func add(_ handler: @escaping Handler) { handlers.append(handler) }

    package func answer(_ command: UserCommand) async -> CommandReply {
        for handler in handlers {
            if let reply = await handler(command) { return reply }
        }
        guard let hook else { return .unknownUserCommand }
        do throws(HookFailure) {
            return CommandReply(try await hook.ask(command))
        } catch {
            return .deviceError
        }
    }
}

/// What an integrator adds to the device: asked about each user command that the device does not know.
package protocol UserCommandHook: Sendable {
    func ask(_ command: UserCommand) async throws(HookFailure) -> JSONValue
}

/// The hook gave no answer that a viewer could have.
package struct HookFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension UserCommand {
    /// What the hook is given, on one line.
    package var hookRequest: JSONValue {
        [
            "visitor": .number(visitor.number), "channel": .number(Int64(channel)), "payload": .text(text),
            "json": json ?? .null,
        ]
    }
}
