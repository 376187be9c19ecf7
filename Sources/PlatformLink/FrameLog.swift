import PlatformProtocol

/// The last frames of a link, for `edgectl platform log`. What is secret in them is left out.
package struct FrameLog: Sendable {
    package struct Entry: Sendable, Hashable {
        /// Counts all frames of the link.
        package let number: Int
        /// Milliseconds since 1970, UTC.
        package let time: Int64
        package let isSent: Bool
        package let bytes: [UInt8]

        package var isSecret: Bool {
            // Registration answers and log-ins hold the code, uploads a password.
            guard let frame = try? JT808Frame(bytes: bytes) else { return false }
            return [0x8100, 0x0102, 0x9206].contains(frame.header.id)
        }

        /// Nil where nobody else may see them.
        package var hex: String? { isSecret ? nil : PlatformProtocol.hex(bytes) }

        package var decoded: DecodedValue {
            do throws(JT808Error) {
                guard case .fields(let fields) = try JT808Decoding.frame(bytes) else { return .fields([]) }
                return .fields(fields.filter { $0.name != "encoded" && $0.name != "checksum" }.map(Self.redacted))
            } catch {
                return .fields([.init("error", .text("\(error)"))])
            }
        }

        private static func redacted(_ field: DecodedValue.Field) -> DecodedValue.Field {
            switch field.value {
            case .text where ["authCode", "password", "raw"].contains(field.name): .init(field.name, .text("…"))
            case .fields(let inner): .init(field.name, .fields(inner.map(redacted)))
            default: field
            }
        }
    }

    package static let maximum = 100

    package private(set) var entries: [Entry] = []
    private var count = 0

    package init() {}

    package mutating func add(_ bytes: [UInt8], isSent: Bool, time: Int64) {
        count += 1
        if entries.count == Self.maximum { entries.removeFirst() }
        entries.append(Entry(number: count, time: time, isSent: isSent, bytes: bytes))
    }
}
