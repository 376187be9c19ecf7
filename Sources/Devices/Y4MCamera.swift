import Media

/// A Y4M file played over and over in real time, as if it were a camera.
package final class Y4MCamera: VideoSource {
    package let detail: String
    package let interval: MediaTime
    package let warnings: [String] = []
    package private(set) var dropped = 0

    private let file: Y4MFile
    private let pool: PicturePool
    private let start: MediaTime
    private var index: Int64 = 0

    package init(path: String) throws(DeviceError) {
        file = try Y4MFile(path: path)
        pool = PicturePool(size: file.header.size)
        interval = file.header.time(of: 1)
        detail = "I420 \(file.header.size) \(Double(file.header.rateNumerator) / Double(file.header.rateDenominator))/s"
        start = SystemMediaClock().now()
    }

    package func next(timeout: MediaTime) throws(DeviceError) -> CapturedVideo? {
        let time = start + file.header.time(of: index)
        guard Pacer.wait(until: time, timeout: timeout) else { return nil }
        index += 1
        guard let picture = pool.take(time: time) else {
            dropped += 1
            return nil
        }
        if !file.read(into: picture) {
            file.rewind()
            guard file.read(into: picture) else {
                throw DeviceError(.lost, device: file.path, action: "reading a picture", reason: "the file has none")
            }
        }
        return .picture(picture)
    }
}
