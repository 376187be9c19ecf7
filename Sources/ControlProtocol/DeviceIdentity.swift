/// Which device this is, where many are managed.
package struct DeviceIdentity: Codable, Sendable, Hashable {
    /// Stays the same for the life of the device; nil where none was given to it.
    package var id: String?
    /// The host name.
    package var name: String

    package init(id: String?, name: String) {
        self.id = id
        self.name = name
    }
}
