import Glibc
import Media
import Testing

@Suite struct StateFileTests {
    private let path = "/tmp/edge-agent-state-\(getpid())-\(UInt64.random(in: 0 ... .max))"

    private func put(_ bytes: [UInt8]) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        #expect(write(file, bytes, bytes.count) == bytes.count)
        close(file)
    }

    private func raw() throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }

    @Test(arguments: ["", "a line\n", "two\nlines\n"])
    func whatIsWrittenIsReadBack(text: String) throws {
        defer { unlink(path) }
        try StateFile.replace(path, with: Array(text.utf8))
        #expect(try StateFile.read(path, maximumBytes: 100) == Array(text.utf8))
        #expect(String(decoding: try raw(), as: UTF8.self).hasPrefix(text + "# sum "))
    }

    @Test func aLineWithoutItsEndGetsOne() throws {
        defer { unlink(path) }
        try StateFile.replace(path, with: Array("text".utf8))
        #expect(try StateFile.read(path, maximumBytes: 100) == Array("text\n".utf8))
    }

    @Test func everyForgottenBitIsFoundOut() throws {
        defer { unlink(path) }
        try StateFile.replace(path, with: Array("preset 3 pan 12.5\n".utf8))
        let whole = try raw()
        for index in whole.indices {
            for bit in 0..<8 {
                var broken = whole
                broken[index] ^= 1 << UInt8(bit)
                put(broken)
                // One in the word "sum" itself makes it a file without a sum, whose reader refuses the line.
                let read = try? StateFile.read(path, maximumBytes: 100)
                #expect(read.map { $0.flatMap { $0 } ?? [] } != Array("preset 3 pan 12.5\n".utf8))
            }
        }
    }

    @Test func filesWithoutASumAreTaken() throws {
        defer { unlink(path) }
        put(Array("from an older agent\n".utf8))
        #expect(try StateFile.read(path, maximumBytes: 100) == Array("from an older agent\n".utf8))
    }

    @Test func aFileThatIsTooLongIsSeenToBe() throws {
        defer { unlink(path) }
        try StateFile.replace(path, with: [UInt8](repeating: 65, count: 99) + [10])
        #expect(try StateFile.read(path, maximumBytes: 100)?.count == 100)
        #expect(try StateFile.read(path, maximumBytes: 99)?.count == 100)
        #expect(try StateFile.read(path, maximumBytes: 10)?.count == 11)
    }

    @Test func noFileIsNone() throws {
        #expect(try StateFile.read("/nowhere/at/all", maximumBytes: 9) == nil)
    }

    @Test func aWrongSumIsSaidSo() throws {
        defer { unlink(path) }
        put(Array("x\n# sum 00000000\n".utf8))
        #expect(throws: StateFile.Failure(action: "checking", path: path, errno: 0)) {
            try StateFile.read(path, maximumBytes: 100)
        }
        #expect(
            "\(StateFile.Failure(action: "checking", path: "/a", errno: 0))" == "checking /a: its check sum is wrong")
    }
}
