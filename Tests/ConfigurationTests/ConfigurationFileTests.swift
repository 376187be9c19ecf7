import Configuration
import Glibc
import Testing

@Suite struct ConfigurationFileTests {
    @Test func aMissingFileIsNamed() {
        do {
            _ = try ConfigurationFile.read(path: "/nonexistent/edge-agent.yaml")
            Issue.record("a file that is not there was read")
        } catch {
            #expect(
                error.lines == ["/nonexistent/edge-agent.yaml: error: cannot be read: No such file or directory"])
        }
    }

    @Test func aFolderIsNoFile() {
        do {
            _ = try ConfigurationFile.read(path: "/tmp")
            Issue.record("a folder was read")
        } catch {
            #expect(error.lines == ["/tmp: error: cannot be read: Is a directory"])
        }
    }

    @Test func mistakesNameTheFile() throws {
        var name = Array("/tmp/edge-agent-test-XXXXXX\0".utf8CString.dropLast())
        let file = mkstemp(&name)
        let path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let text = Array("log: {levle: info}\n".utf8)
        #expect(write(file, text, text.count) == text.count)
        close(file)
        do {
            _ = try ConfigurationFile.read(path: path)
            Issue.record("a mistake was overlooked")
        } catch {
            #expect(error.lines == ["\(path):1:7: error: unknown key \"levle\" in log; did you mean \"level\"?"])
        }
    }
}
