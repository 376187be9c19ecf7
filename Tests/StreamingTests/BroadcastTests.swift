import Media
import Streaming
import Testing

@Suite struct BroadcastTests {
    @Test func everyListenerGetsAllInOrder() async {
        let broadcast = Broadcast<Int>()
        let listeners = [broadcast.listen(), broadcast.listen()]
        for number in 1...5 { broadcast.send(number) }
        broadcast.finish()
        for listener in listeners {
            var got: [Int] = []
            for await number in listener { got.append(number) }
            #expect(got == [1, 2, 3, 4, 5])
        }
    }

    @Test func aSlowListenerLosesTheNewest() async {
        let broadcast = Broadcast<Int>(limit: 2)
        let listener = broadcast.listen()
        for number in 1...5 { broadcast.send(number) }
        broadcast.finish()
        var got: [Int] = []
        for await number in listener { got.append(number) }
        #expect(got == [1, 2])
    }

    @Test func whoComesAfterTheEndHearsNothing() async {
        let broadcast = Broadcast<Int>()
        broadcast.finish()
        broadcast.send(1)
        for await number in broadcast.listen() { Issue.record("\(number) was sent after the end") }
    }

    /// Who is cancelled while something is sent: neither waits for the other.
    @Test(.timeLimit(.minutes(1))) func listenersMayBeCancelledAtAnyTime() async {
        let broadcast = Broadcast<Int>()
        let stop = MonitoredFlag()
        // A thread of its own, since those of tasks are few.
        let sender = MediaThread(name: "sender") {
            while !stop.isSet { broadcast.send(1) }
        }
        for _ in 0..<20_000 {
            let listener = Task.detached { [events = broadcast.listen()] in for await _ in events {} }
            listener.cancel()
            await listener.value
        }
        stop.set()
        #expect(sender.join(timeout: .seconds(10)))
    }
}
