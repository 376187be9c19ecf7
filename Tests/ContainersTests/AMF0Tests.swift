import Containers
import NIOCore
import Testing

@Suite struct AMF0Tests {
    private func bytes(_ value: AMF0) -> [UInt8] {
        var buffer = ByteBuffer()
        value.write(to: &buffer)
        return Array(buffer.readableBytesView)
    }

    private func read(_ bytes: [UInt8]) throws(AMF0.ParseError) -> AMF0 {
        var buffer = ByteBuffer(bytes: bytes)
        return try AMF0.read(from: &buffer)
    }

    /// The encodings of the AMF 0 specification, sections 2.2 to 2.14.
    @Test func matchesTheSpecification() {
        #expect(bytes(.number(1)) == [0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0])
        #expect(bytes(.boolean(true)) == [1, 1])
        #expect(bytes(.string("live")) == [2, 0, 4] + Array("live".utf8))
        #expect(bytes(.object([.init("a", .null)])) == [3, 0, 1, 0x61, 5, 0, 0, 9])
        #expect(bytes(.ecmaArray([.init("a", .undefined)])) == [8, 0, 0, 0, 1, 0, 1, 0x61, 6, 0, 0, 9])
        #expect(bytes(.strictArray([.null])) == [10, 0, 0, 0, 1, 5])
    }

    @Test func roundTrips() throws {
        let value = AMF0.object([
            .init("app", .string("live")), .init("n", .number(-2.5)),
            .init("list", .strictArray([.boolean(false), .date(1e12)])),
            .init("inner", .ecmaArray([.init("", .string(""))])),
            .init("long", .string(String(repeating: "x", count: 70_000))),
        ])
        #expect(try read(bytes(value)) == value)
        #expect(value["app"]?.string == "live")
        #expect(value["n"]?.number == -2.5)
        #expect(value["absent"] == nil)
    }

    @Test func anArraysCountIsOnlyAHint() throws {
        #expect(try read([8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0x61, 5, 0, 0, 9]) == .ecmaArray([.init("a", .null)]))
    }

    @Test func refusesWhatBreaksOff() {
        let whole = bytes(.object([.init("key", .strictArray([.string("text"), .number(3)]))]))
        for length in 0..<whole.count {
            #expect(throws: AMF0.ParseError.truncated) { try self.read(Array(whole.prefix(length))) }
        }
    }

    @Test func refusesDepthAndMasses() {
        let deep =
            [UInt8](repeating: 0, count: 0) + Array(repeatElement([10, 0, 0, 0, 1] as [UInt8], count: 100).joined())
        #expect(throws: AMF0.ParseError.tooDeep) { try self.read(deep) }
        #expect(throws: AMF0.ParseError.tooManyValues) { try self.read([10, 0xFF, 0xFF, 0xFF, 0xFF]) }
        #expect(throws: AMF0.ParseError.unknownMarker(0x42)) { try self.read([0x42]) }
    }
}
