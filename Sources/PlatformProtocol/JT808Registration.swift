/// 0x0100: a terminal makes itself known.
package struct JT808Registration: JT808Body {
    package var province: UInt16
    package var city: UInt16
    package var manufacturer: FixedText
    package var model: FixedText
    package var terminalID: FixedText
    package var plateColour: UInt8
    /// GBK; the vehicle's number where there is no plate.
    package var plate: [UInt8]

    package static func lengths(
        _ version: JT808Version
    ) -> (manufacturer: Int, model: Int, terminalID: Int) {
        version == .v2013 ? (5, 20, 7) : (11, 30, 30)
    }

    package init(
        province: UInt16, city: UInt16, manufacturer: String, model: String, terminalID: String, plateColour: UInt8,
        plate: String, version: JT808Version
    ) {
        let lengths = Self.lengths(version)
        self.province = province
        self.city = city
        self.manufacturer = FixedText(manufacturer, count: lengths.manufacturer)
        self.model = FixedText(model, count: lengths.model)
        self.terminalID = FixedText(terminalID, count: lengths.terminalID)
        self.plateColour = plateColour
        self.plate = GBK.encode(plate) ?? []
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        let lengths = Self.lengths(reader.version)
        province = try reader.word("province")
        city = try reader.word("city")
        manufacturer = FixedText(raw: try reader.bytes(lengths.manufacturer, "manufacturer"))
        model = FixedText(raw: try reader.bytes(lengths.model, "model"))
        terminalID = FixedText(raw: try reader.bytes(lengths.terminalID, "terminalId"))
        plateColour = try reader.byte("plateColor")
        plate = reader.rest()
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(province)
        writer.write(city)
        writer.write(manufacturer.raw)
        writer.write(model.raw)
        writer.write(terminalID.raw)
        writer.write(plateColour)
        writer.write(plate)
    }
}

/// 0x8100: the platform's answer to a registration.
package struct JT808RegistrationAnswer: JT808Body {
    package var answers: UInt16
    /// 0 done; 1 vehicle and 3 terminal registered already; 2 no such vehicle, 4 no such terminal.
    package var result: UInt8
    /// Opaque, to be sent back as it is. Nil where the registration was refused.
    package var code: [UInt8]?

    package init(answers: UInt16, result: UInt8, code: [UInt8]? = nil) {
        self.answers = answers
        self.result = result
        self.code = code
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        answers = try reader.word("ackSerial")
        result = try reader.byte("result")
        code = result == 0 ? reader.rest() : nil
    }

    package func write(to writer: inout JT808Writer) {
        writer.write(answers)
        writer.write(result)
        writer.write(code ?? [])
    }
}

/// 0x0102: the code of the registration, as a password.
package struct JT808Authentication: JT808Body {
    package var code: [UInt8]
    /// Only in 2019.
    package var imei: FixedText
    /// Only in 2019.
    package var software: FixedText

    package init(code: [UInt8], imei: String = "", software: String = "") {
        self.code = code
        self.imei = FixedText(imei, count: 15)
        self.software = FixedText(software, count: 20)
    }

    package init(_ reader: inout JT808Reader) throws(JT808Error) {
        guard reader.version == .v2019 else {
            code = reader.rest()
            (imei, software) = (FixedText("", count: 15), FixedText("", count: 20))
            return
        }
        code = try reader.shortText("authCode")
        imei = FixedText(raw: try reader.bytes(15, "imei"))
        software = FixedText(raw: try reader.bytes(20, "software"))
    }

    package func write(to writer: inout JT808Writer) {
        guard writer.version == .v2019 else { return writer.write(code) }
        writer.writeShort(code)
        writer.write(imei.raw)
        writer.write(software.raw)
    }
}
