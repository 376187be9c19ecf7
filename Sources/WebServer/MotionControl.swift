import ControlProtocol

/// What the control API does with heads that turn.
package protocol MotionControl: Sendable {
    func head(channel: Int) async throws(ControlError) -> HeadReport
    /// A press is held until it ends or the calling task is cancelled.
    func perform(channel: Int, _ order: PTZOrder) async throws(ControlError) -> HeadReport
}
