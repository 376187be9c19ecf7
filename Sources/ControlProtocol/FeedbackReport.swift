/// The answer to `POST /api/v1/feedback`: what became of a message to viewers.
package struct FeedbackReport: Codable, Sendable, Hashable {
    /// Visitors that listen and were told.
    package var reached: Int
    /// Visitors for whom it waits until they listen, a minute at most.
    package var waiting: Int

    package init(reached: Int, waiting: Int) {
        self.reached = reached
        self.waiting = waiting
    }
}
