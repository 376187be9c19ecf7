import ArgumentParser
import ControlProtocol
import Glibc

/// What all commands have in common: where the agent is, how its answers are shown, and how failures end.
struct ControlConnection: ParsableArguments {
    @Flag(help: "Print the agent's answer as JSON.")
    var json = false

    @Option(help: ArgumentHelp("The control socket of the agent.", valueName: "path"))
    var socket = ControlClient.defaultSocket

    /// The answer's body. Ends the program where there is none, or a refusal.
    func request(
        _ method: String, _ path: String, body: [UInt8]? = nil, timeoutSeconds: Int = 10
    ) throws -> [UInt8] {
        let client = ControlClient(socket: socket, timeoutSeconds: timeoutSeconds)
        let response: ControlClient.Response
        do {
            response = try client.send(method: method, path: path, body: body)
        } catch {
            throw Self.unavailable(error)
        }
        try check(response, method, path)
        return response.body
    }

    /// Writes a body of any length to a file.
    /// - Returns: its bytes.
    func download(_ path: String, to file: OutputFile) throws -> Int {
        var count = 0
        var failure: (any Error)?
        let response: ControlClient.Response
        do {
            response = try ControlClient(socket: socket, timeoutSeconds: 30).download(path: path) { bytes in
                do {
                    try file.write(bytes)
                    count += bytes.count
                } catch {
                    failure = error
                }
                return failure == nil
            }
        } catch {
            throw Self.unavailable(error)
        }
        if let failure { throw failure }
        try check(response, "GET", path)
        return count
    }

    func check(_ response: ControlClient.Response, _ method: String, _ path: String) throws {
        guard !(200..<300).contains(response.status) else { return }
        if json {
            printError(String(decoding: response.body, as: UTF8.self))
        } else if let report = try? ControlCoding.decode(ErrorReport.self, from: response.body) {
            printError("edgectl: \(report.error.message) (\(report.error.code))")
        } else {
            printError("edgectl: the agent answered \(method) \(path) with status \(response.status)")
        }
        throw ExitCode(1)
    }

    /// Prints the answer as it is with --json, else what `show` makes of it.
    func report<Report: Decodable>(
        _ type: Report.Type, _ method: String, _ path: String, body: [UInt8]? = nil, timeoutSeconds: Int = 10,
        show: (Report) -> String
    ) throws {
        let answer = try request(method, path, body: body, timeoutSeconds: timeoutSeconds)
        guard !json else {
            printLine(String(decoding: answer, as: UTF8.self))
            return
        }
        do {
            printLine(show(try ControlCoding.decode(type, from: answer)))
        } catch {
            throw Self.unavailable(.broken("\(error); do edgectl and edge-agent have the same version?"))
        }
    }

    static func unavailable(_ failure: ControlClient.Failure) -> ExitCode {
        printError("edgectl: \(failure)")
        return ExitCode(69)
    }
}

/// The stream options as the command line writes them.
extension CodeStream: ExpressibleByArgument {}
extension DataType: ExpressibleByArgument {}

func printLine(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

/// Without an end of the line.
func printText(_ text: String) { write(text, to: STDOUT_FILENO) }

func printError(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

/// At once, so that events can be followed through a pipe.
private func write(_ text: String, to file: Int32) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        sent += count
    }
}
