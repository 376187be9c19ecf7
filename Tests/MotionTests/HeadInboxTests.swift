import Media
import Motion
import Synchronization
import Testing

@Suite struct HeadInboxTests {
    private let ann = MotionHolder(rawValue: 1)
    private let ben = MotionHolder(rawValue: 2)
    private let press = PTZCommand.press([.left], speed: 1)
    private let inbox = HeadInbox()

    private final class Answers: Sendable {
        let refusals = Mutex<[PTZRefusal]>([])
        var count: Int { refusals.withLock { $0.count } }
    }

    private let answers = Answers()

    private func put(_ command: PTZCommand, _ holder: MotionHolder) {
        inbox.put(
            .init(command: command, holder: holder) { [answers] result in
                if case .failure(let refusal) = result { answers.refusals.withLock { $0.append(refusal) } }
            })
    }

    private var waiting: [PTZCommand] { inbox.take(until: .zero).commands.map(\.command) }

    @Test(arguments: [PTZCommand.release, .press([.left], speed: 0)])
    func aReleaseOvertakesAllThatWait(release: PTZCommand) {
        put(press, ann)
        put(.home, ben)
        put(release, ben)
        #expect(waiting == [release])
        #expect(answers.count == 2)
    }

    @Test func theNewestMotionsWinAndAReleaseIsNeverLetGo() {
        put(.release, ann)
        for _ in 0..<HeadInbox.maximumCommands * 2 { put(press, ben) }
        let commands = waiting
        #expect(commands.count == HeadInbox.maximumCommands)
        #expect(commands.first == .release)
    }

    @Test func whatNeedsNoHolderIsRefusedWhereItFillsTheInbox() {
        for number in 0...HeadInbox.maximumCommands { put(.setPreset(number + 1), ann) }
        #expect(waiting.last == .setPreset(HeadInbox.maximumCommands))
        #expect(answers.refusals.withLock { $0 } == [.overtaken])
    }

    @Test func aLossTakesMotionsAndLeavesStops() {
        put(.release, ann)
        put(press, ann)
        put(.stopPatrol, ann)
        put(press, ben)
        inbox.lost(ann)
        let delivery = inbox.take(until: .zero)
        #expect(delivery.commands.map(\.command) == [.release, .stopPatrol, press])
        #expect(delivery.lost == [ann])
    }

    @Test func lossesAreBoundedAndThenStopEverything() {
        for number in 0...HeadInbox.maximumLost { inbox.lost(MotionHolder(rawValue: UInt64(number))) }
        let delivery = inbox.take(until: .zero)
        #expect(delivery.lost.count == HeadInbox.maximumLost)
        #expect(delivery.hasLostMore)
    }

    @Test func aClosedOneRefuses() {
        inbox.close()
        put(press, ann)
        #expect(answers.refusals.withLock { $0 } == [.closed])
        #expect(inbox.take(until: .zero).isClosed)
    }
}
