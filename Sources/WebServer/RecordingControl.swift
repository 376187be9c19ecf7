import ControlProtocol
import Recording

/// What the control API does with recordings.
package protocol RecordingControl: Sendable {
    /// The newest ones that overlap a range (milliseconds since 1970, UTC), in order of time.
    ///
    /// - Parameter channel: nil for all channels.
    func files(channel: Int?, in range: Range<Int64>, limit: Int) async throws(ControlError) -> [RecordedFileReport]
    func setProtected(
        _ isProtected: Bool, channel: Int, name: SegmentName
    ) async throws(ControlError) -> RecordedFileReport
    /// A file that is being written stays.
    func delete(channel: Int, name: SegmentName) async throws(ControlError) -> RecordedFileReport
    func record(channel: Int, _ order: RecordOrder) async throws(ControlError) -> RecordCommandReport
    func endRecord(channel: Int, stream: CodeStream) async throws(ControlError) -> RecordCommandReport
}
