import Configuration
import Glibc
import Testing

@Suite struct DeviceIDFileTests {
    @Test(arguments: [
        ("0123456789abcdef0123456789abcdef\n", "0123456789abcdef0123456789abcdef"), ("A-1/b", "A-1/b"),
        ("line\r\n", "line"), (String(repeating: "x", count: 64) + "\n", String(repeating: "x", count: 64)),
    ])
    func anIDIsOneLine(text: String, id: String) {
        #expect(DeviceIDFile.parse(Array(text.utf8)) == id)
    }

    @Test(arguments: [
        "", "\n", "two words", "two\nlines\n", "tab\t", "\u{1b}[31m", "gerät", String(repeating: "x", count: 65),
        "\r\n",
        "a\n\n",
    ])
    func anythingElseIsNone(text: String) {
        #expect(DeviceIDFile.parse(Array(text.utf8)) == nil)
    }

    @Test func aMissingFileIsNoMistake() throws {
        #expect(try DeviceIDFile.read(path: "/nonexistent/device-id") == nil)
    }

    @Test func aFileThatHoldsNoIDIsNamed() {
        #expect(throws: DeviceIDFile.Failure.malformed(path: "/dev/zero")) { try DeviceIDFile.read(path: "/dev/zero") }
        #expect(throws: DeviceIDFile.Failure.unreadable(path: "/", reason: "Is a directory")) {
            try DeviceIDFile.read(path: "/")
        }
    }
}
