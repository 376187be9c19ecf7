import Logging
import Motion
import TestSupport
import Testing

@Suite struct HeadMemoryTests {
    private var memory: HeadMemory {
        var memory = HeadMemory()
        memory.position = MotorPosition(pan: -12.34, tilt: 1.0 / 3, zoom: nil)
        memory.presets = [1: MotorPosition(pan: 5, tilt: nil, zoom: 2), 255: MotorPosition()]
        return memory
    }

    @Test func survivesTheFile() {
        #expect(HeadMemory(text: memory.text) == memory)
        var moving = memory
        (moving.isMoving, moving.position) = (true, MotorPosition())
        #expect(HeadMemory(text: moving.text) == moving)
    }

    @Test func aTextThatWasCutOffClaimsNoPosition() {
        for length in 0..<memory.text.utf8.count - 1 {
            let cut = HeadMemory(text: String(memory.text.prefix(length)))
            #expect(cut == nil || cut?.isMoving == true || cut?.position.pan == -12.34)
        }
        #expect(HeadMemory(text: "something else\nposition\t1\t2\t3\n") == nil)
    }

    @Test func anyTextIsReadWithoutHarm() {
        var random = SplitMix64(state: 3)
        for _ in 0..<20_000 {
            var bytes = Array(memory.text.utf8)
            mutate(&bytes, using: &random)
            let read = HeadMemory(text: String(decoding: bytes, as: UTF8.self))
            #expect(read.map { $0.presets.keys.allSatisfy { (1...255).contains($0) } } ?? true)
        }
    }

    @Test func theStoreKeepsTheNewest() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let store = HeadStore(folder: folder, logger: Logger(label: "test"))
        #expect(store.load(3) == nil)
        for pan in 0..<100 {
            var memory = HeadMemory()
            memory.position.pan = Double(pan)
            store.save(memory, for: 3)
        }
        store.close()
        #expect(HeadStore(folder: folder, logger: Logger(label: "test")).load(3)?.position.pan == 99)
        try writeFile(folder + "/head-3", "nonsense")
        #expect(HeadStore(folder: folder, logger: Logger(label: "test")).load(3)?.isMoving == true)
    }
}
