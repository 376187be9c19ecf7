import ArgumentParser
import Configuration
import Media

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads a configuration and prints every mistake in it, or ok.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = AgentConfiguration.defaultFile

    @Flag(help: "Print the configuration as it may be shown to others: without passwords, keys and the like.")
    var redacted = false

    func run() throws {
        guard !redacted else {
            guard let bytes = try? StateFile.read(config, maximumBytes: YAMLParser.maximumBytes) else {
                StandardStreams.printError("\(config) cannot be read")
                throw ExitCode(1)
            }
            return StandardStreams.print(ConfigurationRedaction.redacted(String(decoding: bytes, as: UTF8.self)))
        }
        do throws(ConfigurationFile.Failure) {
            _ = try ConfigurationFile.read(path: config)
        } catch {
            for line in error.lines { StandardStreams.printError(line) }
            throw ExitCode(1)
        }
        StandardStreams.print("ok")
    }
}
