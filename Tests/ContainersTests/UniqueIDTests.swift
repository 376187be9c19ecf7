import Containers
import Testing

@Suite struct UniqueIDTests {
    @Test func textComesBack() throws {
        let text = "00fedcba-9876-4321-8fed-cba987654321"
        let id = try #require(UniqueID(text))
        #expect(id.description == text)
        #expect(id.high == 0x00FE_DCBA_9876_4321 && id.low == 0x8FED_CBA9_8765_4321)
        #expect(UniqueID(text.filter { $0 != "-" }.uppercased()) == id)
    }

    @Test(arguments: [
        "", "0", "00fedcba-9876-4321-8fed-cba98765432", "00fedcba-9876-4321-8fed-cba9876543210",
        "00fedcba98764321-8fed-cba987654321--", "00fedcba-9876-4321-8fed-cba98765432g",
        "-------------------------------------",
    ])
    func refusesOtherText(text: String) { #expect(UniqueID(text) == nil) }

    @Test func randomOnesAreOfVersionFour() {
        let ids = Set((0..<1000).map { _ in UniqueID.random() })
        #expect(ids.count == 1000)
        #expect(ids.allSatisfy { $0.high >> 12 & 0xF == 4 && $0.low >> 62 == 2 })
        #expect(ids.allSatisfy { UniqueID($0.description) == $0 })
    }
}
