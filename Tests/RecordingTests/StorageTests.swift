import Containers
import Media
import Recording
import Streaming
import Testing

/// Disks that fill up, fail, vanish and come back; and what is kept on them.
@Suite struct StorageTests {
    private static let key = StreamKey(channel: 0, stream: .main)

    private func rig(capacity: Int = 1 << 34) throws -> TestRig {
        let rig = try TestRig(capacity: capacity)
        try rig.addStream()
        return rig
    }

    private func diskStates(_ rig: TestRig) -> [DiskState] {
        rig.events.compactMap { if case .disk(let state, _, _) = $0 { state } else { nil } }
    }

    @Test(arguments: [StorageFailure.Kind.failed, .readOnly, .missing])
    func aDiskThatComesBackIsRecordedToAgain(_ kind: StorageFailure.Kind) throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 15)
        rig.store.fault = .error(kind)
        rig.run(seconds: 20)
        #expect(rig.status.disk.state == DiskState(rawValue: kind.rawValue))
        #expect(rig.status.streams.first?.state == .diskAway)
        #expect(rig.engine?.wantedStreams.isEmpty == true)
        rig.store.fault = nil
        rig.run(seconds: 20)
        #expect(rig.status.streams.first?.state == .recording)
        #expect(rig.status.disk.returns == 1)
        rig.stop()
        try ArchiveAudit.check(rig)
        let gap = try #require(try rig.gaps(Self.key).first)
        #expect(gap.cause == .diskAway)
        #expect((18_000...26_000).contains(gap.end - gap.start))
    }

    @Test func aDiskThatOnlyRefusesWritesIsReadOnly() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 5)
        rig.store.fault = .readOnly
        rig.run(seconds: 10)
        #expect(rig.status.disk.state == .readOnly)
        rig.store.fault = nil
        rig.run(seconds: 10)
        #expect(rig.status.disk.state == .ready)
        rig.stop()
        try ArchiveAudit.check(rig)
    }

    @Test func theOldestGoesWhenTheDiskFills() throws {
        // 64 KB of reserve are 8 MB at least, so the disk has 10.
        let rig = try rig(capacity: 10 << 20)
        rig.streams[0].pictureBytes = 8000
        rig.start()
        rig.run(seconds: 600)
        let used = rig.store.used
        #expect(used <= 2 << 20)
        #expect(rig.status.disk.deletedSegments > 10)
        #expect(rig.status.disk.state == .ready)
        rig.stop()
        try ArchiveAudit.check(rig)
        // Not more than needed.
        #expect(rig.store.used > 1 << 20)
        let numbers = try rig.numbers(.video, Self.key)
        #expect(numbers == Array((numbers.first ?? 0)..<3000))
        #expect(try rig.gaps(Self.key).isEmpty)
    }

    @Test func othersMayFillTheDiskToTheLastByte() throws {
        let capacity = 20 << 20
        let rig = try rig(capacity: capacity)
        rig.streams[0].pictureBytes = 8000
        rig.start()
        rig.run(seconds: 60)
        rig.store.plant("notes", Array(repeating: 1, count: capacity - rig.store.used))
        rig.run(seconds: 60)
        #expect(rig.status.disk.state == .full)
        #expect(rig.status.streams.first?.state == .diskAway)
        #expect(rig.store.used <= capacity)
        rig.store.lose("notes")
        rig.run(seconds: 30)
        #expect(rig.status.disk.state == .ready && rig.status.streams.first?.state == .recording)
        rig.stop()
        try ArchiveAudit.check(rig)
        #expect(diskStates(rig).filter { $0 == .full }.count == 1, "and it is said once")
    }

    @Test func protectedFootageStaysAndAFullDiskSaysSo() throws {
        let rig = try rig(capacity: 10 << 20)
        rig.streams[0].pictureBytes = 8000
        rig.start()
        var protected: [SegmentName] = []
        for _ in 0..<2400 where rig.status.disk.state == .ready {
            rig.run(seconds: 0.5)
            for row in try rig.segments(Self.key) where row.state == .closed && !row.isProtected {
                #expect(try rig.engine?.setProtected(channel: 0, name: row.name, true) == true)
                protected.append(row.name)
            }
        }
        #expect(rig.status.disk.state == .full)
        #expect(rig.status.disk.deletedSegments == 0)
        #expect(rig.status.streams.first?.state == .diskAway)
        rig.run(seconds: 30)
        #expect(diskStates(rig).suffix(1) == [.full])
        // Some of it may go after all.
        for name in protected.prefix(8) {
            #expect(try rig.engine?.setProtected(channel: 0, name: name, false) == true)
        }
        rig.run(seconds: 30)
        #expect(rig.status.disk.state == .ready)
        #expect(rig.status.streams.first?.state == .recording)
        rig.stop()
        try ArchiveAudit.check(rig)
        let causes = try rig.gaps(Self.key).map(\.cause)
        #expect(causes == [.diskFull])
    }

    @Test func aChannelKeepsToItsShare() throws {
        let rig = try rig()
        try rig.addStream(1)
        rig.settings.limits = [0: RetentionLimits(bytes: 60_000)]
        rig.start()
        rig.run(seconds: 300)
        rig.stop()
        try ArchiveAudit.check(rig)
        let totals = try SQLiteDatabase(path: rig.indexPath).totals()
        #expect((totals[0]?.bytes ?? 0) <= 62_000)
        #expect((totals[1]?.bytes ?? 0) > 200_000)
    }

    @Test func aShareFullOfProtectedFootageStopsItsChannelOnly() throws {
        let rig = try rig()
        try rig.addStream(1)
        rig.settings.limits = [0: RetentionLimits(bytes: 30_000)]
        rig.start()
        for _ in 0..<120 {
            rig.run(seconds: 0.5)
            for row in try rig.segments(Self.key) where row.state == .closed && !row.isProtected {
                _ = try rig.engine?.setProtected(channel: 0, name: row.name, true)
            }
        }
        #expect(rig.status.streams.map(\.state) == [.full, .recording])
        rig.stop()
        try ArchiveAudit.check(rig)
    }

    @Test func ageCountsOnlyByAClockThatIsBelieved() throws {
        let rig = try rig()
        rig.settings.limits = [0: RetentionLimits(age: 60_000)]
        rig.start()
        rig.run(seconds: 120)
        let rows = try rig.segments(Self.key)
        #expect(rows.first.map { $0.end >= rig.time.utc - 70_000 } ?? false)
        // Ten years on, says a clock that nobody vouches for.
        rig.time.trust(false)
        rig.time.step(by: 315_000_000_000)
        rig.run(seconds: 30)
        #expect(try rig.segments(Self.key).first?.name == rows.first?.name)
        rig.stop()
    }

    @Test func anotherDiskIsNotWrittenTo() throws {
        let rig = try rig()
        rig.start()
        rig.stop()
        let identity = DiskIdentity(memory: rig.folder + "/memory")
        let (own, other, empty) = (LyingStore(), LyingStore(), LyingStore())
        try identity.verify(own)
        try identity.verify(own)
        try DiskIdentity(memory: rig.folder + "/other").verify(other)
        for wrong in [other, empty] {
            let failure = #expect(throws: StorageFailure.self) { try identity.verify(wrong) }
            #expect(failure?.kind == .missing)
        }
        #expect(empty.files.isEmpty)
    }

    @Test func whatADiskDoesNotKeepIsNoticed() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 100)
        for row in try rig.segments(Self.key) where row.state == .closed {
            rig.store.tamper(row.path) { bytes in for index in 1500..<bytes.count { bytes[index] ^= 0x55 } }
        }
        rig.run(seconds: 600)
        #expect(rig.status.disk.readBacks > 3)
        #expect(rig.status.disk.readBackFailures > 0)
        #expect(rig.events.contains { if case .damaged = $0 { true } else { false } })
        rig.stop()
    }

    @Test func aLostIndexIsBuiltAnewFromTheFiles() throws {
        let rig = try rig()
        try rig.addStream(2, .sub)
        rig.start()
        rig.run(seconds: 100)
        rig.stop()
        let before = try rig.segments(Self.key)
        rig.indexPath += "-new"
        rig.start()
        rig.run(seconds: 30)
        #expect(rig.status.disk.unscannedFolders == 0)
        rig.stop()
        try ArchiveAudit.checkWithoutOrder(rig)
        let after = try rig.segments(Self.key)
        for row in before {
            let again = after.first { $0.name == row.name }
            #expect(again?.start == row.start && again?.size == row.size && again?.kind == row.kind)
        }
    }

    @Test func aDamagedIndexIsSetAsideAndBuiltAnew() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 60)
        rig.kill()
        try rig.damageIndex()
        rig.start()
        rig.run(seconds: 30)
        #expect(rig.indexesSetAside == 1)
        rig.stop()
        try ArchiveAudit.checkWithoutOrder(rig)
        #expect(try rig.segments(Self.key).count >= 8)
    }

    @Test func filesThatCameAndWentInUseAreNoticedAtTheNextStart() throws {
        let rig = try rig()
        rig.start()
        rig.run(seconds: 65)
        let rows = try rig.segments(Self.key).filter { $0.state == .closed }
        let stray = try #require(SegmentName("\(rows[0].name.folder)/235959-main-00000000.mp4"))
        rig.kill()
        rig.store.lose(rows[1].path)
        rig.store.plant(RecordingPath.file(0, stray), Array(repeating: 7, count: 5000))
        rig.store.plant("channel-0/\(stray.folder)/notes.txt", [1, 2, 3])
        rig.start()
        let report = rig.status.disk.recovery
        #expect(!report.wasClean && report.dropped == 1 && report.removed == 1 && report.closed == 1)
        rig.stop()
        try ArchiveAudit.check(rig)
        #expect(rig.store.files["channel-0/\(stray.folder)/notes.txt"] == [1, 2, 3])
    }
}
