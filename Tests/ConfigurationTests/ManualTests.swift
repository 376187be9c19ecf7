import Configuration
import Glibc
import Testing

/// `Documentation/edge-agent.yaml` is the manual; it must not lie.
@Suite struct ManualTests {
    private static let path = "Documentation/edge-agent.yaml"

    private func text() throws -> [UInt8] {
        // The tests run in the package's folder; this file's own path is the fallback.
        var folders = ["."]
        let parts = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
        folders.append(parts.dropLast(3).joined(separator: "/"))
        for folder in folders {
            guard let file = fopen(folder + "/" + Self.path, "r") else { continue }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            return Array(bytes[..<count])
        }
        throw Missing()
    }

    private struct Missing: Error {}

    @Test func itsValuesAreTheDefaults() throws {
        #expect(try ConfigurationReader.read(text()) == ConfigurationReader.defaults)
    }

    @Test func itNamesEveryKeyThereIs() throws {
        let root = try #require(try YAMLParser.parse(text()))
        var named: Set<String> = []
        func walk(_ node: YAMLNode, _ path: String) {
            switch node.content {
            case .scalar: break
            case .sequence(let items): for item in items { walk(item, path + "[]") }
            case .mapping(let entries):
                for entry in entries {
                    guard case .scalar(let key, _) = entry.key.content else { continue }
                    let keyPath = path.isEmpty ? key : "\(path).\(key)"
                    named.insert(keyPath)
                    walk(entry.value, keyPath)
                }
            }
        }
        walk(root, "")
        #expect(named == ConfigurationReader.knownKeys)
    }
}
