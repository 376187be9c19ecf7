import Media

/// Evens out what a network delivers unevenly: mono samples in as they come, and out in whatever numbers a speaker wants,
/// always as many as asked for. A value with a clock from outside; no I/O.
///
/// Playing begins when `target` is there. What a sender's clock runs faster or slower is taken out by playing up to half
/// a per cent faster or slower. Once a second it looks how deep the buffer had to be in the last ten seconds, and lets go
/// of what stays above that, so that a burst after a stall does not delay all that follows; but never is it deeper than
/// `maximum`. Every cut, hole and beginning is faded, so nothing clicks.
package struct JitterBuffer: Sendable {
    package struct Limits: Sendable, Hashable {
        /// How deep the buffer is right after something came, on an even network.
        package var target: MediaTime
        /// How deep it ever is.
        package var maximum: MediaTime

        package init(target: MediaTime, maximum: MediaTime) {
            self.target = target
            self.maximum = maximum
        }
    }

    package struct Counters: Sendable, Hashable {
        /// Samples that were heard.
        package var played: Int64 = 0
        /// Samples of silence in their stead, because nothing was there.
        package var silence: Int64 = 0
        /// Samples let go, because they came too late or were too many.
        package var dropped: Int64 = 0
        /// How often nothing was there.
        package var underruns = 0
    }

    /// Sound is never played faster or slower than by this share.
    package static let maximumBend = 0.005
    static let fade = MediaTime.milliseconds(5)
    /// The buffer is never wanted to be emptier than this.
    static let reserve = MediaTime.milliseconds(20)
    /// More than this above what is needed is cut, less is played away.
    static let coarse = MediaTime.milliseconds(60)
    /// A surplus is played away in this time.
    static let slowness = 4.0
    /// So many seconds' unevenness is remembered.
    static let memory = 10

    package let rate: Int
    package private(set) var counters = Counters()
    /// By which share sound is played faster (above 0) or slower.
    package private(set) var bend = 0.0

    private let target: Int
    private let maximum: Int
    private let fadeLength: Int
    /// What waits, from `head` on.
    private var waiting: [Int16] = []
    private var head = 0
    /// Resampled and not yet asked for.
    private var ready: [Int16] = []
    private var resampler = Resampler(channels: 1)
    private var isFilling = true
    private var isFinished = false
    private var hasBegun = false
    private var fadesIn = true
    private var isBehindHole = false
    /// When the oldest came of what waits for playing to begin.
    private var fillingSince: MediaTime?
    private var lastOut: Int16 = 0
    private var window: Window
    /// The last ones, as they would have been had the buffer always been treated as now.
    private var windows: [Window] = []

    /// What was seen in one second.
    private struct Window {
        var lowest = Int.max
        var highest = 0
        var left: Int

        var spread: Int { highest - lowest }
    }

    package init(rate: Int, limits: Limits) {
        self.rate = rate
        maximum = max(Int(limits.maximum.ticks(rate: rate)), 1)
        target = min(Int(limits.target.ticks(rate: rate)), maximum)
        fadeLength = max(Int(Self.fade.ticks(rate: rate)), 1)
        window = Window(left: rate)
    }

    /// Samples that wait.
    package var depth: Int { waiting.count - head }
    /// From a sample's arrival to its leaving here.
    package var delay: MediaTime { .samples(Int64(depth + ready.count), rate: rate) }
    /// Nothing more will come out.
    package var isDrained: Bool { isFinished && depth == 0 && ready.isEmpty }

    /// Takes samples that follow the former ones.
    package mutating func push(_ samples: [Int16], at now: MediaTime) {
        guard !samples.isEmpty, !isFinished else { return }
        if fillingSince == nil { fillingSince = now }
        // Never more memory than this, however much comes at once.
        let late = max(samples.count - maximum, 0)
        counters.dropped += Int64(late)
        if late > 0 { drop(depth) }
        let start = waiting.count
        waiting.append(contentsOf: samples.dropFirst(late))
        if isBehindHole { fadeIn(from: start) }
        if depth > maximum { drop(depth - maximum) }
        window.highest = max(window.highest, depth)
    }

    /// In the place of `count` samples that got lost on the way; only as many as the buffer lacks.
    package mutating func conceal(_ count: Int, at now: MediaTime) {
        let missing = min(count, target - depth)
        guard !isFilling, missing > 2 * fadeLength else { return }
        var hole = [Int16](repeating: 0, count: missing)
        let last = Int32(waiting.last ?? lastOut)
        for index in 0..<fadeLength { hole[index] = Int16(last * Int32(fadeLength - index) / Int32(fadeLength + 1)) }
        waiting.append(contentsOf: hole)
        isBehindHole = true
        window.highest = max(window.highest, depth)
    }

    private mutating func fadeIn(from start: Int) {
        isBehindHole = false
        for index in 0..<min(fadeLength, waiting.count - start) {
            waiting[start + index] = Int16(Int32(waiting[start + index]) * Int32(index) / Int32(fadeLength))
        }
    }

    /// Nothing more will be pushed; what is there is played.
    package mutating func finish() { isFinished = true }

    /// The next `count` samples to be heard.
    package mutating func pull(_ count: Int, at now: MediaTime) -> [Int16] {
        var output: [Int16] = []
        output.reserveCapacity(count)
        if isFilling, mayBegin(at: now) { begin() }
        if !isFilling {
            produce(count)
            let found = min(count, ready.count)
            output.append(contentsOf: ready.prefix(found))
            ready.removeFirst(found)
            counters.played += Int64(found)
            if let last = output.last { lastOut = last }
            if found < count { runDry() }
        }
        appendSilence(count - output.count, to: &output)
        look(after: count)
        return output
    }

    // MARK: Beginning and running dry

    private func mayBegin(at now: MediaTime) -> Bool {
        guard depth > 0, let fillingSince else { return false }
        // What is shorter than the target is heard too.
        return isFinished || depth >= target || now - fillingSince >= .samples(Int64(target), rate: rate)
    }

    private mutating func begin() {
        isFilling = false
        hasBegun = true
        fadesIn = true
    }

    private mutating func runDry() {
        isFilling = true
        fillingSince = nil
        resampler.reset()
        guard !isFinished else { return }
        counters.underruns += 1
        window.lowest = 0
    }

    /// The last sample dies away, and then there is silence.
    private mutating func appendSilence(_ count: Int, to output: inout [Int16]) {
        guard count > 0 else { return }
        var value = Int32(lastOut)
        let step = max(abs(value) / Int32(fadeLength), 1)
        for _ in 0..<count {
            value = value > 0 ? max(value - step, 0) : min(value + step, 0)
            output.append(Int16(value))
        }
        lastOut = Int16(value)
        if hasBegun, !isFinished { counters.silence += Int64(count) }
    }

    // MARK: Playing

    /// Sees to it that `count` samples are ready, as far as there are any.
    private mutating func produce(_ count: Int) {
        while ready.count < count, depth > 0 {
            var piece = Array(waiting[head..<head + min(depth, fadeLength)])
            head += piece.count
            if fadesIn {
                fadesIn = false
                for index in piece.indices {
                    piece[index] = Int16(Int32(piece[index]) * Int32(index) / Int32(piece.count))
                }
            }
            resampler.process(piece, step: 1 + bend, into: &ready)
        }
        guard head > rate / 4 else { return }
        waiting.removeFirst(head)
        head = 0
    }

    /// Lets go of the oldest; the joint is a cross-fade.
    private mutating func drop(_ count: Int) {
        let count = min(count, depth)
        let length = min(fadeLength, count, depth - count)
        for index in 0..<length {
            let (old, new) = (Int32(waiting[head + index]), Int32(waiting[head + count + index]))
            waiting[head + count + index] = Int16(old + (new - old) * Int32(index) / Int32(length))
        }
        head += count
        counters.dropped += Int64(count)
    }

    // MARK: Looking after the depth

    private mutating func look(after count: Int) {
        if !isFilling { window.lowest = min(window.lowest, depth) }
        window.left -= count
        guard window.left <= 0 else { return }
        defer { window = Window(left: rate) }
        guard window.lowest <= window.highest else { return bend = 0 }
        windows.append(window)
        if windows.count > Self.memory { windows.removeFirst() }
        let spread = windows.map(\.spread).max() ?? 0
        let wanted = max(target - spread, Int(Self.reserve.ticks(rate: rate)))
        var surplus = (windows.map(\.lowest).min() ?? wanted) - wanted
        if surplus > Int(Self.coarse.ticks(rate: rate)) {
            drop(surplus)
            remember(lower: surplus)
            surplus = 0
        }
        bend = min(max(Double(surplus) / (Double(rate) * Self.slowness), -Self.maximumBend), Self.maximumBend)
        // What the bend will do until the next look.
        remember(lower: Int(bend * Double(rate)))
    }

    /// What was done now would have made the buffer so much emptier before.
    private mutating func remember(lower count: Int) {
        for index in windows.indices {
            windows[index].lowest -= count
            windows[index].highest -= count
        }
    }
}
