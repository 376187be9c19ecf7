import NIOCore
import PeerToPeer
import Synchronization
import Testing

@Suite struct PeerLoopTests {
    init() throws { try PeerLibraries.open() }

    @Test func tasksRunInOrderOnOneThread() async throws {
        let loop = PeerLoop(name: "test-peers")
        let order = Mutex<[Int]>([])
        for number in 0..<1000 { loop.execute { order.withLock { $0.append(number) } } }
        let isInLoop = try await loop.submit { loop.inEventLoop }.get()
        #expect(isInLoop)
        #expect(!loop.inEventLoop)
        #expect(order.withLock { $0 } == Array(0..<1000))
    }

    @Test func timersRunInTheOrderOfTheirTimes() async throws {
        let loop = PeerLoop(name: "test-peers")
        let order = Mutex<[String]>([])
        let late = loop.scheduleTask(in: .milliseconds(40)) { order.withLock { $0.append("late") } }
        let never = loop.scheduleTask(in: .milliseconds(20)) { order.withLock { $0.append("never") } }
        loop.scheduleTask(in: .milliseconds(5)) { order.withLock { $0.append("early") } }
        never.cancel()
        try await late.futureResult.get()
        #expect(order.withLock { $0 } == ["early", "late"])
        await #expect(throws: EventLoopError.cancelled) { try await never.futureResult.get() }
    }

    @Test func aRepeatedTaskEndsWhenItIsCancelled() async throws {
        let loop = PeerLoop(name: "test-peers")
        let (turns, continuation) = AsyncStream.makeStream(of: Int.self)
        let count = Mutex(0)
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { task in
            let turn = count.withLock { count in
                count += 1
                return count
            }
            continuation.yield(turn)
            if turn == 5 {
                task.cancel()
                continuation.finish()
            }
        }
        var seen: [Int] = []
        for await turn in turns { seen.append(turn) }
        #expect(seen == [1, 2, 3, 4, 5])
    }

    @Test func failuresReachWhoAsked() async {
        struct Failure: Error {}
        let loop = PeerLoop(name: "test-peers")
        await #expect(throws: Failure.self) { try await loop.submit { throw Failure() }.get() }
    }
}
