import Access

/// The inner commands there are. A handler is found by one of these alone, and each says what right it takes, so that a
/// new command cannot do without.
package enum InnerCommandName: String, Sendable, Hashable, CaseIterable {
    case deviceState = "get_device_st"
    case channelList = "get_nvr_list"
    case monthRecord = "get_month_record"
    case recordIndex = "get_record_index"
    case fileList = "get_file_list"
    case playbackPause = "playback_pause"
    case playbackResume = "playback_resume"
    case playbackSeek = "playback_seek"
    case playbackFastForward = "playback_ff"
    case playbackSpeed = "playback_speed"
    case playbackProgress = "playback_progress"
    case callAnswer = "call_answer"
    case callHangUp = "call_hang_up"
    case callReject = "call_reject"
    case callCancel = "call_cancel"
    case callBusy = "call_busy"
    case callTimeout = "call_timeout"

    package var right: Right {
        switch self {
        case .deviceState, .channelList: .command
        case .monthRecord, .recordIndex, .fileList: .playback
        case .playbackPause, .playbackResume, .playbackSeek, .playbackFastForward, .playbackSpeed, .playbackProgress:
            .playback
        case .callAnswer, .callHangUp, .callReject, .callCancel, .callBusy, .callTimeout: .talk
        }
    }

    /// Of the grammar without its `cmd=`, where it is one of these.
    package init?(_ query: RequestQuery) {
        guard let name = query["cmd"].flatMap(InnerCommandName.init(rawValue:)) else { return nil }
        self = name
    }
}
