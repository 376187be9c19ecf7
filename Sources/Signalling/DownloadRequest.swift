/// A request for a recorded file: `action=download&channel=0&file_name=…&offset=0`.
package struct DownloadRequest: Sendable, Hashable {
    package let channel: Int
    /// As the viewer sent it, decoded once. To be looked up in the index, never to be joined to a path.
    package let name: String
    /// Bytes that the viewer has already.
    package let offset: Int64

    /// Bytes of a file's name; viewers keep one more for its end.
    package static let maximumNameBytes = 127

    package init(channel: Int, name: String, offset: Int64) {
        self.channel = channel
        self.name = name
        self.offset = offset
    }

    init(channel: Int, _ query: RequestQuery) throws(RequestRefusal) {
        guard let name = query["file_name"], !name.isEmpty else {
            throw .notFound("a download needs file_name, as get_file_list tells it")
        }
        guard name.utf8.count <= Self.maximumNameBytes, !name.utf8.contains(0) else {
            throw .notFound("there is no recording of this name")
        }
        switch query.number("offset") {
        case .missing: self.init(channel: channel, name: name, offset: 0)
        case .value(let offset): self.init(channel: channel, name: name, offset: Int64(offset))
        case .unreadable: throw .notFound("the offset is not a number of bytes")
        }
    }
}
