import Publishing
import TestSupport
import Testing

@Suite struct PushStoreTests {
    private func entries() throws -> [PushStore.Entry] {
        [
            .init(
                id: 1,
                request: PushRequest(
                    channel: 0, quality: .main, target: try PushTarget("rtmp://u:p@h:1935/a/k?t=1"))),
            .init(
                id: 7,
                request: PushRequest(
                    channel: 3, quality: .sub, tracks: .audio, target: try PushTarget("https://h/x.flv"),
                    startTimestamp: 0xFFFF_FFFF)),
        ]
    }

    @Test func roundTrip() throws {
        let entries = try entries()
        let found = try #require(PushStore.entries(in: PushStore.text(entries)))
        #expect(found.entries == entries)
        #expect(found.unreadable == 0)
    }

    @Test func brokenLinesAreLeftOut() throws {
        let text = PushStore.text(try entries()) + "x\t0\tmain\tav\t0\trtmp://h/a/k\nnonsense\n"
        let found = try #require(PushStore.entries(in: text))
        #expect(found.entries.count == 2)
        #expect(found.unreadable == 2)
        #expect(PushStore.entries(in: "something else\n") == nil)
    }

    @Test func file() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let store = PushStore(path: folder + "/pushes")
        #expect(try store.load().entries.isEmpty)
        let entries = try entries()
        try store.save(entries, generation: 2)
        #expect(try store.load().entries == entries)
        // An older list that comes late changes nothing.
        try store.save([], generation: 1)
        #expect(try store.load().entries == entries)
        let nowhere = PushStore(path: "/nonexistent/pushes")
        #expect(throws: PushStore.Failure.file(.init(action: "creating", path: "/nonexistent/pushes.new", errno: 2))) {
            try nowhere.save(entries, generation: 1)
        }
    }
}
