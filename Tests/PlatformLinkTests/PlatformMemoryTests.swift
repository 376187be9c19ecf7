import PlatformLink
import Testing

@Suite struct PlatformMemoryTests {
    @Test func comesBackFromItsText() throws {
        var memory = PlatformMemory()
        #expect(PlatformMemory(text: memory.text) == memory)
        memory.code = [0, 0x0A, 0xD5, 0xE2]
        memory.parameters = [1: [0, 0, 0, 60], 0x83: Array("粤B".utf8), 0x13: []]
        #expect(PlatformMemory(text: memory.text) == memory)
        memory.code = []
        #expect(PlatformMemory(text: memory.text) == memory)
    }

    @Test func whatIsNoMemoryIsNotRead() {
        #expect(PlatformMemory(text: "") == nil)
        #expect(PlatformMemory(text: "something else\ncode 00") == nil)
        #expect(
            PlatformMemory(text: PlatformMemory.formatLine + "\nnonsense\ncode xx\nparameter 1") == PlatformMemory())
    }
}
