import Devices
import Logging
import Media
import Motion
import Synchronization
import TestSupport
import Testing

@Suite struct PTZHeadTests {
    private let ann = MotionHolder(rawValue: 1)
    private let logger = Logger(label: "test")

    private func withStore(_ body: (HeadStore) async throws -> Void) async throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let store = HeadStore(folder: folder, logger: logger)
        try await body(store)
        store.close()
    }

    private var simulated: PTZSettings {
        var head = HeadState.Settings()
        head.limits = SimulatedDriver.Settings().limits
        return PTZSettings(driver: .simulated(.init()), head: head)
    }

    /// Waits, ten seconds at most.
    private func waits(for condition: () throws -> Bool) async throws -> Bool {
        let end = SystemMediaClock().now() + .seconds(10)
        while SystemMediaClock().now() < end {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return try condition()
    }

    @Test func pressMovesAndReleaseStops() async throws {
        try await withStore { store in
            let head = PTZHead(channel: 0, settings: simulated, store: store, logger: logger)
            head.start()
            let moving = try await head.perform(.press([.right], speed: 1), for: ann)
            #expect(moving.isMoving)
            #expect(try await waits { head.report.pan ?? 0 > 1 })
            let atRest = try await head.perform(.release, for: ann)
            #expect(!atRest.isMoving)
            head.stop()
            await #expect(throws: PTZRefusal.closed) { try await head.perform(.release, for: ann) }
        }
    }

    @Test func theLossOfTheHolderStops() async throws {
        try await withStore { store in
            var settings = simulated
            // However late this test goes on, nothing else stops it before.
            settings.head.timeLimit = .seconds(3600)
            let head = PTZHead(channel: 0, settings: settings, store: store, logger: logger)
            head.start()
            _ = try await head.perform(.press([.right], speed: 0.001), for: ann)
            head.lost(ann)
            #expect(try await waits { !head.report.isMoving })
            #expect(head.report.counters.stops == [.holderLost: 1])
            head.stop()
        }
    }

    @Test func theTimeLimitStops() async throws {
        try await withStore { store in
            var settings = simulated
            settings.head.timeLimit = .milliseconds(100)
            let head = PTZHead(channel: 0, settings: settings, store: store, logger: logger)
            head.start()
            _ = try await head.perform(.press([.right], speed: 1), for: ann)
            #expect(try await waits { !head.report.isMoving })
            #expect(head.report.counters.stops == [.timeLimit: 1])
            head.stop()
        }
    }

    @Test func positionAndPresetsAreKeptAcrossAnOrderlyRestart() async throws {
        try await withStore { store in
            let head = PTZHead(channel: 0, settings: simulated, store: store, logger: logger)
            head.start()
            _ = try await head.perform(.go(pan: 2, tilt: 1, zoom: nil), for: ann)
            #expect(try await waits { head.report.pan == 2 && !head.report.isMoving })
            _ = try await head.perform(.setPreset(7), for: ann)
            head.stop()
            let again = PTZHead(channel: 0, settings: simulated, store: store, logger: logger)
            again.start()
            #expect(try await waits { again.report.pan == 2 && again.report.presets == [7] })
            again.stop()
        }
    }

    @Test func afterACrashWhileMovingThePositionIsUnknownUntilHome() async throws {
        try await withStore { store in
            var memory = HeadMemory()
            memory.isMoving = true
            store.save(memory, for: 0)
            let head = PTZHead(channel: 0, settings: simulated, store: store, logger: logger)
            head.start()
            await #expect(throws: PTZRefusal.positionUnknown) {
                try await head.perform(.go(pan: 1, tilt: nil, zoom: nil), for: ann)
            }
            #expect(head.report.pan == nil)
            _ = try await head.perform(.home, for: ann)
            #expect(try await waits { head.report.pan == 0 && !head.report.isMoving })
            head.stop()
        }
    }

    @Test func aLineThatIsPulledOutIsAFaultUntilItIsBack() async throws {
        try await withStore { store in
            let line = try PseudoTerminal()
            let place = Mutex(line.path)
            let faults = Mutex<[Bool]>([])
            let settings = PTZSettings(driver: .pelcoD(.init(device: line.path)))
            let head = PTZHead(
                channel: 0, settings: settings, store: store, logger: logger,
                onFault: { error in faults.withLock { $0.append(error != nil) } },
                makeDriver: { _ in PelcoDDriver(.init(device: place.withLock { $0 })) })
            head.start()
            let stop = PelcoD.stop(1).bytes
            #expect(line.read(21) == stop + stop + stop)
            _ = try await head.perform(.press([.left], speed: 1), for: ann)
            #expect(line.read(7) == PelcoD.move(1, MotorVelocity([.left], speed: 1)).bytes)
            line.unplug()
            #expect(try await waits { head.report.fault != nil })
            #expect(!head.report.isMoving)
            #expect(head.report.counters.faults == 1)
            await #expect(throws: PTZRefusal.self) { try await head.perform(.press([.left], speed: 1), for: ann) }
            let other = try PseudoTerminal()
            place.withLock { $0 = other.path }
            #expect(other.read(21) == stop + stop + stop)
            #expect(try await waits { head.report.fault == nil })
            #expect(faults.withLock { $0 } == [true, false])
            head.stop()
            #expect(other.read(21) == stop + stop + stop)
        }
    }

    @Test func aFloodOfCommandsEndsInTheReleaseThatCameLast() async throws {
        try await withStore { store in
            let head = PTZHead(channel: 0, settings: simulated, store: store, logger: logger)
            head.start()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let direction = PTZDirection.allCases[number % 4]
                        _ = try? await head.perform(
                            .press([direction], speed: 1), for: MotionHolder(rawValue: UInt64(number)))
                    }
                }
            }
            let atRest = try await head.perform(.release, for: ann)
            #expect(!atRest.isMoving)
            for number in 0..<500 { head.lost(MotionHolder(rawValue: UInt64(number))) }
            #expect(!head.report.isMoving)
            head.stop()
        }
    }
}
