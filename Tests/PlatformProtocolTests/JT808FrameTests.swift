import PlatformProtocol
import Testing

/// Frames, headers and what lies around them.
@Suite struct JT808FrameTests {
    private func frame(
        _ message: JT808Message, _ version: JT808Version, serial: UInt16 = 7, piece: JT808Header.Piece? = nil
    ) -> JT808Frame {
        let phone = BCD.bytes("13800138000", count: version.phoneBytes) ?? []
        return JT808Frame(
            header: JT808Header(id: message.id, version: version, phone: phone, serial: serial, piece: piece),
            body: message.body(version))
    }

    @Test func escapesAsTheStandardsExampleDoes() throws {
        #expect(hex(JT808Frame.wrapped([0x30, 0x7E, 0x08, 0x7D, 0x55])) == "7e307d02087d01557e")
        #expect(hex(try JT808Frame.unescaped([0x30, 0x7D, 2, 8, 0x7D, 1, 0x55])) == "307e087d55")
    }

    @Test func headersOfBothVersions() {
        #expect(hex(frame(.heartbeat, .v2013).bytes) == "7e000200000138001380000007af7e")
        #expect(hex(frame(.heartbeat, .v2019).bytes) == "7e0002400001000000000138001380000007" + "ee7e")
        let piece = JT808Header.Piece(total: 3, index: 2)
        #expect(hex(frame(.heartbeat, .v2013, piece: piece).bytes.prefix(17)) == "7e00022000013800138000000700030002")
    }

    @Test(arguments: JT808Version.allCases) func frameRoundTrip(_ version: JT808Version) throws {
        // Bodies in which each byte occurs, so that everything is escaped once.
        let frame = frame(.unknown(id: 0x7E7D, body: (0...255).map { UInt8($0) }), version, serial: 0x7D7E)
        #expect(try JT808Frame(bytes: frame.bytes) == frame)
    }

    @Test func brokenFramesAreRefused() {
        let good = frame(.heartbeat, .v2013).bytes
        var wrongSum = good
        wrongSum[13] ^= 1
        #expect(throws: JT808Error.badChecksum(expected: 0xAF, found: 0xAE)) { try JT808Frame(bytes: wrongSum) }
        #expect(throws: JT808Error.badEscape) { try JT808Frame(escaped: [0x7D, 3]) }
        #expect(throws: JT808Error.badEscape) { try JT808Frame(escaped: [1, 0x7D]) }
        #expect(throws: JT808Error.tooShort(5)) { try JT808Frame(escaped: [1, 2, 3, 4, 5]) }
        // The length says one byte, there is none.
        var content = Array(good[1..<13])
        content[3] = 1
        let sum = JT808Frame.checksum(content)
        #expect(throws: JT808Error.badLength(header: 1, body: 0)) { try JT808Frame(escaped: content + [sum]) }
    }

    @Test func splitterCutsWhereverTheBytesAreCut() {
        let bytes = frame(.heartbeat, .v2013).bytes
        // Garbage, two frames, a shared delimiter, empty frames.
        let stream = [1, 2, 3] + bytes + bytes + bytes.dropFirst() + [0x7E, 0x7E]
        for cut in 0...stream.count {
            var splitter = JT808FrameSplitter()
            let found = splitter.feed(stream[..<cut]) + splitter.feed(stream[cut...])
            #expect(found.count == 3)
            #expect(
                found.allSatisfy { if case .success(let frame) = $0 { frame == Array(bytes[1..<14]) } else { false } })
        }
    }

    @Test func splitterIsBounded() {
        var splitter = JT808FrameSplitter()
        _ = splitter.feed([0x7E])
        for _ in 0..<100 { #expect(splitter.feed([UInt8](repeating: 1, count: 1000)).isEmpty) }
        #expect(splitter.bufferedBytes <= JT808FrameSplitter.maximumLength)
        let found = splitter.feed([0x7E] + frame(.heartbeat, .v2013).bytes)
        #expect(found.count == 2)
        #expect(found.first == .failure(.tooLong(JT808FrameSplitter.maximumLength)))
    }

    // MARK: Sub-packages

    @Test func longBodiesTravelInPieces() {
        let body = (0..<2500).map { UInt8(truncatingIfNeeded: $0) }
        let pieces = JT808SubPackages.split(body)
        #expect(pieces.map(\.count) == [1023, 1023, 454])
        var reassembler = JT808Reassembler()
        // In any order, across the wrap of the serial, one of them twice.
        let order = [2, 0, 0, 1]
        var outcomes: [JT808Reassembler.Outcome] = []
        for index in order {
            let piece = JT808Header.Piece(total: 3, index: UInt16(index + 1))
            let header = JT808Header(
                id: 0x8103, version: .v2013, phone: [], serial: 0xFFFF &+ UInt16(index), piece: piece)
            outcomes.append(
                reassembler.take(JT808Frame(header: header, body: pieces[index]), piece: piece, now: 0))
        }
        #expect(outcomes == [.waiting, .waiting, .waiting, .complete(firstSerial: 0xFFFF, body: body)])
        #expect(reassembler.bufferedBytes == 0)
    }

    @Test func missingPiecesAreAskedForAndForgotten() {
        var reassembler = JT808Reassembler()
        let piece = JT808Header.Piece(total: 4, index: 3)
        let header = JT808Header(id: 0x8103, version: .v2019, phone: [], serial: 12, piece: piece)
        #expect(reassembler.take(JT808Frame(header: header, body: [1]), piece: piece, now: 0) == .waiting)
        #expect(reassembler.overdue(now: 999, patience: 1000, limit: 2).isEmpty)
        for round in 1...2 {
            let missing = reassembler.overdue(now: Int64(round) * 1000, patience: 1000, limit: 2)
            #expect(missing == [.init(id: 0x8103, firstSerial: 10, indices: [1, 2, 4])])
        }
        #expect(reassembler.overdue(now: 3000, patience: 1000, limit: 2).isEmpty)
        #expect(reassembler.bufferedBytes == 0)
    }

    @Test func reassemblyIsBounded() {
        var reassembler = JT808Reassembler()
        for serial in 0..<5000 {
            let piece = JT808Header.Piece(total: 256, index: 1)
            let header = JT808Header(
                id: 0x8103, version: .v2013, phone: [], serial: UInt16(serial * 7), piece: piece)
            _ = reassembler.take(
                JT808Frame(header: header, body: [UInt8](repeating: 0, count: 1023)), piece: piece, now: 0)
            #expect(reassembler.bufferedBytes <= JT808Reassembler.maximumMessages * 1023)
        }
        let many = JT808Header.Piece(total: 257, index: 1)
        let header = JT808Header(id: 1, version: .v2013, phone: [], serial: 0, piece: many)
        #expect(reassembler.take(JT808Frame(header: header, body: []), piece: many, now: 0) == .refused)
    }

    @Test func resourceListsAreCutAtRecords() throws {
        let selection = JT1078Selection(channel: 1, start: .none, end: .none)
        let list = JT1078ResourceList(
            answers: 5, records: (0..<100).map { .init(selection: selection, size: UInt32($0)) })
        let pieces = JT808Message.resourceList(list).pieces(.v2019)
        #expect(pieces.map(\.count) == [6 + 36 * 28, 36 * 28, 28 * 28])
        let joined = try JT808Message(id: 0x1205, body: Array(pieces.joined()), version: .v2019)
        #expect(joined == .resourceList(list))
    }
}
