import NIOCore

/// A value of the Action Message Format, version 0 ("AMF 0 specification", Adobe 2007): what FLV metadata and RTMP
/// commands are written in.
package indirect enum AMF0: Sendable, Hashable {
    case number(Double)
    case boolean(Bool)
    case string(String)
    /// Pairs keep their order: some services look at the first ones only.
    case object([Pair])
    case ecmaArray([Pair])
    case strictArray([AMF0])
    /// Milliseconds since 1970, UTC.
    case date(Double)
    case null
    case undefined

    package struct Pair: Sendable, Hashable {
        package let key: String
        package let value: AMF0
        package init(_ key: String, _ value: AMF0) {
            self.key = key
            self.value = value
        }
    }

    /// Objects inside objects, at most.
    package static let maximumDepth = 16
    /// Values inside one outermost value, at most.
    package static let maximumValues = 4096

    package enum ParseError: Error, Equatable {
        case truncated
        case unknownMarker(UInt8)
        case tooDeep
        case tooManyValues
    }

    private enum Marker {
        static let number: UInt8 = 0
        static let boolean: UInt8 = 1
        static let string: UInt8 = 2
        static let object: UInt8 = 3
        static let null: UInt8 = 5
        static let undefined: UInt8 = 6
        static let ecmaArray: UInt8 = 8
        static let objectEnd: UInt8 = 9
        static let strictArray: UInt8 = 10
        static let date: UInt8 = 11
        static let longString: UInt8 = 12
    }
}

// MARK: Reading

extension AMF0 {
    /// Takes one value off the front of `buffer`. On an error the buffer is left somewhere inside the value.
    package static func read(from buffer: inout ByteBuffer) throws(ParseError) -> AMF0 {
        var left = maximumValues
        return try read(from: &buffer, depth: 0, left: &left)
    }

    private static func read(
        from buffer: inout ByteBuffer, depth: Int, left: inout Int
    ) throws(ParseError) -> AMF0 {
        guard depth <= maximumDepth else { throw .tooDeep }
        guard left > 0 else { throw .tooManyValues }
        left -= 1
        guard let marker: UInt8 = buffer.readInteger() else { throw .truncated }
        switch marker {
        case Marker.number: return .number(try readDouble(&buffer))
        case Marker.boolean:
            guard let byte: UInt8 = buffer.readInteger() else { throw .truncated }
            return .boolean(byte != 0)
        case Marker.string: return .string(try readString(&buffer))
        case Marker.longString:
            guard let length: UInt32 = buffer.readInteger(), let text = buffer.readString(length: Int(length))
            else { throw .truncated }
            return .string(text)
        case Marker.object: return .object(try readPairs(&buffer, depth: depth, left: &left))
        case Marker.ecmaArray:
            // The count is only a hint; the end marker ends the array.
            guard (buffer.readInteger() as UInt32?) != nil else { throw .truncated }
            return .ecmaArray(try readPairs(&buffer, depth: depth, left: &left))
        case Marker.strictArray:
            guard let count: UInt32 = buffer.readInteger() else { throw .truncated }
            guard Int(count) <= left else { throw .tooManyValues }
            var values: [AMF0] = []
            for _ in 0..<count { values.append(try read(from: &buffer, depth: depth + 1, left: &left)) }
            return .strictArray(values)
        case Marker.date:
            let milliseconds = try readDouble(&buffer)
            guard (buffer.readInteger() as Int16?) != nil else { throw .truncated }
            return .date(milliseconds)
        case Marker.null: return .null
        case Marker.undefined: return .undefined
        default: throw .unknownMarker(marker)
        }
    }

    private static func readDouble(_ buffer: inout ByteBuffer) throws(ParseError) -> Double {
        guard let bits: UInt64 = buffer.readInteger() else { throw .truncated }
        return Double(bitPattern: bits)
    }

    private static func readString(_ buffer: inout ByteBuffer) throws(ParseError) -> String {
        guard let length: UInt16 = buffer.readInteger(), let text = buffer.readString(length: Int(length))
        else { throw .truncated }
        return text
    }

    private static func readPairs(
        _ buffer: inout ByteBuffer, depth: Int, left: inout Int
    ) throws(ParseError) -> [Pair] {
        var pairs: [Pair] = []
        while true {
            let key = try readString(&buffer)
            if key.isEmpty, buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == Marker.objectEnd {
                buffer.moveReaderIndex(forwardBy: 1)
                return pairs
            }
            pairs.append(Pair(key, try read(from: &buffer, depth: depth + 1, left: &left)))
        }
    }
}

// MARK: Writing

extension AMF0 {
    package func write(to buffer: inout ByteBuffer) {
        switch self {
        case .number(let value):
            buffer.writeInteger(Marker.number)
            buffer.writeInteger(value.bitPattern)
        case .boolean(let value):
            buffer.writeInteger(Marker.boolean)
            buffer.writeInteger(UInt8(value ? 1 : 0))
        case .string(let text) where text.utf8.count > 0xFFFF:
            buffer.writeInteger(Marker.longString)
            buffer.writeInteger(UInt32(text.utf8.count))
            buffer.writeString(text)
        case .string(let text):
            buffer.writeInteger(Marker.string)
            Self.writeKey(text, to: &buffer)
        case .object(let pairs):
            buffer.writeInteger(Marker.object)
            Self.writePairs(pairs, to: &buffer)
        case .ecmaArray(let pairs):
            buffer.writeInteger(Marker.ecmaArray)
            buffer.writeInteger(UInt32(pairs.count))
            Self.writePairs(pairs, to: &buffer)
        case .strictArray(let values):
            buffer.writeInteger(Marker.strictArray)
            buffer.writeInteger(UInt32(values.count))
            for value in values { value.write(to: &buffer) }
        case .date(let milliseconds):
            buffer.writeInteger(Marker.date)
            buffer.writeInteger(milliseconds.bitPattern)
            buffer.writeInteger(Int16(0))
        case .null: buffer.writeInteger(Marker.null)
        case .undefined: buffer.writeInteger(Marker.undefined)
        }
    }

    private static func writePairs(_ pairs: [Pair], to buffer: inout ByteBuffer) {
        for pair in pairs {
            writeKey(pair.key, to: &buffer)
            pair.value.write(to: &buffer)
        }
        buffer.writeInteger(UInt16(0))
        buffer.writeInteger(Marker.objectEnd)
    }

    /// Keys longer than 65,535 bytes cannot be written and are cut; ours are short.
    private static func writeKey(_ text: String, to buffer: inout ByteBuffer) {
        let bytes = text.utf8.prefix(0xFFFF)
        buffer.writeInteger(UInt16(bytes.count))
        buffer.writeBytes(bytes)
    }
}

// MARK: Looking inside

extension AMF0 {
    /// The value under `key` in an object or ECMA array.
    package subscript(key: String) -> AMF0? {
        switch self {
        case .object(let pairs), .ecmaArray(let pairs): pairs.first { $0.key == key }?.value
        default: nil
        }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }
}
