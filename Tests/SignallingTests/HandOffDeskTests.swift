import Media
import Signalling
import Synchronization
import Testing

@Suite struct HandOffDeskTests {
    private final class Clock: MediaClock {
        private let time = Mutex(MediaTime.zero)
        func now() -> MediaTime { time.withLock { $0 } }
        func advance(_ span: MediaTime) { time.withLock { $0 += span } }
    }

    /// The agent's pushes and its places for viewers.
    private final class World: HandOffDesk.Pushes {
        struct State {
            var opened: [HandOffDesk.Stream] = []
            var closed: [String] = []
            var publishing: Set<String> = []
            var takesStreams = true
            var isOwn = true
            var hasFreePlace = false
            /// Of a push that is there already and is joined.
            var existing: String?
        }

        let state = Mutex(State())

        func open(_ stream: HandOffDesk.Stream, patience: MediaTime) async -> HandOffDesk.Opened? {
            await Task.yield()
            return state.withLock { state in
                state.opened.append(stream)
                guard state.takesStreams else { return nil }
                if let id = state.existing {
                    state.publishing.insert(id)
                    return HandOffDesk.Opened(id: id, isOwn: false)
                }
                let id = "\(state.opened.count)"
                state.publishing.insert(id)
                return HandOffDesk.Opened(id: id, isOwn: state.isOwn)
            }
        }

        func isPublishing(_ id: String) async -> Bool { state.withLock { $0.publishing.contains(id) } }

        func close(_ id: String) async {
            state.withLock { state in
                state.closed.append(id)
                state.publishing.remove(id)
            }
        }
    }

    private let clock = Clock()
    private let world = World()
    private let desk: HandOffDesk
    private let stream = HandOffDesk.Stream(channel: 3, name: "main")

    init() {
        let world = world
        desk = HandOffDesk(
            settings: .init(viewerURL: "https://media.example/{channel}/{stream}.flv", linger: .seconds(30)),
            pushes: world, clock: clock
        ) { _ in world.state.withLock { $0.hasFreePlace } }
    }

    @Test func manyViewersArePushedForOnce() async {
        await withTaskGroup(of: String?.self) { group in
            for _ in 0..<10 { group.addTask { await desk.handOff(stream) } }
            for await url in group { #expect(url == "https://media.example/3/main.flv") }
        }
        #expect(world.state.withLock { $0.opened } == [stream])
    }

    @Test func thePushEndsALingerAfterTheLastHandOffWhenThereIsAPlace() async {
        _ = await desk.handOff(stream)
        clock.advance(.seconds(29))
        _ = await desk.handOff(stream)
        clock.advance(.seconds(29))
        world.state.withLock { $0.hasFreePlace = true }
        await desk.review()
        #expect(world.state.withLock { $0.closed } == [])
        clock.advance(.seconds(1))
        world.state.withLock { $0.hasFreePlace = false }
        await desk.review()
        #expect(world.state.withLock { $0.closed } == [])
        world.state.withLock { $0.hasFreePlace = true }
        await desk.review()
        #expect(world.state.withLock { $0.closed } == ["1"])
        _ = await desk.handOff(stream)
        #expect(world.state.withLock { $0.opened.count } == 2)
    }

    @Test func whoseServiceDoesNotTakeTheStreamIsTold() async {
        world.state.withLock { $0.takesStreams = false }
        #expect(await desk.handOff(stream) == nil)
        world.state.withLock { $0.takesStreams = true }
        #expect(await desk.handOff(stream) != nil)
    }

    @Test func aPushThatBrokeIsOpenedAgain() async {
        _ = await desk.handOff(stream)
        world.state.withLock { $0.publishing = [] }
        #expect(await desk.handOff(stream) != nil)
        #expect(world.state.withLock { $0.opened.count } == 2)
    }

    @Test func anOwnPushThatCameBackIsStillItsToEnd() async {
        _ = await desk.handOff(stream)
        world.state.withLock { state in
            state.publishing = []
            state.existing = "1"
            state.hasFreePlace = true
        }
        #expect(await desk.handOff(stream) != nil)
        clock.advance(.seconds(30))
        await desk.review()
        #expect(world.state.withLock { $0.closed } == ["1"])
    }

    @Test func anOwnPushThatDoesNotComeBackIsEnded() async {
        _ = await desk.handOff(stream)
        world.state.withLock { state in
            state.publishing = []
            state.takesStreams = false
        }
        #expect(await desk.handOff(stream) == nil)
        #expect(world.state.withLock { $0.closed } == ["1"])
    }

    @Test func somebodyElsesPushIsLeftToThem() async {
        world.state.withLock { state in
            state.isOwn = false
            state.hasFreePlace = true
        }
        _ = await desk.handOff(stream)
        clock.advance(.seconds(100))
        await desk.review()
        await desk.stop()
        #expect(world.state.withLock { $0.closed } == [])
    }
}
