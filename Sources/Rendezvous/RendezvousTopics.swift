/// Where what is said, below `edge-agent/DEVICE`.
package struct RendezvousTopics: Sendable, Hashable {
    private let base: String

    package init(prefix: String, device: String) { base = "\(prefix)/\(Self.level(device))" }

    // MARK: To the device

    package var offers: String { base + "/offers" }
    package var candidates: String { base + "/candidates" }
    package var commands: String { base + "/commands" }

    // MARK: From the device

    /// Retained; the broker's own words where the device is gone.
    package var presence: String { base + "/presence" }
    /// Retained: what a viewer needs to connect.
    package var info: String { base + "/info" }
    package var events: String { base + "/events" }
    package func answer(_ id: String) -> String { "\(base)/answers/\(id)" }
    package func reply(_ id: String) -> String { "\(base)/replies/\(id)" }

    /// A device's name as one level of a topic: what has a meaning there becomes `_`.
    private static func level(_ text: String) -> String {
        String(text.unicodeScalars.map { "/+#\0".unicodeScalars.contains($0) ? "_" : Character($0) })
    }
}
