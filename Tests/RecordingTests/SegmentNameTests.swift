import Recording
import Testing

@Suite struct SegmentNameTests {
    @Test func aNameSaysDayTimeAndStream() throws {
        let name = try #require(SegmentName("20261121/140500-main-1f0c39ab.mp4"))
        #expect(name.folder == "20261121")
        #expect(name.file == "140500-main-1f0c39ab.mp4")
        #expect(name.stream == .main)
        #expect(SegmentName("20261121/140500-sub-00000000.mp4")?.stream == .sub)
    }

    @Test(arguments: [
        "", "/", "..", "20261121", "20261121/", "/etc/passwd", "../20261121/140500-main-1f0c39ab.mp4",
        "20261121/../140500-main-1f0c39ab.mp4", "20261121/140500-main-1f0c39ab.mp4/",
        "20261121//140500-main-1f0c39ab.mp4",
        "20261121/140500-main-1f0c39ab.mp4\0", "20261121/140500-main-1F0C39AB.mp4", "20261121/140500-none-1f0c39ab.mp4",
        "2026112a/140500-main-1f0c39ab.mp4", "20261121/140500-main-1f0c39ab.mov", "20261121\\140500-main-1f0c39ab.mp4",
        "20261121/１40500-main-1f0c39ab.mp4", "20261121/%2e%2e",
    ])
    func whatRecordingWouldNotMakeUpIsNoName(_ text: String) {
        #expect(SegmentName(text) == nil)
    }
}
