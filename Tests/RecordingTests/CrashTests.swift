import Containers
import Media
import Recording
import Streaming
import Testing

/// The power goes at one operation after the other; each time all must be well again at the next start.
@Suite struct CrashTests {
    private static let main = StreamKey(channel: 0, stream: .main)

    private func rig(seed: UInt64) throws -> TestRig {
        // The clocks' milliseconds begin at different moments.
        let rig = try TestRig(seed: seed, time: SimulatedTime(nanoseconds: 700_000), segment: 3)
        try rig.addStream(0, .main)
        // Nor do pictures come at whole ones.
        rig.streams[0].interval = MediaTime(nanoseconds: 199_900_000)
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
        #expect(operations > 300)
        var claims = 0
        for cut in 1...operations { claims += try cutPower(at: cut, seed: UInt64(cut)) }
        #expect(claims > operations)
    }

    /// - Returns: of how many files that were being written something was claimed.
    private func cutPower(at operation: Int, seed: UInt64) throws -> Int {
        let comment = Comment(rawValue: "cut at operation \(operation)")
        let rig = try rig(seed: seed)
        var index = ""
        rig.store.cutAt = operation
        var claims: [Int64: LiveSegments.Progress] = [:]
        rig.store.onCut = {
            index = rig.snapshotIndex()
            claims = rig.liveSegments
        }
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
        let found = try rig.streams.flatMap { try rig.segments($0.key) }
        for (id, claim) in claims {
            // The oldest may be gone meanwhile.
            guard let row = found.first(where: { $0.id == id }) else { continue }
            #expect(row.end >= claim.end && row.size >= claim.length, comment)
        }
        // At most a group of pictures, and what waits for sound of the same time, is gone.
        #expect((recovered ?? -1) >= last - rig.streams[0].group - 3, comment)
        rig.run(seconds: 8)
        rig.stop()
        try ArchiveAudit.check(rig, comment)
        try checkFrames(rig, comment)

        rig.start()
        #expect(rig.status.disk.recovery.wasClean, comment)
        rig.stop()
        return claims.count
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
