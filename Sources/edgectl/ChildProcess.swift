import CLinux
import Glibc

/// Runs another program to its end. It blocks the calling thread, which is what a command line wants.
package enum ChildProcess {
    package enum Failure: Error, Sendable, Hashable {
        case notInstalled(program: String)
        /// It neither said anything nor ended for so long, and was ended.
        case silent(program: String, seconds: Int)
        case broken(String)
    }

    package struct Ending: Sendable, Hashable {
        /// The exit status; 128 and the signal's number for one that a signal ended.
        package var status: Int32
        /// What it wrote to standard error, at most `maximumErrorBytes` of it.
        package var errors: String

        package init(status: Int32, errors: String) {
            self.status = status
            self.errors = errors
        }
    }

    /// A longer line is cut off here.
    package static let maximumLineBytes = 1 << 20
    package static let maximumErrorBytes = 64 << 10
    /// Such programs run as root: they find theirs in the system's folders, not in the caller's.
    private static let environment = ["PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]

    /// - Parameters:
    ///   - program: its whole path.
    ///   - patienceSeconds: how long it may say nothing.
    ///   - line: takes each line of its standard output as it comes.
    package static func run(
        _ program: String, _ arguments: [String], patienceSeconds: Int, line: (String) -> Void
    ) throws(Failure) -> Ending {
        let output = try pipe()
        defer { close(output.reader) }
        let errors: (reader: Int32, writer: Int32)
        do throws(Failure) {
            errors = try pipe()
        } catch {
            close(output.writer)
            throw error
        }
        defer { close(errors.reader) }
        let started = Result { () throws(Failure) in
            try spawn(program, arguments, output: output.writer, errors: errors.writer)
        }
        // The end of its output shows only once nobody else can write there.
        close(output.writer)
        close(errors.writer)
        let process = try started.get()

        do throws(Failure) {
            let said = try listen(
                output: output.reader, errors: errors.reader, patienceSeconds: patienceSeconds, line: line)
            guard let said, let status = wait(for: process, seconds: patienceSeconds) else {
                throw .silent(program: program, seconds: patienceSeconds)
            }
            return Ending(status: status, errors: String(decoding: said, as: UTF8.self))
        } catch {
            end(process)
            throw error
        }
    }

    // MARK: Its beginning

    private static func pipe() throws(Failure) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw .broken("pipe: \(String(cString: strerror(errno)))") }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ program: String, _ arguments: [String], output: Int32, errors: Int32
    ) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        clinux_spawn_close_from(&actions, STDERR_FILENO + 1)

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, program, &actions, nil, &words, &variables)
        switch result {
        case 0: return process
        case ENOENT: throw .notInstalled(program: program)
        default: throw .broken("\(program): \(String(cString: strerror(result)))")
        }
    }

    // MARK: Its output

    /// What it wrote to standard error; nil where it fell silent.
    private static func listen(
        output: Int32, errors: Int32, patienceSeconds: Int, line: (String) -> Void
    ) throws(Failure) -> [UInt8]? {
        var lines = LineSplitter(maximumBytes: maximumLineBytes)
        var said: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var entries = [output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !entries.isEmpty {
            let ready = poll(&entries, nfds_t(entries.count), Int32(patienceSeconds) * 1000)
            if ready < 0, errno == EINTR { continue }
            guard ready != 0 else { return nil }
            guard ready > 0 else { throw .broken("poll: \(String(cString: strerror(errno)))") }
            for entry in entries where entry.revents != 0 {
                let count = read(entry.fd, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 {
                    entries.removeAll { $0.fd == entry.fd }
                } else if entry.fd == output {
                    for text in lines.take(buffer[..<count]) { line(text) }
                } else {
                    said += buffer[..<min(count, maximumErrorBytes - said.count)]
                }
            }
        }
        if let rest = lines.rest { line(rest) }
        return said
    }

    // MARK: Its end

    /// What a shell would call its status; nil where it does not end in time.
    private static func wait(for process: pid_t, seconds: Int) -> Int32? {
        // It has closed its output, so it is about to end.
        let pause: Int32 = 10
        for _ in 0...(Int32(seconds) * 1000 / pause) {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process {
                return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
            }
            poll(nil, 0, pause)
        }
        return nil
    }

    private static func end(_ process: pid_t) {
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }
}
