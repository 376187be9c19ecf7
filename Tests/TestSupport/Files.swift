import Glibc
import NIOCore

package func readFile(_ path: String) throws -> ByteBuffer {
    guard let file = fopen(path, "r") else { throw IOError(errnoCode: errno, reason: "opening \(path)") }
    defer { fclose(file) }
    var bytes = ByteBuffer()
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes.writeBytes(piece[..<count]) }
    return bytes
}

package func writeFile(_ path: String, _ text: String) throws { try writeFile(path, Array(text.utf8)) }

package func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    guard let file = fopen(path, "w") else { throw IOError(errnoCode: errno, reason: "creating \(path)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
        throw IOError(errnoCode: errno, reason: "writing \(path)")
    }
}

package func filesIn(_ folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            })
    }
    return names
}

package func removeFolder(_ folder: String) {
    for name in filesIn(folder) { unlink("\(folder)/\(name)") }
    rmdir(folder)
}

/// An empty folder of the test's own.
package func temporaryFolder() throws -> String {
    guard let path = strdup("/tmp/edge-agent-tests-XXXXXX") else { throw IOError(errnoCode: errno, reason: "strdup") }
    defer { free(path) }
    guard mkdtemp(path) != nil else { throw IOError(errnoCode: errno, reason: "mkdtemp") }
    return String(cString: path)
}
