import Motion
import Testing

struct PTZDirectionTests {
    @Test(arguments: PTZDirection.allCases)
    func theOppositeOfTheOppositeIsTheSame(direction: PTZDirection) {
        #expect(direction.opposite != direction)
        #expect(direction.opposite.opposite == direction)
    }
}
