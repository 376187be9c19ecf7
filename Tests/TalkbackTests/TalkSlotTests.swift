import Logging
import Media
import NIOCore
import Synchronization
import Talkback
import Testing

@Suite struct TalkSlotTests {
    private final class Rig: Sendable {
        let clock = SimulatedClock()
        let speaker: TestSpeaker
        let slot: TalkSlot

        init() {
            let speaker = TestSpeaker(clock: clock)
            self.speaker = speaker
            let changes = Mutexed<[String]>([])
            log = changes
            slot = TalkSlot(
                settings: TalkSettings(), opener: speaker, farEnd: nil, clock: clock, logger: .silent
            ) { change in
                switch change {
                case .began: changes.append("began")
                case .ended(_, let cause): changes.append("\(cause)")
                }
            }
        }

        let log: Mutexed<[String]>
    }

    /// A list behind a lock.
    private final class Mutexed<Value: Sendable>: Sendable
    where Value: RangeReplaceableCollection, Value.Element: Sendable {
        private let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
        var all: Value { value.withLock { $0 } }
        func append(_ element: Value.Element) { value.withLock { $0.append(element) } }
    }

    private static let first = TalkHolder(visitor: 1)
    private static let second = TalkHolder(visitor: 2)

    private static func pcm(_ count: Int) -> ByteBuffer {
        ByteBuffer(
            bytes: Sound.tone(200, rate: 8000, count: count).flatMap {
                [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
            })
    }

    @Test func theSecondIsRefusedAndTheFirstGoesOn() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "a")
        #expect(rig.speaker.isOpen)
        #expect(rig.slot.current?.holder == Self.first && rig.slot.current?.source == "a")
        await #expect(throws: TalkRefusal.busy(Self.first)) {
            _ = try await rig.slot.occupy(by: Self.second, source: "b")
        }
        session.take(Self.pcm(800))
        #expect(rig.slot.current?.bytes == 1600 && rig.slot.current?.form == .pcm)
        session.end(.left)
        #expect(rig.slot.current == nil && rig.log.all == ["began", "left"])
        #expect(rig.slot.counts.begun == 1 && rig.slot.counts.refused == 1)
        _ = try await rig.slot.occupy(by: Self.second, source: "b")
        rig.slot.close()
    }

    @Test func manyAtOnceAndOneIsLetIn() async {
        let rig = Rig()
        let sessions = await withTaskGroup(of: TalkSession?.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try? await rig.slot.occupy(by: TalkHolder(visitor: Int64(number)), source: "\(number)")
                }
            }
            var sessions: [TalkSession] = []
            for await session in group { if let session { sessions.append(session) } }
            return sessions
        }
        #expect(sessions.count == 1 && rig.slot.counts.refused == 49)
        rig.slot.close()
    }

    @Test func whoDropsTheSessionLeaves() async throws {
        let rig = Rig()
        var session: TalkSession? = try await rig.slot.occupy(by: Self.first, source: "a")
        #expect(session != nil && rig.slot.current != nil)
        session = nil
        #expect(rig.slot.current == nil && rig.log.all == ["began", "left"])
        rig.slot.close()
    }

    @Test func theSameHolderBeginsAnew() async throws {
        let rig = Rig()
        let old = try await rig.slot.occupy(by: Self.first, source: "old")
        let new = try await rig.slot.occupy(by: Self.first, source: "new")
        #expect(rig.slot.current?.source == "new" && rig.log.all == ["began", "replaced", "began"])
        // The old connection's late end is nobody's any more.
        old.end(.left)
        #expect(rig.slot.current?.source == "new")
        new.end(.left)
        #expect(rig.slot.current == nil)
        rig.slot.close()
    }

    @Test func theDeviceMayHangUpAndOnlyTheHolderIsEnded() async throws {
        let rig = Rig()
        let endings = Mutexed<[TalkEnding]>([])
        let session = try await rig.slot.occupy(by: Self.first, source: "a") { endings.append($0) }
        rig.slot.end(Self.second)
        #expect(rig.slot.current != nil)
        rig.slot.hangUp()
        #expect(rig.slot.current == nil && endings.all == [.hungUp])
        session.take(Self.pcm(100))
        #expect(session.report.bytes == 0)
        rig.slot.close()
    }

    @Test func silenceEndsIt() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "a")
        rig.clock.advance(.seconds(9))
        session.take(Self.pcm(100))
        rig.clock.advance(.seconds(9))
        session.take(Self.pcm(100))
        #expect(rig.slot.current != nil)
        rig.clock.advance(.seconds(11))
        #expect(await waitUntil { rig.slot.current == nil })
        #expect(rig.log.all == ["began", "idle"])
        rig.slot.close()
    }

    @Test func aSpeakerThatDoesNotOpenIsTheReason() async {
        let rig = Rig()
        rig.speaker.refuse("no such card")
        do {
            _ = try await rig.slot.occupy(by: Self.first, source: "a")
            Issue.record("it cannot be heard")
        } catch {
            #expect("\(error)".contains("no such card"))
        }
        #expect(rig.slot.current == nil && rig.log.all.isEmpty)
        rig.speaker.refuse(nil)
        #expect((try? await rig.slot.occupy(by: Self.second, source: "b")) != nil)
        rig.slot.close()
    }

    @Test func aDeviceWithoutSpeakerRefuses() async {
        let slot = TalkSlot(
            settings: TalkSettings(), opener: nil, farEnd: nil, clock: SimulatedClock(), logger: .silent)
        await #expect(throws: TalkRefusal.noSpeaker) { _ = try await slot.occupy(by: Self.first, source: "a") }
        slot.close()
    }

    @Test func afterTheEndTheRestIsHeardAndThePlaceIsFree() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "a")
        session.take(Self.pcm(1600))
        session.finish()
        session.take(Self.pcm(1600))
        #expect(rig.slot.current == nil && rig.log.all == ["began"])
        rig.speaker.play(16000)
        #expect(await waitUntil { rig.log.all == ["began", "finished"] })
        // 200 ms at the speaker's rate.
        let heard = rig.speaker.played.filter { $0 != 0 }.count
        #expect((3000...3250).contains(heard))
        #expect(session.report.bytes == 3200)
        rig.slot.close()
    }

    @Test func lastWordsKeepNobodyOut() async throws {
        let rig = Rig()
        let first = try await rig.slot.occupy(by: Self.first, source: "a")
        first.take(Self.pcm(1600))
        first.finish()
        let second = try await rig.slot.occupy(by: Self.second, source: "b")
        #expect(rig.log.all == ["began", "finished", "began"] && rig.slot.current?.holder == second.holder)
        rig.slot.close()
    }

    @Test func samplesOfAnyRateAreHeard() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "platform")
        session.take(samples: Sound.tone(200, rate: 8000, count: 1600), rate: 8000)
        session.take(samples: [1, 2, 3], rate: 5)
        #expect(rig.slot.current?.form == .samples && session.report.bytes == 3200)
        session.finish()
        rig.speaker.play(16000)
        #expect(await waitUntil { rig.log.all == ["began", "finished"] })
        #expect((3000...3250).contains(rig.speaker.played.filter { $0 != 0 }.count))
        rig.slot.close()
    }

    @Test func theSpeakerClosesAWhileAfterTheLastTalk() async throws {
        let rig = Rig()
        try await rig.slot.occupy(by: Self.first, source: "a").end(.left)
        // The next sentence finds it open.
        _ = try await rig.slot.occupy(by: Self.first, source: "a")
        #expect(rig.speaker.opened == 1)
        rig.slot.hangUp()
        let hungUp = rig.clock.now()
        #expect(
            await waitUntil {
                rig.speaker.play(160)
                rig.clock.advance(.milliseconds(50))
                return !rig.speaker.isOpen
            })
        #expect(rig.clock.now() - hungUp >= TalkSettings.linger)
        _ = try await rig.slot.occupy(by: Self.second, source: "b")
        #expect(rig.speaker.opened == 2)
        rig.slot.close()
        #expect(!rig.speaker.isOpen)
    }

    @Test func aSpeakerThatGoesAwayComesBack() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "a")
        // In this order, so that it is not opened again in between.
        rig.speaker.refuse("unplugged")
        rig.speaker.pullOut()
        #expect(await waitUntil { !rig.speaker.isOpen })
        for _ in 0..<20 {
            session.take(Self.pcm(160))
            rig.clock.advance(.milliseconds(100))
        }
        #expect(rig.slot.current != nil)
        rig.speaker.refuse(nil)
        #expect(
            await waitUntil {
                rig.clock.advance(.milliseconds(20))
                session.take(Self.pcm(160))
                return rig.speaker.isOpen
            })
        rig.speaker.play(8000)
        #expect(await waitUntil { rig.speaker.played.contains { $0 > 1000 } })
        rig.slot.close()
    }

    @Test func nobodyTalksToAnAgentThatStops() async throws {
        let rig = Rig()
        let endings = Mutexed<[TalkEnding]>([])
        let session = try await rig.slot.occupy(by: Self.first, source: "a") { endings.append($0) }
        rig.slot.close()
        #expect(endings.all == [.agentStops] && !rig.speaker.isOpen)
        await #expect(throws: TalkRefusal.agentStops) {
            _ = try await rig.slot.occupy(by: Self.second, source: "b")
        }
        session.end(.left)
    }

    @Test func aFloodIsBounded() async throws {
        let rig = Rig()
        let session = try await rig.slot.occupy(by: Self.first, source: "a")
        for _ in 0..<1000 { session.take(ByteBuffer(repeating: 1, count: 4096)) }
        #expect(session.report.bytes == 1000 * 4096)
        session.finish()
        // How much of it is left depends on when the speaker's thread had its turn.
        #expect(
            await waitUntil {
                rig.speaker.play(800)
                return rig.log.all == ["began", "finished"]
            })
        #expect(session.report.figures.longestDelay <= .milliseconds(400))
        rig.slot.close()
    }
}

extension Logger {
    fileprivate static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
