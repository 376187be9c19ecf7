"""An emulated board under QEMU, and the media service on the host that it pushes to."""

import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class BoardError(Exception):
    """What the board did not do, with what it printed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what: str, condition, timeout: float, interval: float = 0.2):
    """The first true answer of `condition`; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise BoardError(f"not within {timeout:g} s: {what}")
        time.sleep(interval)


class Process:
    """A program of the host that always ends with the test."""

    def __init__(self, command: list, **options):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, start_new_session=True, **options
        )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self, with_signal: int = signal.SIGTERM, timeout: float = 10) -> int:
        if self.is_running:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait(timeout)


class MediaService:
    """nginx with its RTMP module on the host's loopback, where the board sees it as 10.0.2.2."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rtmp_port = free_port()
        self.http_port = free_port()
        script = (
            "source Scripts/lib/common.sh; source Scripts/lib/media-service.sh; "
            'write_media_service "$1" 127.0.0.1 "$2" "$3"; media_service_command "$1"'
        )
        answer = subprocess.run(
            ["bash", "-c", script, "bash", folder, str(self.rtmp_port), str(self.http_port)],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=30,
        )
        if answer.returncode != 0:
            raise BoardError(f"the media service could not be set up: {answer.stderr}")
        self.process = Process(answer.stdout.splitlines())
        wait_until("the media service answers", self.is_listening, 10)

    def is_listening(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.rtmp_port), 1).close()
            return True
        except OSError:
            return False

    def address(self, name: str) -> str:
        return f"rtmp://127.0.0.1:{self.rtmp_port}/live/{name}"

    def address_on_board(self, name: str) -> str:
        return f"rtmp://10.0.2.2:{self.rtmp_port}/live/{name}"

    def stop(self):
        self.process.stop()


class Board:
    """A machine with the agent on it, once it is told to boot; `run` runs shell commands inside."""

    architecture: str
    console_path: Path
    #: Where `start` puts logs.
    log_folder: str
    process: Process | None = None

    def boot(self):
        """Switches it on, and waits until it takes commands."""
        raise NotImplementedError

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.is_running

    def console(self) -> str:
        try:
            return self.console_path.read_text(errors="replace")
        except OSError:
            return ""

    def execute(self, script: str, timeout: float = 30) -> tuple[int, str]:
        """Status and output of a shell script run inside. What it leaves running must not hold its output."""
        raise NotImplementedError

    def run(self, script: str, timeout: float = 30) -> str:
        """Output of a shell script that must succeed."""
        status, output = self.execute(script, timeout)
        if status != 0:
            raise BoardError(f"status {status} of\n{script}\nit said:\n{output}")
        return output

    def start(self, command: str, log: str) -> int:
        """Starts a program that goes on running; its process id. Its output goes to `log` in `log_folder`."""
        return int(self.run(
            f"mkdir -p {self.log_folder}; setsid {command} </dev/null >{self.log_folder}/{log} 2>&1 & echo $!"))

    def start_agent(self, service: MediaService):
        """Has the agent run, if it does not yet, with the service as where it pushes to unless told otherwise."""
        raise NotImplementedError

    def agent_pid(self) -> int:
        raise NotImplementedError

    def logs(self) -> str:
        """What helps to understand a failure."""
        raise NotImplementedError

    def stop(self):
        """Pulls its plug."""
        if self.process is not None:
            self.process.stop(signal.SIGKILL)

    @staticmethod
    def split_status(answer: str, script: str) -> tuple[int, str]:
        """Takes the last line "status N" off the output."""
        output, found, status = answer.rpartition("\nstatus ")
        if not found:
            raise BoardError(f"the board's answer was cut off; asked for:\n{script}\nit said:\n{answer}")
        return int(status), output
