import Containers
import Media
import Recording
import Streaming
import Testing

/// The power goes at one operation after the other; each time all must be well again at the next start.
@Suite struct CrashTests {
    private static let main = StreamKey(channel: 0, stream: .main)

    private func rig(seed: UInt64) throws -> TestRig {
        let rig = try TestRig(seed: seed, segment: 3)
        try rig.addStream(0, .main)
        try rig.addStream(0, .sub, hasAudio: false)
        try rig.addStream(3, .main, hasVideo: false)
        // Small enough that the oldest goes while recording.
        rig.settings.limits = [0: RetentionLimits(bytes: 24_000), 3: RetentionLimits(bytes: 12_000)]
        return rig
    }

    private static let seconds = 25.0

    @Test func thePowerMayGoAtAnyOperation() throws {
        let whole = try rig(seed: 0)
        whole.start()
        whole.run(seconds: Self.seconds)
        whole.stop()
        let operations = whole.store.operations
        #expect(whole.store.operations > 400)
        for cut in 1...operations { try cutPower(at: cut, seed: UInt64(cut)) }
    }

    private func cutPower(at operation: Int, seed: UInt64) throws {
        let comment = Comment(rawValue: "cut at operation \(operation)")
        let rig = try rig(seed: seed)
        var index = ""
        rig.store.cutAt = operation
        rig.store.onCut = { index = rig.snapshotIndex() }
        rig.start()
        while !rig.store.isOff, rig.time.now() < .seconds(100 + Int64(Self.seconds)) { rig.run(seconds: 0.2) }
        if !rig.store.isOff { rig.stop() }
        let last = rig.streams[0].picturesMade - 1
        rig.kill()
        rig.store.powerOn()
        rig.indexPath = index
        rig.boot = UniqueID(high: 1, low: 2)
        rig.time.advance(by: .seconds(30))
        for stream in rig.streams.indices { rig.streams[stream].skip(to: rig.time.now()) }

        rig.start()
        #expect(rig.status.disk.state == .ready, comment)
        #expect(rig.indexesSetAside == 0, comment)
        let recovered = try rig.numbers(.video, Self.main).max()
        // At most a group of pictures, and what waits for sound of the same time, is gone.
        #expect((recovered ?? -1) >= last - rig.streams[0].group - 3, comment)
        rig.run(seconds: 8)
        rig.stop()
        try ArchiveAudit.check(rig, comment)
        try checkFrames(rig, comment)

        rig.start()
        #expect(rig.status.disk.recovery.wasClean, comment)
        rig.stop()
    }

    /// Each frame once; none missing but those at the cut, and the oldest.
    private func checkFrames(_ rig: TestRig, _ comment: Comment) throws {
        for stream in rig.streams {
            for kind in [MediaKind.video, .audio] {
                let numbers = try rig.numbers(kind, stream.key)
                let holes = zip(numbers, numbers.dropFirst()).filter { $1 != $0 + 1 }
                #expect(holes.count <= 1 && holes.allSatisfy { $0 < $1 }, comment)
            }
        }
    }
}
