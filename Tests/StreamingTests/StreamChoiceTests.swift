import Media
import Streaming
import Testing

@Suite struct StreamChoiceTests {
    private struct Path {
        var choice: StreamChoice
        var now = MediaTime.zero

        init(levels: Int = 2) { choice = StreamChoice(levels: levels, now: .zero) }

        /// Looks five times a second, and tells when the level changed.
        mutating func go(_ seconds: Int64, backlog: MediaTime = .zero, drops: Bool = false) -> [MediaTime] {
            var changes: [MediaTime] = []
            for _ in 0..<(seconds * 5) {
                now += .milliseconds(200)
                if choice.review(now: now, backlog: backlog, hasDropped: drops) != nil { changes.append(now) }
            }
            return changes
        }
    }

    @Test func aGoodPathStays() {
        var path = Path()
        #expect(path.go(1000, backlog: .milliseconds(200)) == [])
        #expect(path.choice.level == 0)
    }

    @Test func aSlowPathGoesDownSoonAndStaysThereWhileItIsSlow() {
        var path = Path()
        #expect(path.go(60, backlog: .milliseconds(400)) == [StreamChoice.settling + .milliseconds(100)])
        #expect(path.choice.level == 1)
    }

    @Test func aDropCountsAtOnce() {
        var path = Path()
        #expect(path.go(1, drops: true) == [.milliseconds(200)])
    }

    @Test func aPathThatRecoversGoesUpAgain() {
        var path = Path()
        _ = path.go(3, drops: true)
        #expect(path.choice.level == 1)
        let changes = path.go(60)
        #expect(changes.count == 1)
        #expect(path.choice.level == 0)
    }

    @Test func eachAttemptThatFailsIsFollowedByALongerWait() {
        var path = Path()
        _ = path.go(3, drops: true)
        var waits: [Int64] = []
        for _ in 0..<6 {
            let start = path.now
            while path.choice.level == 1 { _ = path.go(1) }
            waits.append((path.now - start).milliseconds / 1000)
            while path.choice.level == 0 { _ = path.go(1, drops: true) }
        }
        #expect(waits == waits.sorted())
        #expect(waits[0] <= 11)
        #expect((159...162).contains(waits[5]))
    }

    @Test func oneStreamOnlyIsNoChoice() {
        var path = Path(levels: 1)
        #expect(path.go(30, backlog: .seconds(1), drops: true) == [])
    }
}
