/// Bytes of a segment whose check sum was taken as they were written. Cheap cards acknowledge what they never keep;
/// reading such a sample back later tells.
package struct ReadBackSample: Sendable, Hashable {
    package let offset: Int64
    package let length: Int
    /// CRC-32C.
    package let sum: UInt32

    package init(offset: Int64, length: Int, sum: UInt32) {
        self.offset = offset
        self.length = length
        self.sum = sum
    }

    /// Longer samples would only read more of the same.
    package static let maximumLength = 64 << 10
}
