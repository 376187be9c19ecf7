/// Finds media packets in what a connection brings, and skips what is none.
package struct JT1078Reader: Sendable {
    package struct Packet: Sendable, Hashable {
        package let header: JT1078Header
        package let data: [UInt8]
    }

    private let simLength: Int
    private var buffer: [UInt8] = []
    package private(set) var skippedBytes = 0

    /// - Parameter simLength: six or ten bytes.
    package init(simLength: Int) { self.simLength = simLength }

    /// Never more than a packet and what was fed last.
    package var bufferedBytes: Int { buffer.count }

    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [Packet] {
        buffer.append(contentsOf: bytes)
        var packets: [Packet] = []
        var position = 0
        while true {
            guard let start = markerStart(from: position) else {
                // The last bytes may be the beginning of a marker.
                let kept = max(position, buffer.count - (JT1078Header.marker.count - 1))
                skippedBytes += kept - position
                position = kept
                break
            }
            skippedBytes += start - position
            position = start
            let longest = JT1078Header.length(of: .keyFrame, simLength: simLength)
            guard let header = JT1078Header(buffer[start...], simLength: simLength) else {
                if buffer.count - start < longest { break }
                position += JT1078Header.marker.count
                skippedBytes += JT1078Header.marker.count
                continue
            }
            guard header.dataLength <= JT1078Header.maximumReceivedData else {
                position += JT1078Header.marker.count
                skippedBytes += JT1078Header.marker.count
                continue
            }
            let end = start + header.length + header.dataLength
            guard end <= buffer.count else { break }
            packets.append(Packet(header: header, data: Array(buffer[(start + header.length)..<end])))
            position = end
        }
        buffer.removeFirst(position)
        return packets
    }

    private func markerStart(from position: Int) -> Int? {
        let marker = JT1078Header.marker
        var index = position
        while index + marker.count <= buffer.count {
            if buffer[index] == marker[0], buffer[index...].starts(with: marker) { return index }
            index += 1
        }
        return nil
    }
}
