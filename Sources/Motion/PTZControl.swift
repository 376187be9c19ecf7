/// A head that can be commanded. From any thread or task.
package protocol PTZControl: AnyObject, Sendable {
    /// Returns when the order has reached the motor's thread, not when the motion ends.
    func perform(_ command: PTZCommand, for holder: MotionHolder) async throws(PTZRefusal) -> PTZReport

    /// Who commanded is gone: what it moved stops. Returns at once.
    func lost(_ holder: MotionHolder)

    var report: PTZReport { get }
}
