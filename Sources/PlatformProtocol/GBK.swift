/// Texts in GBK. The tables are here rather than in the C library, whose converters a device may lack.
package enum GBK {
    private static let replacement: UInt16 = 0xFFFD
    /// By code: rows 81 to FE, of 190 cells each (40 to FE without 7F).
    private static let characters = makeCharacters()
    private static let columns = 190

    /// Bytes that are no GBK come out as U+FFFD.
    package static func decode(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        var bytes = Array(bytes)[...]
        while let first = bytes.popFirst() {
            guard first >= 0x80 else {
                text.append(Unicode.Scalar(first))
                continue
            }
            if let second = bytes.first, let index = index(first, second), characters[index] != replacement {
                bytes = bytes.dropFirst()
                text.append(Unicode.Scalar(characters[index]) ?? "\u{FFFD}")
            } else {
                text.append("\u{FFFD}")
            }
        }
        return String(text)
    }

    /// Nil where a character is not in GBK.
    package static func encode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                bytes.append(UInt8(scalar.value))
            } else if let index = characters.firstIndex(where: { $0 == scalar.value && $0 != replacement }) {
                let column = index % columns
                bytes.append(UInt8(0x81 + index / columns))
                bytes.append(UInt8(0x40 + column + (column < 63 ? 0 : 1)))
            } else {
                return nil
            }
        }
        return bytes
    }

    private static func index(_ first: UInt8, _ second: UInt8) -> Int? {
        guard (0x81...0xFE).contains(first), (0x40...0xFE).contains(second), second != 0x7F else { return nil }
        return (Int(first) - 0x81) * columns + Int(second) - 0x40 - (second > 0x7F ? 1 : 0)
    }

    private static func makeCharacters() -> [UInt16] {
        var cells = [UInt16](repeating: replacement, count: (0xFE - 0x81 + 1) * columns)
        let low = Array(UInt8(0x40)...0xA0).filter { $0 != 0x7F }
        let high = Array(UInt8(0xA1)...0xFE)
        func fill(_ rows: ClosedRange<UInt8>, _ seconds: [UInt8], _ next: () -> UInt16?) {
            for row in rows {
                for second in seconds {
                    if let index = index(row, second), let character = next() { cells[index] = character }
                }
            }
        }
        func fill(_ rows: ClosedRange<UInt8>, _ seconds: [UInt8], with text: String) {
            var scalars = text.unicodeScalars.makeIterator()
            fill(rows, seconds) { scalars.next().map { UInt16(truncatingIfNeeded: $0.value) } }
        }
        fill(0xA1...0xA9, high, with: GBKTable.symbols)
        fill(0xA8...0xA9, low, with: GBKTable.moreSymbols)
        fill(0xB0...0xF7, high, with: GBKTable.ideographs)
        // The other ideographs lie in the order of Unicode around GB 2312's place.
        let known = Set(GBKTable.ideographs.unicodeScalars)
        let others =
            (UInt32(0x4E00)...0x9FA5).compactMap(Unicode.Scalar.init).filter { !known.contains($0) }
            + Array(GBKTable.compatible.unicodeScalars)
        var left = others.makeIterator()
        let next = { left.next().map { UInt16(truncatingIfNeeded: $0.value) } }
        fill(0x81...0xA0, low + high, next)
        fill(0xAA...0xFE, low, next)
        return cells
    }
}
