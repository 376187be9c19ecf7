/// `rauc status --detailed --output-format=json`, as far as it matters here.
package struct RAUCStatus: Decodable, Sendable {
    /// The board, as bundles name it.
    package var compatible: String
    /// The name that the boot loader gave to the running slot.
    package var booted: String?
    /// The slot that the boot loader will choose, by RAUC's name for it.
    package var primary: String?
    /// Each has one key, RAUC's name of the slot.
    package var slots: [[String: Slot]]

    enum CodingKeys: String, CodingKey {
        case compatible, booted, slots
        case primary = "boot_primary"
    }

    package struct Slot: Decodable, Sendable {
        package var bootname: String?
        package var state: String
        /// "good" once it is confirmed, and right after an installation, when nothing speaks against it.
        package var bootStatus: String?
        package var content: Content?

        enum CodingKeys: String, CodingKey {
            case bootname, state
            case bootStatus = "boot_status"
            case content = "slot_status"
        }
    }

    package struct Content: Decodable, Sendable {
        package var bundle: Bundle?
        /// "ok" when the slot was written to its end.
        package var status: String?
        package var installed: Moment?
        /// When the boot loader was told to start it.
        package var activated: Moment?
    }

    package struct Bundle: Decodable, Sendable {
        package var version: String?
    }

    package struct Moment: Decodable, Sendable {
        /// As in RFC 3339, always in UTC: the order of the texts is that of the times.
        package var timestamp: String
    }
}

/// `rauc info --output-format=json`, as far as it matters here.
package struct RAUCBundle: Decodable, Sendable {
    package var compatible: String
    package var version: String?
}

/// A line of `rauc install`.
package enum RAUCInstallLine: Sendable, Hashable {
    case progress(percent: Int)
    case failure(String)
    case other

    package init(_ line: String) {
        let text = line.drop { $0 == " " }
        let digits = text.prefix { $0.isNumber }
        if digits.endIndex < text.endIndex, text[digits.endIndex] == "%", let percent = Int(digits) {
            self = .progress(percent: min(percent, 100))
        } else if text.hasPrefix("LastError: ") {
            self = .failure(String(text.dropFirst("LastError: ".count)))
        } else {
            self = .other
        }
    }
}
