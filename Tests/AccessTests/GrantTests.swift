import Access
import Testing

@Suite struct GrantTests {
    @Test func whatComesWithOtherRights() {
        for right in Right.allCases {
            #expect(Grant.administrator.has(right))
            #expect(!Grant.nothing.has(right))
            #expect(Grant(rights: [right]).has(right))
        }
        #expect(Grant(rights: [.control]).has(.ptz))
        #expect(!Grant(rights: [.ptz]).has(.control))
        #expect(!Grant.everything.has(.admin) && !Grant.everything.has(.metrics))
        #expect(!Grant.watcher.has(.talk) && !Grant.watcher.has(.ptz) && !Grant.watcher.has(.control))
    }

    @Test func oneChannelIsOneChannel() {
        let grant = Grant(rights: [.live], channel: 3)
        #expect(grant.allows(.right(.live), .channel(3)) && !grant.allows(.right(.live), .channel(0)))
        #expect(!grant.allows(.right(.live), .device) && grant.allows(.credential, .any))
        #expect(!grant.allows(.credential, .channel(0)) && grant.allows(.nothing, .device))
        #expect(!grant.allows(.right(.talk), .channel(3)))
    }

    @Test func nobodyPassesOnMoreThanThereIs() {
        let grant = Grant(rights: [.live, .control], channel: 3)
        #expect(grant.narrowed(to: .everything) == Grant(rights: [.live, .control, .ptz], channel: 3))
        #expect(grant.narrowed(to: Grant(rights: [.live], channel: 3)) == Grant(rights: [.live], channel: 3))
        #expect(grant.narrowed(to: Grant(rights: [.live], channel: 0)) == nil)
        #expect(Grant.watcher.narrowed(to: Grant(rights: [.talk])) == .nothing)
        let narrowed = Grant.administrator.narrowed(to: Grant(rights: [.live], channel: 1))
        #expect(narrowed == Grant(rights: [.live], channel: 1))
    }
}
