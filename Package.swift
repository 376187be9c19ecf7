// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house and what each may import: Documentation/Architecture.md.

// GLib's headers lie in folders of their own, one of which depends on the architecture. Its pkg-config files would also
// have it linked, and it is opened at run time; so the folders are named here, with a cross-build's root before them.
let glibHeaders: [String] = {
    let root = Context.environment["PKG_CONFIG_SYSROOT_DIR"] ?? ""
    let configurations = Context.environment["PKG_CONFIG_PATH"] ?? ""
    #if arch(arm64)
        var libraries = "/usr/lib/aarch64-linux-gnu"
    #else
        var libraries = "/usr/lib/x86_64-linux-gnu"
    #endif
    if !root.isEmpty, let first = configurations.split(separator: ":").first, first.hasSuffix("/pkgconfig") {
        libraries = String(first.dropLast("/pkgconfig".count))
    }
    return ["\(root)/usr/include/glib-2.0", "\(libraries)/glib-2.0/include"]
}()

// For Scripts/fuzz: what inputs reach is counted in the agent's own code. Where the compiler is told of several sanitizers
// one by one, only what follows the first of them counts, so it is told once more.
let isForFuzzing = Context.environment["EDGE_AGENT_FUZZING"] != nil

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .unsafeFlags(
        glibHeaders.flatMap { ["-Xcc", "-isystem", "-Xcc", $0] } + (isForFuzzing ? ["-sanitize=fuzzer"] : [])),
]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

func cModule(_ name: String, pkgConfig: String? = nil, debian: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CModules/\(name)", pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func room(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "EdgeAgent",
    products: [
        .executable(name: "edge-agent", targets: ["edge-agent"]),
        .executable(name: "edgectl", targets: ["edgectl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.98.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Floor 0: C libraries.
        cModule("CX264", debian: "libx264-dev"),
        cModule("CVOAAC", pkgConfig: "vo-aacenc", debian: "libvo-aacenc-dev"),
        cModule("CFAAD", pkgConfig: "faad2", debian: "libfaad-dev"),
        cModule("CSpeexDSP", pkgConfig: "speexdsp", debian: "libspeexdsp-dev"),
        cModule("CV4L2", pkgConfig: "libv4l2", debian: "libv4l-dev"),
        cModule("CALSA", pkgConfig: "alsa", debian: "libasound2-dev"),
        cModule("CYUV", debian: "libyuv-dev"),
        cModule("CTurboJPEG", pkgConfig: "libturbojpeg", debian: "libturbojpeg0-dev"),
        cModule("CFreeType", pkgConfig: "freetype2", debian: "libfreetype-dev"),
        cModule("CLinux", debian: "libc6-dev"),
        cModule("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
        cModule("CCurl", debian: "libcurl4-openssl-dev"),
        cModule("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
        cModule("CNice", debian: "libnice-dev"),
        cModule("COpenSSL", debian: "libssl-dev"),
        cModule("CUSRSCTP", debian: "libusrsctp-dev"),
        cModule("CMosquitto", debian: "libmosquitto-dev"),
        // The functions of these, found in the libraries when they are wanted; nothing is linked to them.
        .target(name: "CDelayedLibraries", path: "Sources/CModules/CDelayedLibraries"),
        .target(name: "CCRC32C", path: "Sources/CModules/CCRC32C"),

        .target(name: "CCrashReport", path: "Sources/CModules/CCrashReport"),

        // Floor 1: what everything is made of.
        room("Media", [nio]),

        // Floor 1: the messages of fleet platforms.
        room("PlatformProtocol", []),

        // Floor 2: who may do what; formats, codecs, pictures.
        room("Access", ["Media"]),
        room("Containers", ["Media", nio]),
        room("Codecs", ["Media", "CX264", "CVOAAC", "CFAAD", "CSpeexDSP", nio]),
        room("Imaging", ["Media", "CYUV", "CTurboJPEG", "CFreeType"]),

        // Floor 3: where pictures and sound come from.
        room("Devices", ["Media", "Containers", "Imaging", "CV4L2", "CALSA", "CLinux"]),

        // Floor 4: the channel and its hub.
        room(
            "Streaming",
            ["Media", "Containers", "Codecs", "Imaging", "Devices", "CLinux", nio, collections, log]),

        // Floor 5: consumers of media that act on command.
        room(
            "Publishing",
            ["Media", "PlatformProtocol", "Containers", "Codecs", "Streaming", nio, nioPosix, nioHTTP, nioTLS, log]),
        room(
            "Recording", ["Media", "Containers", "Streaming", "CSQLite", "CLinux", nio, nioPosix, collections, log]),
        room("Motion", ["Media", "Devices", "Streaming", "CLinux", log]),

        room(
            "Talkback",
            ["Media", "Containers", "Codecs", "Devices", "Streaming", nio, collections, log]),

        room(
            "PeerToPeer",
            [
                "Media", "Access", "Streaming", "CCRC32C", "CDelayedLibraries", "CLinux", "CNice", "COpenSSL",
                "CUSRSCTP", nio,
                heap,
                log,
            ]),

        // Floor 6: the request grammar; the configuration of the whole.
        room("Signalling", ["Media", "Access", "Imaging", "Streaming", "Recording", "Motion"]),
        // What an integrator adds to it.
        room("Hooks", ["Media", "Streaming", "Signalling", "CLinux", log]),
        room(
            "Configuration",
            [
                "PlatformProtocol", "Media", "Access", "Codecs", "Devices", "Streaming", "Publishing", "Recording",
                "Motion", "Talkback", "PeerToPeer", "CYAML",
            ]),
        room("ControlProtocol", []),
        // What may be wrong with a device, and how it is found.
        room("Diagnostics", ["ControlProtocol"]),
        room("Supervision", [log]),

        // Floor 7: transports.
        room(
            "WebServer",
            [
                "Media", "Access", "Containers", "Streaming", "Recording", "Talkback", "PeerToPeer", "Signalling",
                "ControlProtocol", nio, nioPosix, nioHTTP, nioWebSocket, nioTLS, log,
            ],
            resources: [
                .embedInCode("Page/index.html"), .embedInCode("Page/player.js"), .embedInCode("Page/page.js"),
                .embedInCode("Page/page.css"), .embedInCode("Page/recordings.js"), .embedInCode("Page/ptz.js"),
                .embedInCode("Page/talk.js"), .embedInCode("Page/access.js"), .embedInCode("Page/transport.js"),
                .embedInCode("Page/download.js"), .embedInCode("Page/way.js"), .embedInCode("Page/talk-worklet.js"),
                .embedInCode("Page/edge-agent-viewer.js"), .embedInCode("Page/edge-agent-viewer.d.ts"),
            ]),

        room(
            "PlatformLink",
            [
                "Media", "PlatformProtocol", "Containers", "Codecs", "Streaming", "Publishing", "Recording", "Motion",
                "Talkback", "Signalling", "CCurl", nio, nioPosix, log,
            ]),

        room(
            "Rendezvous",
            [
                "CDelayedLibraries", "CMosquitto", "Media", "Access", "Streaming", "Publishing", "PeerToPeer",
                "Signalling", log,
            ]),

        // Floor 8: programs.
        .executableTarget(
            name: "edge-agent",
            dependencies: [
                "Media", "Access", "Containers", "Codecs", "Imaging", "Devices", "Streaming", "Publishing", "Recording",
                "Motion", "Talkback", "Signalling", "Hooks", "Configuration", "ControlProtocol", "Supervision",
                "PeerToPeer", "WebServer", "Rendezvous", "PlatformProtocol", "PlatformLink", "Diagnostics",
                "CCrashReport", "CLinux", nio, nioPosix, log, arguments, lifecycle,
                signals,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "edgectl", dependencies: ["ControlProtocol", "PlatformProtocol", "Diagnostics", "CLinux", arguments],
            swiftSettings: settings),

        // What several rooms' tests need.
        .target(
            name: "TestSupport", dependencies: [nio, nioPosix], path: "Tests/TestSupport", swiftSettings: settings),

        tests("Media"),
        tests("Access", ["TestSupport", "Media"]),
        tests("PlatformProtocol", ["TestSupport"]),
        tests("Containers", ["TestSupport", "Codecs", "Imaging"]),
        tests("Codecs", ["Imaging"]),
        tests("Imaging"),
        tests("Devices", ["TestSupport"]),
        tests("Streaming", [nioEmbedded, nioPosix]),
        tests("Publishing", ["TestSupport", "PlatformProtocol", nioEmbedded, nioTLS]),
        tests("Recording", ["TestSupport", "Codecs", "Devices", "Imaging", nioEmbedded, nioPosix]),
        tests("PeerToPeer", ["TestSupport", "CCRC32C"]),
        tests("Motion", ["TestSupport", "Devices", log]),
        tests("Signalling", ["TestSupport", "Access", "Imaging", "Media", "Motion", "Recording", "Streaming"]),
        tests("Hooks"),
        tests("Talkback", ["Codecs", "Containers", "Devices", "Media", "Streaming", "TestSupport", nio, log]),
        tests("Configuration", ["Access", "Motion", "PeerToPeer", "PlatformProtocol"]),
        tests("ControlProtocol"),
        tests("Diagnostics", ["ControlProtocol"]),
        tests("Supervision", [log]),
        tests("PlatformLink", ["PlatformProtocol", "Publishing", "Streaming", "Media", "TestSupport"]),
        tests(
            "WebServer",
            [
                "TestSupport", "Access", "Devices", "PeerToPeer", "Recording", "Talkback", "Signalling", nioEmbedded,
                nioPosix, nioWebSocket, nioTLS,
            ]),
        tests("Rendezvous", ["TestSupport", "PeerToPeer", "Signalling"]),
        tests("edgectl", ["ControlProtocol"]),
    ],
    swiftLanguageModes: [.v6]
)

// EDGE_AGENT_TESTS="Media Codecs" leaves out all tests but those of these rooms: to build the others takes minutes, and
// four times as long for another architecture.
if let rooms = Context.environment["EDGE_AGENT_TESTS"]?.split(separator: " ").map({ "\($0)Tests" }) {
    package.targets.removeAll { $0.type == .test && !rooms.contains($0.name) }
}

// Scripts/fuzz: libFuzzer's program, which needs the compiler's -sanitize=fuzzer for everything.
if isForFuzzing {
    package.targets += [
        .executableTarget(
            name: "Fuzzing",
            dependencies: [
                "Access", "Configuration", "Containers", "ControlProtocol", "Media", "PeerToPeer",
                "PlatformLink", "PlatformProtocol", "Publishing", "Rendezvous", "Signalling", "Talkback", "WebServer",
                nio, nioWebSocket,
            ],
            path: "Tests/Fuzzing", swiftSettings: settings),
    ]
    package.products.append(.executable(name: "Fuzzing", targets: ["Fuzzing"]))
}
