/// How much later than planned steps were taken, in microseconds.
package struct StepJitter: Sendable, Hashable {
    package var steps: Int
    package var p50: Int
    package var p99: Int
    package var maximum: Int

    package init(steps: Int, p50: Int, p99: Int, maximum: Int) {
        self.steps = steps
        self.p50 = p50
        self.p99 = p99
        self.maximum = maximum
    }
}
