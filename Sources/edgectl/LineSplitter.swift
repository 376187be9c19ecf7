/// Puts lines together from pieces as they come out of a pipe.
package struct LineSplitter {
    /// What is beyond is left out of a line.
    package let maximumBytes: Int
    private var line: [UInt8] = []

    package init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// The lines that these bytes complete.
    package mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var complete: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                complete.append(String(decoding: line, as: UTF8.self))
                line.removeAll(keepingCapacity: true)
            } else if line.count < maximumBytes {
                line.append(byte)
            }
        }
        return complete
    }

    /// What came after the last end of a line.
    package var rest: String? { line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
}
