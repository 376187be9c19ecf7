import Media
import Recording

/// The commands that act on the asking visitor's playback of a channel. Where there is none, the answer is 404.
package struct PlaybackCommands: Sendable {
    private let visitors: VisitorTable

    package init(_ visitors: VisitorTable) { self.visitors = visitors }

    package func add(to table: inout CommandTable) {
        table.add(.playbackPause) { await perform($0) { _, _ in .pause } }
        table.add(.playbackResume) { await perform($0) { _, _ in .resume } }
        table.add(.playbackSeek) { await perform($0, Self.seek) }
        table.add(.playbackFastForward) { await perform($0, Self.fastForward) }
        table.add(.playbackSpeed) { await perform($0, Self.pictureInterval) }
        table.add(.playbackProgress) { command in
            guard let progress = await progress(command, { _, _ in .report }) else { return .wrongRequest }
            return CommandReply(["status": .text("0"), "progress": .quoted(progress.position.milliseconds)])
        }
    }

    private typealias Order = @Sendable (RequestQuery, any PlaybackControl) -> PlaybackOrder?

    private func perform(_ command: InnerCommand, _ order: Order) async -> CommandReply {
        await progress(command, order) == nil ? .wrongRequest : .accepted
    }

    private func progress(_ command: InnerCommand, _ order: Order) async -> PlaybackProgress? {
        guard let playback = visitors.playback(of: command.visitor, channel: command.channel),
            let order = order(command.query, playback)
        else { return nil }
        return await playback.perform(order)
    }

    /// Two dialects: `progress` is milliseconds from the range's start; `time` is seconds, since 1970 where it is not
    /// before that start, else from it.
    private static func seek(_ query: RequestQuery, _ playback: any PlaybackControl) -> PlaybackOrder? {
        let length = Int64(playback.range.count)
        let start = playback.range.lowerBound / 1000
        if case .value(let progress) = query.number("progress") {
            return .seek(.milliseconds(min(Int64(progress), length)))
        }
        guard let time = query.seconds("time") else { return nil }
        return .seek(.milliseconds(min((time >= start ? time - start : time) * 1000, length)))
    }

    private static func fastForward(_ query: RequestQuery, _ playback: any PlaybackControl) -> PlaybackOrder? {
        switch query.number("speed") {
        case .value(0): .setSpeed(.normal)
        case .value(let every) where every <= 64: .setSpeed(.keyPictures(every: every))
        default: nil
        }
    }

    private static func pictureInterval(_ query: RequestQuery, _ playback: any PlaybackControl) -> PlaybackOrder? {
        switch query.number("speed") {
        case .value(0): .setSpeed(.normal)
        case .value(let milliseconds) where milliseconds <= 10_000:
            .setSpeed(.pictureInterval(.milliseconds(Int64(milliseconds))))
        default: nil
        }
    }
}
