import Supervision
import Testing

@Suite struct WatchdogJudgeTests {
    private func encoder(_ frames: Int, wanted: Bool = true) -> [WatchdogJudge.Encoder] {
        [.init(name: "0/main", isWanted: wanted, frames: frames)]
    }

    @Test func nothingWantedIsAlive() {
        var judge = WatchdogJudge(patience: 10)
        for now in stride(from: Int64(0), to: 1000, by: 5) {
            #expect(judge.judge(answered: true, encoders: encoder(7, wanted: false), now: now) == .alive)
        }
    }

    @Test func framesKeepItAlive() {
        var judge = WatchdogJudge(patience: 10)
        for now in 0..<100 {
            #expect(judge.judge(answered: true, encoders: encoder(now), now: Int64(now) * 9) == .alive)
        }
    }

    @Test func aWantedEncoderThatGivesNothingIsStuckAfterItsTime() {
        var judge = WatchdogJudge(patience: 10)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 0) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 10) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 11) == .stuck("no frames leave 0/main"))
        #expect(judge.judge(answered: true, encoders: encoder(6), now: 12) == .alive)
    }

    @Test func timeWithoutDemandDoesNotCount() {
        var judge = WatchdogJudge(patience: 10)
        #expect(judge.judge(answered: true, encoders: encoder(5, wanted: false), now: 0) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5, wanted: false), now: 100) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 109) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 118) == .alive)
        #expect(judge.judge(answered: true, encoders: encoder(5), now: 120) == .stuck("no frames leave 0/main"))
    }

    @Test func oneStuckEncoderAmongOthersIsNamed() {
        var judge = WatchdogJudge(patience: 10)
        func observe(_ a: Int, _ b: Int, _ now: Int64) -> WatchdogJudge.Verdict {
            judge.judge(
                answered: true,
                encoders: [
                    .init(name: "0/main", isWanted: true, frames: a), .init(name: "1/sub", isWanted: true, frames: b),
                ],
                now: now)
        }
        #expect(observe(1, 1, 0) == .alive)
        #expect(observe(2, 1, 11) == .stuck("no frames leave 1/sub"))
    }

    @Test func noAnswerIsNotAlive() {
        var judge = WatchdogJudge(patience: 10)
        #expect(
            judge.judge(answered: false, encoders: [], now: 0)
                == .stuck("the agent does not answer itself on the control socket"))
    }
}
