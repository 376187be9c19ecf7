import Glibc

/// What this machine's image says of itself in `/usr/lib/os-release`.
package struct SystemRelease: Sendable, Hashable {
    package static let path = "/usr/lib/os-release"

    /// The image's version, as its update bundle names it.
    package var imageVersion: String?

    package init(imageVersion: String?) { self.imageVersion = imageVersion }

    /// Lines are `KEY=value`, the value perhaps in quotes; see os-release(5).
    package init(parsing text: String) {
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "="), line[..<equals] == "IMAGE_VERSION" else { continue }
            let value = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
            if !value.isEmpty { imageVersion = value }
        }
    }

    /// That of this machine. A system without the file says nothing of itself.
    package static func ofThisMachine() -> Self {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return Self(imageVersion: nil) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(file, &buffer, buffer.count)
        return Self(parsing: String(decoding: buffer.prefix(max(0, count)), as: UTF8.self))
    }
}
