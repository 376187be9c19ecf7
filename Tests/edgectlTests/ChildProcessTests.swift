import Testing
import edgectl

@Suite struct ChildProcessTests {
    private func run(_ script: String, patienceSeconds: Int = 30) throws -> (ChildProcess.Ending, [String]) {
        var lines: [String] = []
        let ending = try ChildProcess.run("/bin/sh", ["-c", script], patienceSeconds: patienceSeconds) {
            lines.append($0)
        }
        return (ending, lines)
    }

    @Test func linesComeApartFromErrors() throws {
        let (ending, lines) = try run("echo one; echo two >&2; printf 'three\\n\\nfour'; exit 3")
        #expect(lines == ["one", "three", "", "four"])
        #expect(ending == .init(status: 3, errors: "two\n"))
    }

    @Test func aSignalIsAStatus() throws {
        #expect(try run("kill -9 $$").0.status == 137)
    }

    @Test func muchOutputIsTakenAndManyErrorsAreCut() throws {
        let (ending, lines) = try run(
            "i=0; while [ $i -lt 20000 ]; do echo 0123456789; echo abcdefghi >&2; i=$((i+1)); done")
        #expect(lines.count == 20000)
        #expect(ending.errors.utf8.count == ChildProcess.maximumErrorBytes)
    }

    @Test func oneThatFallsSilentIsEnded() {
        #expect(throws: ChildProcess.Failure.silent(program: "/bin/sh", seconds: 1)) {
            try run("echo begin; exec sleep 1000", patienceSeconds: 1)
        }
        // Neither does one escape by closing its output.
        #expect(throws: ChildProcess.Failure.silent(program: "/bin/sh", seconds: 1)) {
            try run("exec sleep 1000 >&- 2>&-", patienceSeconds: 1)
        }
    }

    @Test func aProgramThatIsNotThereIsNamed() {
        #expect(throws: ChildProcess.Failure.notInstalled(program: "/nonexistent")) {
            try ChildProcess.run("/nonexistent", [], patienceSeconds: 1) { _ in }
        }
    }

    @Test func nothingOfTheCallerIsInherited() throws {
        // Its standard input is empty, and its files are the three that every program has.
        let (_, lines) = try run(
            "read x || echo empty; ls /proc/self/fd | wc -l; env | cut -d= -f1 | sort | tr '\\n' ' '")
        #expect(lines.first == "empty")
        // The fourth is the folder that ls itself reads.
        #expect(lines.dropFirst().first.map { $0.filter { $0 != " " } } == "4")
        #expect(lines.last?.contains("HOME") == false)
    }

    @Test func linesAreBounded() {
        var splitter = LineSplitter(maximumBytes: 3)
        #expect(splitter.take("ab".utf8) == [])
        #expect(splitter.take("cdef\ng\n\nh".utf8) == ["abc", "g", ""])
        #expect(splitter.rest == "h")
    }
}
