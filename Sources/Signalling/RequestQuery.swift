/// The request grammar: `key=value` pairs joined by `&`, such as `action=live&channel=0&quality=high`.
///
/// As tolerant as viewers are careless: order is free, unknown keys are ignored, of a key that comes twice the first
/// counts, values may be missing, a `%` that encodes nothing stands for itself.
package struct RequestQuery: Sendable, Hashable {
    /// Longer queries are refused.
    package static let maximumBytes = 4096
    /// Queries with more pairs are refused.
    package static let maximumPairs = 64

    private var values: [String: String] = [:]

    /// - Parameter text: with or without the leading `?`.
    package init(_ text: some StringProtocol) throws(RequestRefusal) {
        var bytes = Array(text.utf8.prefix(Self.maximumBytes + 1))[...]
        guard bytes.count <= Self.maximumBytes else {
            throw .malformed("the query is longer than \(Self.maximumBytes) bytes")
        }
        if bytes.first == UInt8(ascii: "?") { bytes.removeFirst() }
        var pairs = 0
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            pairs += 1
            guard pairs <= Self.maximumPairs else {
                throw .malformed("the query has more than \(Self.maximumPairs) pairs")
            }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let key = Self.decode(pair[..<equals])
            guard !key.isEmpty, values[key] == nil else { continue }
            values[key] = equals == pair.endIndex ? "" : Self.decode(pair[(equals + 1)...])
        }
    }

    /// Nil where the key is missing, empty where it has no value.
    package subscript(key: String) -> String? { values[key] }

    package enum Number: Sendable, Hashable {
        /// The key or its value is not there.
        case missing
        case value(Int)
        /// Something that does not begin with a digit, or is too large.
        case unreadable
    }

    /// The digits that a value begins with; some viewers append stray characters.
    package func number(_ key: String) -> Number {
        guard let text = values[key], !text.isEmpty else { return .missing }
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self)).map { .value($0) } ?? .unreadable
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: Hexadecimal.percentDecoded(bytes), as: UTF8.self)
    }
}
