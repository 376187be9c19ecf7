import Configuration
import Glibc
import Media

/// The text of the configuration that the agent last ran with. A device whose file was broken by a slip or a full disk
/// runs on with it, and can still be reached to be put right.
enum LastGoodConfiguration {
    /// Best effort: without it the agent is as before.
    static func keep(_ path: String, in stateFolder: String) {
        guard let text = try? StateFile.read(path, maximumBytes: YAMLParser.maximumBytes) else { return }
        let copy = stateFolder + "/" + name(path)
        guard (try? StateFile.read(copy, maximumBytes: YAMLParser.maximumBytes)) != text else { return }
        try? StateFile.replace(copy, with: text)
    }

    /// Nil where there is none, or it is no good any more.
    static func read(of path: String) -> AgentConfiguration? {
        // The file that says where the state is cannot be read.
        let folder = getenv("STATE_DIRECTORY").map { String(cString: $0) } ?? AgentConfiguration.defaultStateFolder
        let copy = folder + "/" + name(path)
        return try? ConfigurationFile.read(path: copy)
    }

    /// One for each file that an agent is started with.
    private static func name(_ path: String) -> String { "last-good" + path.replacing("/", with: "-") }
}
