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
}
