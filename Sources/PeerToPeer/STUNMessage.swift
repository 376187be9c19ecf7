/// A message of STUN (RFC 8489) or TURN (RFC 8656): a value, read from bytes and written to them.
package struct STUNMessage: Sendable, Hashable {
    package enum Class: UInt16, Sendable, Hashable, CaseIterable { case request, indication, success, failure }

    /// What is asked; others are refused.
    package enum Method: UInt16, Sendable, Hashable, CaseIterable {
        case binding = 0x001
        case allocate = 0x003
        case refresh = 0x004
    }

    package enum Kind: UInt16, Sendable, Hashable {
        case mappedAddress = 0x0001
        case username = 0x0006
        case messageIntegrity = 0x0008
        case errorCode = 0x0009
        case lifetime = 0x000D
        case realm = 0x0014
        case nonce = 0x0015
        case xorRelayedAddress = 0x0016
        case requestedTransport = 0x0019
        case xorMappedAddress = 0x0020
        case software = 0x8022
        case fingerprint = 0x8028
        case otherAddress = 0x802C
    }

    package struct Attribute: Sendable, Hashable {
        package let kind: Kind
        package let value: [UInt8]

        package init(_ kind: Kind, _ value: [UInt8]) {
            self.kind = kind
            self.value = value
        }
    }

    package typealias TransactionID = [UInt8]

    package static let headerBytes = 20
    package static let transactionIDBytes = 12
    /// Longer ones are none of those that are asked for here.
    package static let maximumBytes = 2048
    static let maximumAttributes = 64
    private static let cookie: UInt32 = 0x2112_A442
    private static let integrityBytes = 20
    private static let fingerprintMask: UInt32 = 0x5354_554E

    package let messageClass: Class
    package let method: Method
    package let transaction: TransactionID
    /// Those whose kind is known, in their order. What stands behind the integrity is left out, since it is not covered.
    package private(set) var attributes: [Attribute] = []
    /// What the integrity covers, where there is one and the message came over the network.
    private var covered: [UInt8] = []

    package init(_ messageClass: Class, _ method: Method, transaction: TransactionID, _ attributes: [Attribute] = []) {
        self.messageClass = messageClass
        self.method = method
        self.transaction = transaction
        self.attributes = attributes
    }

    package static func makeTransaction() -> TransactionID {
        var generator = SystemRandomNumberGenerator()
        return (0..<transactionIDBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    // MARK: Reading

    /// Nil where it is none, or is damaged.
    package init?(_ bytes: some Collection<UInt8>) {
        guard (Self.headerBytes...Self.maximumBytes).contains(bytes.count) else { return nil }
        let bytes = Array(bytes)
        let type = bytes.number16(at: 0)
        guard type & 0xC000 == 0, Int(bytes.number16(at: 2)) == bytes.count - Self.headerBytes, bytes.count % 4 == 0,
            bytes.number32(at: 4) == Self.cookie, let method = Method(rawValue: Self.method(of: type)),
            let messageClass = Class(rawValue: (type >> 4) & 1 | (type >> 7) & 2)
        else { return nil }
        self.messageClass = messageClass
        self.method = method
        transaction = Array(bytes[8..<Self.headerBytes])
        guard read(bytes) else { return nil }
    }

    /// How long the message is that begins here, its header included; nil where none does, or where that is not known yet.
    package static func length(_ bytes: some Collection<UInt8>) -> Int? {
        let head = Array(bytes.prefix(headerBytes))
        guard head.count == headerBytes, head[0] & 0xC0 == 0, head.number32(at: 4) == cookie else { return nil }
        return headerBytes + Int(head.number16(at: 2))
    }

    private static func method(of type: UInt16) -> UInt16 {
        type & 0x000F | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2
    }

    private mutating func read(_ bytes: [UInt8]) -> Bool {
        var position = Self.headerBytes
        while position < bytes.count {
            guard bytes.count - position >= 4 else { return false }
            let kind = Kind(rawValue: bytes.number16(at: position))
            let length = Int(bytes.number16(at: position + 2))
            let start = position + 4
            guard length <= bytes.count - start, attributes.count < Self.maximumAttributes else { return false }
            let value = Array(bytes[start..<start + length])
            if kind == .fingerprint { return Self.fingerprint(of: bytes, upTo: position) == value }
            if let kind, covered.isEmpty { attributes.append(Attribute(kind, value)) }
            if kind == .messageIntegrity, covered.isEmpty {
                covered = Self.covering(bytes[..<position], Self.integrityBytes)
            }
            position = start + (length + 3) & ~3
        }
        return true
    }

    /// Whether the integrity is there and was made with this key.
    package func isAuthentic(_ key: [UInt8]) -> Bool {
        guard !covered.isEmpty, let code = self[.messageIntegrity], code.count == Self.integrityBytes else {
            return false
        }
        return Cryptography.hmacSHA1(of: covered, key: key) == code
    }

    package subscript(_ kind: Kind) -> [UInt8]? { attributes.first { $0.kind == kind }?.value }

    /// A text, where it is one of those that a server sends back; 763 bytes at most (RFC 8489, 14.9).
    package func text(_ kind: Kind) -> String? {
        self[kind].flatMap { $0.count <= 763 ? String(decoding: $0, as: UTF8.self) : nil }
    }

    /// The address that the server sees; older ones do not hide it from routers that meddle.
    package var mappedAddress: NetworkAddress? { address(.xorMappedAddress) ?? address(.mappedAddress) }

    package func address(_ kind: Kind) -> NetworkAddress? {
        guard let value = self[kind], value.count >= 8, value[1] == 1 || value[1] == 2,
            value.count == (value[1] == 1 ? 8 : 20)
        else { return nil }
        let isHidden = kind == .xorMappedAddress || kind == .xorRelayedAddress
        let mask = isHidden ? Self.cookie.bytes + transaction : [UInt8](repeating: 0, count: 16)
        let port = value.number16(at: 2) ^ (isHidden ? UInt16(Self.cookie >> 16) : 0)
        return NetworkAddress(bytes: zip(value[4...], mask).map { $0 ^ $1 }, port: port)
    }

    /// Of a failure: its number, and what the server says to it.
    package var error: (code: Int, reason: String)? {
        guard let value = self[.errorCode], value.count >= 4, (3...6).contains(value[2]), value[3] < 100 else {
            return nil
        }
        let reason = String(decoding: value[4...].prefix(127), as: UTF8.self)
        return (Int(value[2]) * 100 + Int(value[3]), reason.filter { $0.isASCII && !$0.isNewline && $0 >= " " })
    }

    // MARK: Writing

    /// - Parameter key: of the message's integrity; nil for none.
    package func bytes(key: [UInt8]? = nil) -> [UInt8] {
        var bytes = type.bytes + [0, 0]
        bytes += Self.cookie.bytes
        bytes += transaction
        for attribute in attributes { Self.append(attribute, to: &bytes) }
        if let key {
            let code = Cryptography.hmacSHA1(of: Self.covering(bytes[...], Self.integrityBytes), key: key)
            Self.append(Attribute(.messageIntegrity, code), to: &bytes)
        }
        Self.append(Attribute(.fingerprint, Self.fingerprint(of: bytes, upTo: bytes.count)), to: &bytes)
        bytes.replaceSubrange(2..<4, with: UInt16(bytes.count - Self.headerBytes).bytes)
        return bytes
    }

    /// The bits of the class lie between those of the method (RFC 8489, 5).
    private var type: UInt16 {
        let (number, kind) = (method.rawValue, messageClass.rawValue)
        let low = number & 0x000F | (number & 0x0070) << 1
        return low | (number & 0x0F80) << 2 | (kind & 1) << 4 | (kind & 2) << 7
    }

    private static func append(_ attribute: Attribute, to bytes: inout [UInt8]) {
        bytes += attribute.kind.rawValue.bytes + UInt16(truncatingIfNeeded: attribute.value.count).bytes
        bytes += attribute.value
        bytes += [UInt8](repeating: 0, count: -attribute.value.count & 3)
    }

    /// What a check covers: the message so far, as if it ended with the check (RFC 8489, 14.5 and 14.7).
    private static func covering(_ bytes: ArraySlice<UInt8>, _ checkBytes: Int) -> [UInt8] {
        var covered = Array(bytes)
        covered.replaceSubrange(2..<4, with: UInt16(bytes.count + 4 + checkBytes - headerBytes).bytes)
        return covered
    }

    private static func fingerprint(of bytes: [UInt8], upTo end: Int) -> [UInt8] {
        (CRC32.make(of: covering(bytes[..<end], 4)) ^ fingerprintMask).bytes
    }
}

/// As in Ethernet and zip (ISO/IEC 8802-3).
enum CRC32 {
    static func make(of bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : (sum >> 1) ^ 0xEDB8_8320 }
        }
        return ~sum
    }
}

extension [UInt8] {
    fileprivate func number16(at index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }
    fileprivate func number32(at index: Int) -> UInt32 {
        UInt32(number16(at: index)) << 16 | UInt32(number16(at: index + 2))
    }
}

extension FixedWidthInteger {
    /// In network order.
    var bytes: [UInt8] {
        stride(from: bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
