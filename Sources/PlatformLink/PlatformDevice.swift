import Motion
import NIOPosix
import Recording
import Streaming
import Talkback

/// The device that a terminal speaks for, as the links to platforms need it. All of it is quick, and may be asked on event
/// loops.
package protocol PlatformDevice: Sendable {
    func view() -> TerminalView
    func hub(_ channel: Int, _ quality: StreamQuality) -> StreamHub?
    func head(_ channel: Int) -> (any PTZControl)?
    /// Nil for a device that nobody can talk through.
    var talkSlot: TalkSlot? { get }
    /// Nil where nothing is recorded and nothing ever was; throws while the disk is away.
    var footage: (any FootageSource)? { get throws(StorageFailure) }
    /// For looking into recordings, which may wait for the disk.
    var footageThreads: NIOThreadPool { get }
}
