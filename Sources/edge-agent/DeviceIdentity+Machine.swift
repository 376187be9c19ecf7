import Configuration
import ControlProtocol
import Glibc
import Logging

extension DeviceIdentity {
    /// As the device's id and the host name are now. What does not hold an id is warned about, and counts as none.
    static func ofThisMachine(logger: Logger) -> DeviceIdentity {
        var id: String?
        do throws(DeviceIDFile.Failure) {
            id = try DeviceIDFile.read()
        } catch {
            logger.warning("the device's id is ignored", metadata: ["detail": "\(error)"])
        }
        return DeviceIdentity(id: id, name: hostName())
    }

    private static func hostName() -> String {
        // Longer than any name; what fills it to the end has no zero behind it.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
