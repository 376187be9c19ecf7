/// 0x0107: what kind of terminal this is. Carries no serial of the question.
package struct JT808Attributes: JT808Body {
    package var type: UInt16
    package var manufacturer: FixedText
    package var model: FixedText
    package var terminalID: FixedText
    /// BCD.
    package var iccid: [UInt8]
    package var hardware: [UInt8]
    package var firmware: [UInt8]
    package var gnss: UInt8
    package var network: UInt8

    /// The manufacturer has five bytes in both editions; see Documentation/PlatformLink.md.
    private static func lengths(_ version: JT808Version) -> (model: Int, terminalID: Int) {
        version == .v2013 ? (20, 7) : (30, 30)
    }

    package init(
        type: UInt16, manufacturer: String, model: String, terminalID: String, iccid: String, hardware: String,
        firmware: String, gnss: UInt8, network: UInt8, version: JT808Version
    ) {
        let lengths = Self.lengths(version)
        self.type = type
        self.manufacturer = FixedText(manufacturer, count: 5)
        self.model = FixedText(model, count: lengths.model)
        self.terminalID = FixedText(terminalID, count: lengths.terminalID)
        self.iccid = BCD.bytes(iccid, count: 10) ?? [UInt8](repeating: 0, count: 10)
        self.hardware = Array(hardware.utf8)
        self.firmware = Array(firmware.utf8)
        self.gnss = gnss
        self.network = network
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        let lengths = Self.lengths(reader.version)
        type = try reader.word("type")
        manufacturer = FixedText(raw: try reader.bytes(5, "manufacturer"))
        model = FixedText(raw: try reader.bytes(lengths.model, "model"))
        terminalID = FixedText(raw: try reader.bytes(lengths.terminalID, "terminalId"))
        iccid = try reader.bytes(10, "iccid")
        hardware = try reader.shortText("hardware")
        firmware = try reader.shortText("firmware")
        gnss = try reader.byte("gnss")
        network = try reader.byte("network")
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(type)
        writer.write(manufacturer.raw)
        writer.write(model.raw)
        writer.write(terminalID.raw)
        writer.write(iccid)
        writer.writeShort(hardware)
        writer.writeShort(firmware)
        writer.write(gnss)
        writer.write(network)
    }
}
