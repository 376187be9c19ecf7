import ArgumentParser
import ControlProtocol
import PlatformProtocol

struct PlatformCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platform", abstract: "Links to fleet platforms (JT/T 808 and JT/T 1078).",
        subcommands: [List.self, Log.self, Decode.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The links, and what the platforms have open.")

        @OptionGroup var agent: ControlConnection

        func run() throws {
            try agent.report([PlatformReport].self, "GET", "/api/v1/platforms", show: ReportText.platforms)
        }
    }

    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The last frames of a link, in words and bytes.",
            discussion: "Frames that hold a password or a code are shown without their bytes.")

        @OptionGroup var agent: ControlConnection

        @Argument(help: "The platform's name, as platform list shows it.")
        var name: String

        @Flag(help: "Without the bytes.")
        var short = false

        func validate() throws {
            guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3F }), !name.isEmpty else {
                throw ValidationError("\"\(name)\" is no name of a platform.")
            }
        }

        func run() throws {
            try agent.report([PlatformFrameReport].self, "GET", "/api/v1/platforms/\(name)/frames") {
                ReportText.frames($0, withBytes: !short)
            }
        }
    }

    struct Decode: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a frame or a media packet apart; no agent is asked.",
            discussion: """
                A frame begins and ends with 7e, a media packet begins with 30316364. "encoded" is what the agent makes \
                of the fields that it read.
                """)

        @Argument(help: "The bytes in hexadecimal; spaces are passed over.")
        var hex: [String]

        @Flag(help: "Print one line of JSON.")
        var json = false

        @Option(help: ArgumentHelp("Bytes of a packet's SIM: 6 or 10. Default: what fits.", valueName: "number"))
        var sim: Int?

        func validate() throws {
            if let sim, sim != 6, sim != 10 { throw ValidationError("--sim is 6 or 10.") }
        }

        func run() throws {
            guard let bytes = bytes(hex: hex.joined()) else {
                printError("edgectl: these are no bytes in hexadecimal")
                throw ExitCode(1)
            }
            let value: DecodedValue
            if bytes.starts(with: JT1078Header.marker) {
                guard let packet = JT1078Decoding.packet(bytes, simLength: sim) else {
                    printError("edgectl: this is no media packet")
                    throw ExitCode(1)
                }
                value = packet
            } else {
                do throws(JT808Error) { value = try JT808Decoding.frame(bytes) } catch {
                    printError("edgectl: \(error)")
                    throw ExitCode(1)
                }
            }
            printLine(json ? value.json : ReportText.decoded(value))
        }
    }
}
