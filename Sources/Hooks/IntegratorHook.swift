import Logging
import Media
import Signalling
import Streaming
import Synchronization

/// Asks an integrator's program or socket about a user command: one line of JSON there, one JSON value back. What the
/// viewer said is never part of a command line, and no shell is involved.
package final class IntegratorHook: UserCommandHook {
    /// More commands at once are refused.
    package static let maximumConcurrent = 4
    /// Of an answer.
    package static let maximumAnswerBytes = JSONReader.maximumBytes

    private let settings: HookSettings
    private let logger: Logger
    private let running = Mutex(0)

    package init(_ settings: HookSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    package func ask(_ command: UserCommand) async throws(HookFailure) -> JSONValue {
        let isFree = running.withLock { count in
            guard count < Self.maximumConcurrent else { return false }
            count += 1
            return true
        }
        guard isFree else { throw failed("\(Self.maximumConcurrent) commands are being answered already", command) }
        defer { running.withLock { $0 -= 1 } }
        let line = Array(command.hookRequest.text.utf8) + [UInt8(ascii: "\n")]
        let settings = settings
        let result = await MediaThread.run(name: "hook") {
            Result { () throws(HookFailure) in
                let deadline = SystemMediaClock().now() + settings.timeout
                return switch settings.target {
                case .program(let path, let arguments):
                    try HookProgram.run(path, arguments, input: line, until: deadline)
                case .socket(let path): try HookSocket.ask(path, line, until: deadline)
                }
            }
        }
        let answer: [UInt8]
        do throws(HookFailure) { answer = try result.get() } catch { throw failed(error.description, command) }
        guard let json = JSONReader.read(answer) else { throw failed("the answer is no JSON", command) }
        return json
    }

    private func failed(_ reason: String, _ command: UserCommand) -> HookFailure {
        logger.warning(
            "the hook gave no answer", metadata: ["visitor": "\(command.visitor)", "reason": "\(reason)"])
        return HookFailure(reason)
    }
}
