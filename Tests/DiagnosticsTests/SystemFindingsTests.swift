import ControlProtocol
import Diagnostics
import Glibc
import Testing

@Suite struct SystemFindingsTests {
    // MARK: Disks

    private static func storage(
        _ outcome: StorageProbe.Outcome, free: Int64 = 1 << 33, files: Int64? = 1000,
        _ purpose: StorageDiagnosis.Folder.Purpose = .state
    ) -> [String] {
        StorageDiagnosis.findings(
            .init(
                path: "/data", purpose: purpose,
                probe: .init(outcome: outcome, totalBytes: 1 << 34, freeBytes: free, freeFiles: files))
        ).map(\.code)
    }

    @Test func whatADiskAnswersIsNamed() {
        #expect(Self.storage(.works(written: 2e7, read: 8e7)) == ["ok"])
        #expect(Self.storage(.forgets) == ["forgets"])
        #expect(Self.storage(.refuses(EROFS, action: "writing")) == ["readOnly"])
        #expect(Self.storage(.refuses(ENOSPC, action: "writing")) == ["full"])
        #expect(Self.storage(.refuses(EACCES, action: "writing")) == ["notPermitted"])
        #expect(Self.storage(.refuses(ENOENT, action: "looking at the folder")) == ["missing"])
        #expect(Self.storage(.refuses(EIO, action: "reading back")) == ["failing"])
        #expect(Self.storage(.refuses(ENOSPC, action: "making a file"), files: 0) == ["noFiles"])
        #expect(Self.storage(.works(written: 2e7, read: 8e7), free: 1 << 20) == ["nearlyFull"])
        #expect(Self.storage(.works(written: 1e6, read: 8e7), .recordings(rate: 1e6)) == ["slow"])
        #expect(Self.storage(.works(written: 1e7, read: 8e7), .recordings(rate: 1e6)) == ["ok"])
    }

    @Test func aFolderThatWorksIsTriedForReal() throws {
        let probe = StorageProbe.run(folder: "/tmp")
        guard case .works(let written, let read) = probe.outcome else {
            Issue.record("/tmp: \(probe.outcome)")
            return
        }
        #expect(written > 0 && read > 0)
        #expect(access("/tmp/.edge-agent-doctor", F_OK) != 0)
        #expect(probe.totalBytes >= probe.freeBytes)
    }

    @Test func aFolderThatIsNotThereIsSaidSo() {
        #expect(StorageProbe.run(folder: "/nowhere").outcome == .refuses(ENOENT, action: "looking at the folder"))
    }

    @Test func whatRecordingReportsIsPassedOn() {
        var disk = RecordingReport.Disk(
            state: .full, detail: "no room", sinceSeconds: 1, folder: "/r", recovery: .init())
        func codes() -> [String] {
            StorageDiagnosis.findings(RecordingReport(disk: disk, streams: [])).map(\.code)
        }
        #expect(codes() == ["full"])
        disk.state = .readOnly
        #expect(codes() == ["readOnly"])
        disk.state = .missing
        #expect(codes() == ["missing"])
        disk.state = .failed
        #expect(codes() == ["failing"])
        disk.state = .ready
        #expect(codes().isEmpty)
        disk.readBackFailures = 1
        #expect(codes() == ["damaged"])
        let stream = RecordingReport.Stream(
            channel: 0, stream: .main, mode: "continuous", state: .recording, sinceSeconds: 1, framesLost: 5)
        disk.readBackFailures = 0
        #expect(StorageDiagnosis.findings(RecordingReport(disk: disk, streams: [stream])).map(\.code) == ["tooSlow"])
    }

    // MARK: Network

    /// As a kernel wrote them.
    private static let routes = """
        Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
        eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
        eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
        """

    @Test func theGatewayIsReadFromTheKernelsTable() {
        #expect(NetworkProbe.defaultGateway(in: Self.routes) == .some("10.0.0.1"))
        let local = Self.routes.split(separator: "\n").filter { !$0.contains("0100000A") }.joined(separator: "\n")
        #expect(NetworkProbe.defaultGateway(in: local) == nil)
        #expect(
            NetworkProbe.defaultGateway(in: "h\nppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0")
                == .some(nil))
    }

    @Test func neighboursAreReadFromTheKernelsTable() {
        let table = """
            IP address       HW type     Flags       HW address            Mask     Device
            10.0.0.1         0x1         0x2         52:55:0a:00:02:02     *        eth0
            10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0
            """
        #expect(NetworkProbe.isNeighbour("10.0.0.1", in: table) == true)
        #expect(NetworkProbe.isNeighbour("10.0.0.9", in: table) == false)
        #expect(NetworkProbe.isNeighbour("10.0.0.7", in: table) == nil)
    }

    @Test func nameServersAreReadFromTheirFile() {
        #expect(
            NetworkProbe.nameServers(in: "# by hand\nnameserver 192.0.2.1\nsearch a.b\nnameserver\t2001:db8::1\n")
                == ["192.0.2.1", "2001:db8::1"])
    }

    @Test func networksAreJudged() {
        let eth0 = NetworkProbe.Interface(name: "eth0", addresses: ["192.0.2.7", "fe80::1"], maximumPacket: 1500)
        func codes(_ interfaces: [NetworkProbe.Interface], _ gateway: NetworkProbe.Gateway) -> [String] {
            NetworkDiagnosis.findings(NetworkProbe(interfaces: interfaces, gateway: gateway, nameServers: [])).map(
                \.code)
        }
        #expect(codes([eth0], .answers("192.0.2.1")) == ["ok"])
        #expect(codes([], .none) == ["noAddress"])
        #expect(codes([eth0], .none) == ["noRoute"])
        #expect(codes([eth0], .silent("192.0.2.1")) == ["gatewaySilent"])
        var local = eth0
        local.addresses = ["169.254.3.4", "fe80::1"]
        #expect(codes([local], .unknown) == ["onlyLinkLocal"])
        var small = eth0
        small.maximumPacket = 576
        #expect(codes([small], .unknown) == ["smallPackets"])
    }

    @Test func theWayInIsJudged() {
        let now: Int64 = 1_800_000_000
        let day: Int64 = 86_400
        func codes(_ entrance: EntranceReport) -> [String] {
            EntranceDiagnosis.findings(entrance, now: now).map(\.code)
        }
        var entrance = EntranceReport(isOpen: false, isLoopback: false, addresses: ["http://192.0.2.7:8080/"])
        #expect(codes(entrance) == ["ok"])
        entrance.isOpen = true
        #expect(codes(entrance) == ["open"])
        entrance.isLoopback = true
        #expect(codes(entrance) == ["ok"])
        (entrance.validFrom, entrance.validUntil) = (now - day, now + 14 * day)
        #expect(codes(entrance) == ["ok"])
        entrance.validUntil = now + 14 * day - 1
        #expect(codes(entrance) == ["certificateExpires"])
        entrance.validUntil = now
        #expect(codes(entrance) == ["certificateExpired"])
        (entrance.validFrom, entrance.validUntil) = (now + 1, now + 30 * day)
        entrance.problem = "no key"
        #expect(codes(entrance) == ["certificateNotInUse", "certificateNotYetValid"])
    }

    @Test func servicesAreJudged() {
        let service = NetworkDiagnosis.Service(name: "broker", host: "b.example", port: 1883)
        func code(_ outcome: ConnectionProbe.Outcome, nameServers: [String] = ["192.0.2.1"]) -> String {
            NetworkDiagnosis.finding(service, ConnectionProbe(outcome: outcome), nameServers: nameServers).code
        }
        #expect(code(.connected(milliseconds: 3, maximumPacket: 1500)) == "ok")
        #expect(code(.connected(milliseconds: 3, maximumPacket: 600)) == "smallPackets")
        #expect(code(.nameUnknown("not known")) == "nameUnknown")
        #expect(code(.nameUnknown("not known"), nameServers: []) == "noNameServer")
        #expect(code(.refused("Connection refused")) == "refused")
        #expect(code(.silent) == "unreachable")
    }

    @Test func aPortThatNobodyListensAtRefuses() {
        // Bound and not listened at, so that nobody else takes it meanwhile.
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                #expect(bind(file, name, length) == 0)
                #expect(getsockname(file, name, &length) == 0)
            }
            return Int(UInt16(bigEndian: $0.pointee.sin_port))
        }
        #expect(ConnectionProbe.run(host: "127.0.0.1", port: port).outcome == .refused("Connection refused"))
        #expect(listen(file, 1) == 0)
        guard case .connected = ConnectionProbe.run(host: "127.0.0.1", port: port).outcome else {
            Issue.record("the port that is listened at does not answer")
            return
        }
    }

    // MARK: Time

    @Test func clocksAreJudged() {
        func codes(_ now: Int, made: Int = 1_790_000_000, newest: Int? = nil, isSynchronised: Bool? = true) -> [String]
        {
            ClockDiagnosis.findings(
                .init(now: now, programMade: made, newestFootage: newest, isSynchronised: isSynchronised)
            ).map(\.code)
        }
        #expect(codes(1_795_000_000) == ["ok"])
        #expect(codes(0, made: 0) == ["past"])
        #expect(codes(1_780_000_000) == ["past"])
        #expect(codes(1_795_000_000, newest: 1_795_000_050) == ["ok"])
        #expect(codes(1_795_000_000, newest: 1_795_100_000) == ["behindFootage"])
        #expect(codes(1_795_000_000, isSynchronised: false) == ["notSynchronised"])
        #expect(codes(1_795_000_000, isSynchronised: nil) == ["ok"])
    }

    @Test func datesAreWrittenAsPeopleReadThem() {
        let found = ClockDiagnosis.findings(.init(now: 1_795_000_000, programMade: 0, isSynchronised: nil))
        #expect(found.first?.text == "2026-11-18 11:06 UTC")
    }

    // MARK: Power

    @Test func powerIsReadAndJudged() throws {
        let root = "/tmp/edge-agent-power-\(getpid())"
        func put(_ path: String, _ text: String) {
            var part = ""
            for name in "\(root)/\(path)".split(separator: "/").dropLast() {
                part += "/\(name)"
                mkdir(part, 0o755)
            }
            let file = open("\(root)/\(path)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
            #expect(write(file, text, text.utf8.count) == text.utf8.count)
            close(file)
        }
        put("thermal/thermal_zone0/type", "cpu-thermal\n")
        put("thermal/thermal_zone0/temp", "62300\n")
        put("thermal/thermal_zone0/trip_point_0_type", "critical\n")
        put("thermal/thermal_zone0/trip_point_0_temp", "110000\n")
        put("thermal/cooling_device0/type", "fan\n")
        #expect(PowerDiagnosis.findings(PowerProbe.run(root: root)) == [.ok(.power, subject: "cpu-thermal", "62.3 °C")])
        put("thermal/thermal_zone0/temp", "107000\n")
        put("hwmon/hwmon1/name", "rpi_volt\n")
        put("hwmon/hwmon1/in0_lcrit_alarm", "1\n")
        put("power_supply/bat/type", "Battery\n")
        put("power_supply/bat/capacity", "7\n")
        put("power_supply/bat/status", "Discharging\n")
        #expect(
            PowerDiagnosis.findings(PowerProbe.run(root: root)).map(\.code) == ["hot", "lowVoltage", "batteryLow"])
    }

    @Test func aMachineThatTellsNothingIsNotSpokenOf() {
        #expect(PowerDiagnosis.findings(PowerProbe.run(root: "/nowhere")).isEmpty)
    }

    // MARK: The agent

    @Test func theAgentsOwnLimitsAreWatched() {
        var facts = AgentDiagnosis.Facts(version: "1", uptimeSeconds: 5, openFiles: 10, maximumFiles: 100)
        #expect(AgentDiagnosis.findings(facts).map(\.code) == ["ok"])
        facts.openFiles = 90
        facts.residentBytes = 90 << 20
        facts.memoryLimit = 100 << 20
        facts.illness = "no frames leave 0/main"
        #expect(AgentDiagnosis.findings(facts).map(\.code) == ["stuck", "files", "memory"])
    }
}
