import Media

/// What a picture looks like from afar: enough to tell a black, a white or a frozen one. Brightness is sampled on a coarse
/// grid, some 5000 points whatever the picture's size.
package struct PictureLook: Sendable, Hashable {
    /// Points of the grid in each direction, at most.
    package static let columns = 96
    package static let rows = 54

    /// Luma, 0 to 255, line by line.
    package let grid: [UInt8]

    package init(_ picture: Picture) {
        let plane = picture.planes[0]
        let (width, height) = (picture.size.width, picture.size.height)
        let (columns, rows) = (min(Self.columns, width), min(Self.rows, height))
        var grid: [UInt8] = []
        grid.reserveCapacity(columns * rows)
        for row in 0..<rows {
            let line = plane.base + (row * height / rows) * plane.stride
            for column in 0..<columns { grid.append(line[column * width / columns]) }
        }
        self.grid = grid
    }

    package init(grid: [UInt8]) { self.grid = grid }

    /// 0 to 255; video's black is 16 and its white 235.
    package var mean: Double {
        grid.isEmpty ? 0 : Double(grid.reduce(0) { $0 + Int($1) }) / Double(grid.count)
    }

    /// From the darkest to the brightest point, leaving out a hundredth at each end.
    package var contrast: Int {
        guard !grid.isEmpty else { return 0 }
        let sorted = grid.sorted()
        return Int(sorted[(sorted.count - 1) * 99 / 100]) - Int(sorted[(sorted.count - 1) / 100])
    }
}
