/// Cuts what a connection brings at the delimiters. Skips what stands before the first one and what is empty between
/// two, so that frames may share a delimiter.
package struct JT808FrameSplitter: Sendable {
    /// Everything escaped: more than any frame can have.
    package static let maximumLength = 2 * (21 + JT808Header.maximumBody + 1)

    private var unfinished: [UInt8] = []
    private var isInside = false
    private var isTooLong = false

    package init() {}

    package var bufferedBytes: Int { unfinished.count }

    /// What stood between delimiters, or why that is no frame.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [Result<[UInt8], JT808Error>] {
        var found: [Result<[UInt8], JT808Error>] = []
        for byte in bytes {
            guard byte == JT808Frame.delimiter else {
                guard isInside, !isTooLong else { continue }
                if unfinished.count < Self.maximumLength {
                    unfinished.append(byte)
                } else {
                    isTooLong = true
                }
                continue
            }
            if isTooLong {
                found.append(.failure(.tooLong(Self.maximumLength)))
            } else if !unfinished.isEmpty {
                found.append(.success(unfinished))
            }
            unfinished.removeAll(keepingCapacity: true)
            isTooLong = false
            isInside = true
        }
        return found
    }
}
