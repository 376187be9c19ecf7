import ArgumentParser
import ControlProtocol

struct AccessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Who may come in: tokens, and addresses that are good for a while.",
        subcommands: [
            AccessListCommand.self, AccessShowCommand.self, AccessAddCommand.self, AccessRemoveCommand.self,
            AccessResetCommand.self, AccessURLCommand.self, AccessOperationsCommand.self,
        ], defaultSubcommand: AccessListCommand.self)
}

struct AccessListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Where viewers come in, what that takes, and the tokens there are.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report(AccessReport.self, "GET", "/api/v1/access", show: ReportText.access)
    }
}

struct AccessShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the first tokens, once.",
        discussion: """
            They were made when the agent started for the first time. Once they have been shown, the device keeps \
            nothing that they could be shown from again; `edgectl access reset` makes new ones.
            """)

    @OptionGroup var agent: ControlConnection

    @Flag(help: "They can be shown again.")
    var keep = false

    func run() throws {
        let order = ControlCoding.encode(ShowOrder(keep: keep))
        let access = try ControlCoding.decode(
            AccessReport.self, from: try agent.request("GET", "/api/v1/access"))
        try agent.report([NewTokenReport].self, "POST", "/api/v1/access/show", body: order) {
            ReportText.newTokens($0, access.entrance)
        }
    }
}

struct AccessAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Makes a token and prints it, this once.")

    @OptionGroup var agent: ControlConnection

    @Argument(help: ArgumentHelp("What it is called.", valueName: "name"))
    var name: String

    @Option(
        help: ArgumentHelp(
            "What it allows, joined by commas: live, playback, download, talk, ptz, command, control, metrics, admin; "
                + "else live,playback,download,command.",
            valueName: "names"))
    var rights: String?

    @Option(help: ArgumentHelp("The only channel that it is for; else it is for all.", valueName: "number"))
    var channel: Int?

    @Option(help: ArgumentHelp("How long it holds, in days; else for ever.", valueName: "number"))
    var days: Int?

    func validate() throws {
        if let days, !(1...36_500).contains(days) { throw ValidationError("--days is 1 to 36500") }
    }

    func run() throws {
        let order = TokenOrder(
            name: name, rights: rights?.split(separator: ",").map(String.init), channel: channel,
            seconds: days.map { Int64($0) * 86_400 })
        try agent.report(
            NewTokenReport.self, "POST", "/api/v1/access/tokens", body: ControlCoding.encode(order), show: \.token)
    }
}

struct AccessRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Makes a token worthless, and the addresses that were made with it.")

    @OptionGroup var agent: ControlConnection

    @Argument(help: ArgumentHelp("What it is called.", valueName: "name"))
    var name: String

    func run() throws {
        _ = try agent.request("DELETE", "/api/v1/access/tokens/\(name)")
        if !agent.json { printLine("\(name) is no longer good") }
    }
}

struct AccessResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Makes all tokens and addresses worthless, and two new tokens, which it prints."
    )

    @OptionGroup var agent: ControlConnection

    func run() throws {
        let access = try ControlCoding.decode(
            AccessReport.self, from: try agent.request("GET", "/api/v1/access"))
        try agent.report([NewTokenReport].self, "POST", "/api/v1/access/reset") {
            ReportText.newTokens($0, access.entrance)
        }
    }
}

struct AccessURLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "url", abstract: "Makes an address that is good for a while, and prints it.",
        discussion: "For players that cannot be given a token. Whoever has it may use it until it ends.")

    @OptionGroup var agent: ControlConnection

    @Option(help: ArgumentHelp("The channel.", valueName: "number"))
    var channel = 0

    @Option(help: ArgumentHelp("super, high or standard.", valueName: "name"))
    var quality = "high"

    @Option(help: ArgumentHelp("How long it holds, in seconds; a day at most.", valueName: "number"))
    var seconds = TicketOrder.defaultSeconds

    @Flag(help: "The page's address, for watching all channels.")
    var page = false

    func run() throws {
        let access = try ControlCoding.decode(
            AccessReport.self, from: try agent.request("GET", "/api/v1/access"))
        let order =
            page
            ? TicketOrder(seconds: seconds, rights: ["live", "playback", "download", "command"])
            : TicketOrder(seconds: seconds, channel: channel, rights: ["live"])
        let base = access.entrance.addresses.first ?? "/"
        try agent.report(
            TicketReport.self, "POST", "/api/v1/access/tickets", body: ControlCoding.encode(order)
        ) { report in
            page
                ? "\(base)#token=\(report.ticket)"
                : "\(base)ipc.flv?action=live&channel=\(channel)&quality=\(quality)&ticket=\(report.ticket)"
        }
    }
}

struct AccessOperationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "Everything that can be asked for, and the right that it takes.")

    @OptionGroup var agent: ControlConnection

    func run() throws {
        try agent.report(
            [OperationReport].self, "GET", "/api/v1/access/operations", show: ReportText.operations)
    }
}
