import Media
import Testing

@Suite struct PicturePoolTests {
    @Test func usesMemoryAgainAndHasALimit() throws {
        let pool = PicturePool(size: PictureSize(width: 64, height: 32), limit: 2)
        var first = pool.take(time: .zero)
        let memory = try #require(first?.planes[0].base)
        let second = pool.take(time: .zero)
        #expect(pool.take(time: .zero) == nil)
        first = nil
        #expect(pool.take(time: .zero)?.planes[0].base == memory)
        withExtendedLifetime(second) {}
        #expect(first == nil)
    }

    @Test(arguments: [(PixelFormat.i420, 3), (.nv12, 2)])
    func planesLieWithinTheMemory(format: PixelFormat, planes: Int) throws {
        let picture = try #require(
            PicturePool(size: PictureSize(width: 66, height: 34), format: format).take(time: .zero))
        #expect(picture.planes.count == planes)
        for (index, plane) in picture.planes.enumerated() {
            let rows = index == 0 ? 34 : 17
            for row in 0..<rows {
                (plane.base + row * plane.stride).update(repeating: 7, count: format == .nv12 || index == 0 ? 66 : 33)
            }
        }
        #expect(picture.planes[0].base[65] == 7)
    }
}
