import Media
import Recording
import Streaming
import Testing

/// Footage of 5 pictures a second with a key picture each second, handed to a session by a simulated disk and clock.
@Suite struct PlaybackSessionTests {
    /// A session, and the disk and the connection around it.
    private struct Rig {
        var session = PlaybackSession(length: .seconds(60))
        var now = MediaTime.seconds(1000)
        var sent: [(time: MediaTime, frame: StreamFrame, timestamp: UInt32)] = []
        var headersSent = 0
        var hasEnded = false
        /// A hole in the footage, in seconds.
        var hole = 0..<0
        var footage = 60
        /// Reads under way are not answered while this is set.
        var isDiskSlow = false
        private(set) var pending: PlaybackRead?
        private var next = 0
        private let headers: StreamHeaderSet

        init() throws {
            headers = try #require(StreamHeaderSet(StreamFormat(video: TestStream.video)))
        }

        private func frame(_ number: Int, skipped: Int) -> PlaybackFrame {
            let position = MediaTime.milliseconds(Int64(number) * 200)
            let data = EncodedFrame.makeBuffer(capacity: 8)
            let tagged = TaggedFrame(
                EncodedFrame(kind: .video, isKey: number % 5 == 0, time: position, data: data))
            return PlaybackFrame(
                frame: StreamFrame(tagged, sequence: 0, headers: headers), position: position,
                line: position - .seconds(Int64(skipped)))
        }

        private mutating func read(_ order: PlaybackRead) -> PlaybackBatch {
            if let target = order.seek { next = Int(target.milliseconds / 1000) * 5 }
            var frames: [PlaybackFrame] = []
            while frames.count < 5, next < footage * 5 {
                if hole.contains(next / 5) { next = hole.upperBound * 5 }
                let isSkipped = !hole.isEmpty && next / 5 >= hole.upperBound
                if order.keyPictures.map({ next % (5 * $0) == 0 }) ?? true {
                    frames.append(frame(next, skipped: isSkipped ? hole.count : 0))
                }
                next += 1
            }
            return PlaybackBatch(frames: frames, state: next < footage * 5 ? .more : .ended)
        }

        /// Does all there is to do now.
        mutating func settle() {
            while true {
                if pending == nil { pending = session.nextRead(now: now) }
                if let read = pending, !isDiskSlow {
                    pending = nil
                    session.take(self.read(read), for: read, now: now)
                }
                switch session.next(now: now) {
                case .frame(let frame, let timestamp, let new):
                    sent.append((now, frame, timestamp))
                    headersSent += new == nil ? 0 : 1
                case .ended:
                    hasEnded = true
                    return
                case .wait, .idle:
                    guard !isDiskSlow, let read = session.nextRead(now: now) else { return }
                    pending = read
                }
            }
        }

        mutating func run(seconds: Double) {
            let end = now + MediaTime(nanoseconds: Int64(seconds * 1e9))
            settle()
            while now < end, !hasEnded {
                now += .milliseconds(20)
                settle()
            }
        }

        mutating func order(_ order: PlaybackOrder) -> PlaybackProgress { session.perform(order, now: now) }
        var positions: [Int64] { sent.map(\.frame.time.milliseconds) }
    }

    @Test func framesComeInRealTimeALittleAhead() throws {
        var rig = try Rig()
        rig.settle()
        #expect(rig.positions == [0, 200, 400])
        rig.run(seconds: 10)
        #expect(rig.positions == (0...52).map { $0 * 200 })
        #expect(rig.sent.map(\.timestamp) == (0...52).map { $0 * 200 })
        #expect(rig.headersSent == 1)
        #expect(rig.order(.report) == PlaybackProgress(position: .seconds(10), isPaused: false))
        rig.run(seconds: 60)
        #expect(rig.hasEnded && rig.sent.count == 300)
    }

    @Test func aPlaybackMayBeginInTheMiddle() throws {
        var rig = try Rig()
        rig.session = PlaybackSession(length: .seconds(60), from: .milliseconds(30_700))
        rig.settle()
        #expect(rig.positions == [30_000, 30_200, 30_400, 30_600, 30_800, 31_000, 31_200])
        #expect(rig.sent.first?.timestamp == 0)
        #expect(rig.order(.report).position == .milliseconds(30_700))
        rig.run(seconds: 2)
        #expect(rig.order(.seek(.zero)).position == .zero)
    }

    @Test func aPauseHoldsEverything() throws {
        var rig = try Rig()
        rig.run(seconds: 5)
        #expect(rig.order(.pause).position == .seconds(5))
        let count = rig.sent.count
        rig.run(seconds: 100)
        #expect(rig.sent.count == count)
        #expect(rig.order(.pause) == PlaybackProgress(position: .seconds(5), isPaused: true))
        #expect(rig.order(.resume) == PlaybackProgress(position: .seconds(5), isPaused: false))
        rig.run(seconds: 5)
        #expect(rig.order(.report).position == .seconds(10))
        #expect(rig.sent.last?.timestamp == 10_400)
    }

    @Test func aSeekGoesToTheKeyPictureBeforeAndTimeStampsGoOn() throws {
        var rig = try Rig()
        rig.run(seconds: 3)
        let last = try #require(rig.sent.last)
        #expect(rig.order(.seek(.milliseconds(30_700))).position == .milliseconds(30_700))
        let count = rig.sent.count
        rig.settle()
        // From the key picture up to the target, and a little ahead, at once.
        #expect(rig.positions[count...].elementsEqual([30_000, 30_200, 30_400, 30_600, 30_800, 31_000, 31_200]))
        #expect(rig.sent[count].timestamp == last.timestamp + 40)
        #expect(rig.order(.report).position == .milliseconds(30_700))
        rig.run(seconds: 2)
        #expect(rig.order(.report).position == .milliseconds(32_700))
        for (a, b) in zip(rig.sent, rig.sent.dropFirst()) { #expect(a.timestamp < b.timestamp) }
        #expect(rig.order(.seek(.seconds(500))).position == .seconds(60))
        rig.settle()
        #expect(rig.hasEnded)
    }

    @Test func aSeekWhilePausedStaysPaused() throws {
        var rig = try Rig()
        rig.run(seconds: 1)
        _ = rig.order(.pause)
        let count = rig.sent.count
        #expect(rig.order(.seek(.seconds(40))) == PlaybackProgress(position: .seconds(40), isPaused: true))
        rig.run(seconds: 10)
        #expect(rig.sent.count == count)
        #expect(rig.order(.report).position == .seconds(40))
        _ = rig.order(.resume)
        rig.run(seconds: 1)
        #expect(rig.positions[count] == 40_000)
        #expect(rig.order(.report).position == .seconds(41))
    }

    @Test func aSeekBeforeTheFirstFrameCounts() throws {
        var rig = try Rig()
        rig.isDiskSlow = true
        rig.settle()
        #expect(rig.order(.seek(.seconds(20))).position == .seconds(20))
        rig.settle()
        _ = rig.order(.seek(.seconds(10)))
        rig.isDiskSlow = false
        rig.settle()
        #expect(rig.positions.first == 10_000)
        #expect(rig.sent.first?.timestamp == 0)
    }

    @Test func gapsAreSkipped() throws {
        var rig = try Rig()
        rig.hole = 4..<34
        rig.run(seconds: 6)
        #expect(rig.sent.map(\.timestamp) == (0...32).map { $0 * 200 })
        #expect(rig.positions[19...20].elementsEqual([3800, 34_000]))
        #expect(rig.order(.report).position == .seconds(36))
    }

    @Test func aSlowDiskDelaysAndNothingIsHurriedAfterwards() throws {
        var rig = try Rig()
        rig.run(seconds: 5)
        rig.isDiskSlow = true
        rig.run(seconds: 30)
        let count = rig.sent.count
        rig.isDiskSlow = false
        rig.run(seconds: 10)
        #expect((45...55).contains(rig.sent.count - count))
        for (a, b) in zip(rig.sent, rig.sent.dropFirst()) { #expect(b.timestamp - a.timestamp == 200) }
    }

    @Test func onlyKeyPictures() throws {
        var rig = try Rig()
        rig.run(seconds: 2)
        let count = rig.sent.count
        _ = rig.order(.setSpeed(.keyPictures(every: 2)))
        rig.run(seconds: 4)
        #expect(rig.sent[count...].allSatisfy { $0.frame.isKey })
        // Eight times as fast: so long from picture to picture is a quarter of a second.
        #expect((14...20).contains(rig.sent.count - count))
        for (a, b) in zip(rig.sent[count...], rig.sent[count...].dropFirst()) {
            #expect(b.timestamp - a.timestamp == 250)
        }
        let position = rig.order(.setSpeed(.normal)).position
        #expect(abs(position.seconds - 34) < 4)
        let fast = rig.sent.count
        rig.run(seconds: 2)
        #expect(rig.sent[fast].frame.isKey)
        #expect((10...20).contains(rig.sent.count - fast))
    }

    @Test func allPicturesTwiceAsFast() throws {
        var rig = try Rig()
        rig.run(seconds: 2)
        let count = rig.sent.count
        _ = rig.order(.setSpeed(.times(2)))
        rig.run(seconds: 4)
        // 5 pictures a second, and the half second ahead.
        #expect((38...48).contains(rig.sent.count - count))
    }

    @Test func stillsAreOneForEachSeek() throws {
        var rig = try Rig()
        rig.run(seconds: 2)
        _ = rig.order(.setSpeed(.still))
        for seconds in [20, 15, 10] {
            let count = rig.sent.count
            _ = rig.order(.seek(.seconds(Int64(seconds))))
            rig.run(seconds: 5)
            #expect(rig.sent.count == count + 1)
            #expect(rig.sent.last?.frame.isKey == true)
        }
        let count = rig.sent.count
        _ = rig.order(.setSpeed(.normal))
        rig.run(seconds: 2)
        #expect(rig.sent.count >= count + 10)
    }

    @Test func slowMotion() throws {
        var rig = try Rig()
        rig.run(seconds: 2)
        let count = rig.sent.count
        // 5 pictures a second are 200 ms each.
        _ = rig.order(.setSpeed(.pictureInterval(.milliseconds(400))))
        rig.run(seconds: 10)
        let new = rig.sent[count...]
        #expect((23...27).contains(new.count))
        for (a, b) in zip(new, new.dropFirst()) { #expect(b.timestamp - a.timestamp == 400) }
    }

    @Test func aDiskThatFailsIsToldFromTheEnd() throws {
        var rig = try Rig()
        rig.isDiskSlow = true
        rig.run(seconds: 1)
        let read = try #require(rig.pending)
        rig.session.take(PlaybackBatch(state: .failed), for: read, now: rig.now)
        guard case .ended = rig.session.next(now: rig.now) else {
            Issue.record("nothing can follow")
            return
        }
        #expect(rig.session.hasFailed)
    }

    @Test func readAheadIsBounded() throws {
        var rig = try Rig()
        rig.run(seconds: 20)
        _ = rig.order(.pause)
        rig.run(seconds: 100)
        #expect(rig.session.queuedBytes < 100 * 20)
    }
}
