import Recording
import Testing

@Suite struct MonthMaskTests {
    @Test func firstDayIsTheLowestBit() {
        #expect(MonthMask(days: [8, 14]).bits == 8320)
        #expect(MonthMask().bits == 0)
        #expect(MonthMask(days: [1, 31]).days == [1, 31])
        #expect(MonthMask(days: [0, 32, -5]).bits == 0)
    }
}
