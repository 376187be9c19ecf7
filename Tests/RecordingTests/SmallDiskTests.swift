import Media
import Recording
import Streaming
import TestSupport
import Testing

/// A disk of 200 MB and a week of recording, as fast as the machine goes.
@Suite struct SmallDiskTests {
    private static let keys = [StreamKey(channel: 0, stream: .main), StreamKey(channel: 1, stream: .main)]
    private static let capacity = 200 << 20
    private static let hour: Double = 3600

    private func rig() throws -> TestRig {
        let rig = try TestRig(seed: 7, capacity: Self.capacity, segment: 300)
        rig.tickInterval = .seconds(10)
        for (key, bytes) in zip(Self.keys, [8000, 3000]) {
            try rig.addStream(key.channel, key.stream, hasAudio: false)
            rig.streams[key.channel].interval = .seconds(2)
            rig.streams[key.channel].pictureBytes = bytes
        }
        return rig
    }

    @Test func aWeekOnASmallDisk() throws {
        let rig = try rig()
        var random = SplitMix64(state: 1)
        var protected: Set<SegmentName> = []
        rig.start()
        for sixHours in 0..<28 {
            rig.run(seconds: 6 * Self.hour)
            #expect(rig.status.disk.state == .ready)
            #expect(rig.store.used < Self.capacity - (4 << 20))
            try checkTotals(rig)
            // Now and then somebody keeps a file, and somebody deletes one.
            let rows = try rig.segments(Self.keys[0]).filter { $0.state == .closed && !$0.isProtected }
            let row = rows[rows.count / 2 + random.below(rows.count / 2)]
            if sixHours % 4 == 1 {
                #expect(try rig.engine?.setProtected(channel: 0, name: row.name, true) == true)
                protected.insert(row.name)
            } else if sixHours == 26 {
                #expect(try rig.engine?.delete(channel: 0, name: row.name) == true)
            }
        }
        #expect(rig.store.bytesWritten > 10 * Self.capacity)
        rig.stop()
        try ArchiveAudit.check(rig)
        #expect(!rig.events.contains { if case .disk(.full, _, _) = $0 { true } else { false } })
        try checkWhatIsKept(rig, protected)
        #expect(rig.store.used > Self.capacity * 8 / 10, "not more is deleted than must be")
    }

    /// While it records: the sums are those of the rows, and each closed row has its file.
    private func checkTotals(_ rig: TestRig) throws {
        let files = rig.store.files
        for key in Self.keys {
            let rows = try rig.segments(key).filter { $0.state == .closed }
            let held = rig.status.disk.totals[key.channel]
            #expect(held?.bytes == rows.reduce(0) { $0 + $1.size })
            #expect(rows.allSatisfy { Int64(files[$0.path]?.count ?? -1) == $0.size })
        }
    }

    /// The newest of both channels, from the same time on, without a hole but the file that was deleted; and what was
    /// protected.
    private func checkWhatIsKept(_ rig: TestRig, _ protected: Set<SegmentName>) throws {
        var starts: [Int64] = []
        for key in Self.keys {
            let rows = try rig.segments(key)
            #expect(Set(rows.filter(\.isProtected).map(\.name)) == (key == Self.keys[0] ? protected : []))
            let others = rows.filter { !$0.isProtected }
            starts.append(try #require(others.first).start)
            let holes = zip(others, others.dropFirst()).filter { $0.end < $1.start }
            #expect(holes.count <= (key == Self.keys[0] ? 1 + protected.count : 0))
            #expect(try rig.gaps(key).isEmpty)
        }
        #expect(abs(starts[0] - starts[1]) <= 2 * 300_000, "the oldest goes first, whosever it is")
    }
}
