import Glibc
import Media

/// A camera that this machine has.
package struct CameraDescription: Sendable, Hashable {
    /// Such as /dev/video0; may change when devices come and go.
    package let path: String
    /// Such as /dev/v4l/by-path/…, which names the socket it is plugged into; nil where udev made none.
    package let stablePath: String?
    package let name: String
    package let bus: String
    package let driver: String
    package let formats: [CameraFormat]
}

/// Finds cameras.
package enum CameraDiscovery {
    /// All nodes that give pictures, in the order of their numbers. Blocks while drivers answer.
    package static func cameras() -> [CameraDescription] { nodes().compactMap { describe($0) } }

    /// What is at `path`, or nil where it is no camera.
    package static func describe(_ path: String) -> CameraDescription? {
        guard let device = try? V4L2Device(path: path), let known = try? device.capabilities() else { return nil }
        return CameraDescription(
            path: path, stablePath: stablePath(of: path), name: known.name, bus: known.bus, driver: known.driver,
            formats: device.formats())
    }

    /// Where a camera that was at `path` is to be looked for when it comes back: under its stable name, if it has one.
    package static func stablePath(of path: String) -> String? {
        guard !path.hasPrefix("/dev/v4l/"), let real = realPath(path) else {
            return path.hasPrefix("/dev/v4l/") ? path : nil
        }
        for folder in ["/dev/v4l/by-path", "/dev/v4l/by-id"] {
            for name in entries(of: folder) where realPath("\(folder)/\(name)") == real { return "\(folder)/\(name)" }
        }
        return nil
    }

    /// The node of the camera on this bus, for machines without udev's links.
    package static func path(onBus bus: String) -> String? {
        nodes().first { path in
            guard let device = try? V4L2Device(path: path), let known = try? device.capabilities() else { return false }
            return known.bus == bus
        }
    }

    private static func nodes() -> [String] {
        entries(of: "/dev").filter { $0.hasPrefix("video") }
            .compactMap { name in Int(name.dropFirst(5)).map { (name, $0) } }
            .sorted { $0.1 < $1.1 }.map { "/dev/\($0.0)" }
    }

    private static func entries(of folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
