/// What stands in front of each body.
package struct JT808Header: Sendable, Hashable {
    package struct Piece: Sendable, Hashable {
        package let total: UInt16
        /// From 1.
        package let index: UInt16

        package init(total: UInt16, index: UInt16) {
            self.total = total
            self.index = index
        }
    }

    package var id: UInt16
    package var version: JT808Version
    /// Of the header with a version flag, which is 1 for its first edition.
    package var edition: UInt8
    /// Bits 10 to 12; 0 for none, 1 for RSA.
    package var encryption: UInt8
    /// As many bytes as the version has.
    package var phone: [UInt8]
    package var serial: UInt16
    package var piece: Piece?

    /// The length field has ten bits.
    package static let maximumBody = 1023

    package init(
        id: UInt16, version: JT808Version, edition: UInt8 = 1, encryption: UInt8 = 0, phone: [UInt8], serial: UInt16,
        piece: Piece? = nil
    ) {
        self.id = id
        self.version = version
        self.edition = edition
        self.encryption = encryption
        self.phone = phone
        self.serial = serial
        self.piece = piece
    }

    package func write(bodyLength: Int, to writer: inout JT808Writer) {
        var properties = UInt16(bodyLength & 0x3FF) | UInt16(encryption & 7) << 10
        if piece != nil { properties |= 1 << 13 }
        if version == .v2019 { properties |= 1 << 14 }
        writer.write(id)
        writer.write(properties)
        if version == .v2019 { writer.write(edition) }
        writer.write(phone)
        writer.write(serial)
        guard let piece else { return }
        writer.write(piece.total)
        writer.write(piece.index)
    }

    /// - Returns: the header, and the length that it gives the body.
    package static func read(_ content: ArraySlice<UInt8>) throws(JT808Error) -> (Self, body: Int, rest: [UInt8]) {
        var reader = JT808Reader(content, version: .v2013)
        let id = try reader.word("message id")
        let properties = try reader.word("body properties")
        let version: JT808Version = properties & 1 << 14 != 0 ? .v2019 : .v2013
        let edition = version == .v2019 ? try reader.byte("protocol version") : 1
        let phone = try reader.bytes(version.phoneBytes, "terminal phone")
        let serial = try reader.word("serial")
        var piece: Piece?
        if properties & 1 << 13 != 0 {
            piece = Piece(total: try reader.word("sub-packages"), index: try reader.word("sub-package"))
        }
        let header = JT808Header(
            id: id, version: version, edition: edition, encryption: UInt8(properties >> 10 & 7), phone: phone,
            serial: serial, piece: piece)
        return (header, Int(properties & 0x3FF), reader.rest())
    }
}
