import ArgumentParser
import Configuration

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads a configuration and prints every mistake in it, or ok.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = AgentConfiguration.defaultFile

    func run() throws {
        do throws(ConfigurationFile.Failure) {
            _ = try ConfigurationFile.read(path: config)
        } catch {
            for line in error.lines { StandardStreams.printError(line) }
            throw ExitCode(1)
        }
        StandardStreams.print("ok")
    }
}
