"""The device: the bootable arm64 image on an emulated machine, systemd running the agent, ssh as the way in."""

import base64
import json
import os
import shlex
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from board import REPOSITORY, Board, BoardError, MediaService, Process, free_port, wait_until
from qmp import QMP, QMPError

# Emulation is many times slower than a board is: these bound a failure, they measure nothing.
BOOT_TIMEOUT = 240
END_TIMEOUT = 120
AGENT = "edge-agent.service"


@dataclass
class BootTimes:
    """In seconds. The kernel's and systemd's own clock begins with the kernel."""

    #: From the emulator's start, or the machine's reset, to the kernel's.
    firmware: float
    #: From the kernel's start to the agent's readiness.
    agent: float


class ImageBoard(Board):
    architecture = "arm64"
    log_folder = "/run/tests"

    def __init__(self, image: Path, folder: Path):
        self.image = image
        self.folder = folder
        self.console_path = folder / "console.log"
        self.ssh_port, self.http_port = free_port(), free_port()
        self._key = folder / "key"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", self._key],
            check=True, stdin=subprocess.DEVNULL, timeout=30)
        self._shell("make_board_disk", image / "disk.img", self._disk)
        self._serial_path = folder / "serial"
        self._boots = 0
        self.first_boot: BootTimes | None = None
        #: Handed to systemd at each power-on, see systemd.system-credentials(7).
        self.credentials: dict[str, str] = {}

    @property
    def _disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @staticmethod
    def _shell(function: str, *arguments) -> str:
        """A function of Scripts/lib/board-machine.sh; what it prints."""
        answer = subprocess.run(
            ["bash", "-c", 'source Scripts/lib/common.sh; source Scripts/lib/board-machine.sh; "$@"', "bash",
             function, *map(str, arguments)],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if answer.returncode != 0:
            raise BoardError(f"{function} failed: {answer.stderr}")
        return answer.stdout

    # Power.

    def boot(self):
        """Switches the machine on, and waits until the agent is ready."""
        self.power_on()
        self.wait_ready()
        if self.first_boot is None:
            self.first_boot = self.boot_times()

    def power_on(self):
        command = self._shell(
            "board_machine", self._disk, self._key.with_suffix(".pub"), self.ssh_port, self.http_port).splitlines()
        monitor = self.folder / "monitor"
        monitor.unlink(missing_ok=True)
        self._serial_path.unlink(missing_ok=True)
        self._begin_session()
        self.process = Process([
            *command, *self._credential_arguments(),
            "-chardev", f"file,id=console,path={self.console_path},append=on", "-serial", "chardev:console",
            "-chardev", f"socket,id=usbserial,path={self._serial_path},server=on,wait=off",
            "-qmp", f"unix:{monitor},server=on,wait=off",
        ])
        wait_until("QEMU can be commanded", lambda: monitor.exists() or not self.process.is_running, 30)
        self.qmp = QMP(monitor)

    def _credential_arguments(self) -> list[str]:
        words = []
        for name, text in self.credentials.items():
            value = base64.b64encode(text.encode()).decode()
            words += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={value}"]
        return words

    def _begin_session(self):
        """Before each start of the machine: connections to the last one are of no use."""
        self._boots += 1
        self._started = time.monotonic()
        # Short, since a socket's path is; new, since the old connection may linger.
        self._control = self.folder / f"ssh{self._boots}"

    def power_cut(self):
        """As if its plug was pulled: nothing inside gets to know."""
        self.stop()

    def expect_reset(self, cause, timeout: float = END_TIMEOUT):
        """Calls `cause`, and waits until the machine is reset by what is inside it."""
        before = self.qmp.count("RESET")
        cause()
        self.wait_reset(before, timeout)

    def wait_reset(self, before: int, timeout: float = END_TIMEOUT):
        try:
            self.qmp.wait_for("RESET", before, timeout)
        except QMPError as error:
            raise BoardError(str(error)) from None
        self._begin_session()

    def reboot(self):
        """The orderly way, until the agent is ready again."""
        self.expect_reset(lambda: self.execute("systemctl --no-block reboot"))
        self.wait_ready()

    # Readiness.

    def wait_reachable(self, timeout: float = BOOT_TIMEOUT):
        """Until commands can be given."""
        try:
            wait_until("the board lets in by ssh", self._greets, timeout, interval=0.5)
        except BoardError as error:
            raise BoardError(f"{error}\nits console:\n{self.console()[-6000:]}") from None

    def wait_ready(self, timeout: float = BOOT_TIMEOUT):
        """Until systemd has the agent as ready."""
        deadline = time.monotonic() + timeout
        self.wait_reachable(timeout)
        left = max(deadline - time.monotonic(), 10)
        # The waiting is done inside: logging in costs an emulated machine more than a look does.
        status, output = self.execute(
            f"for i in $(seq {int(left)}); do systemctl is-active --quiet {AGENT} && exit; sleep 1; done; "
            f"systemctl status --no-pager {AGENT}; exit 1", timeout=left + 30)
        if status != 0:
            raise BoardError(f"the agent is not ready within {timeout:g} s:\n{output}")

    def _greets(self) -> bool:
        """Whether the SSH service answers: QEMU takes the connection in any case."""
        if not self.process.is_running:
            raise BoardError("QEMU ended")
        try:
            with socket.create_connection(("127.0.0.1", self.ssh_port), 2) as connection:
                connection.settimeout(5)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def boot_times(self) -> BootTimes:
        uptime = float(self.run("cat /proc/uptime").split()[0])
        kernel_started = time.monotonic() - uptime
        ready = int(self.property(AGENT, "ActiveEnterTimestampMonotonic")) / 1e6
        return BootTimes(firmware=round(kernel_started - self._started, 1), agent=round(ready, 1))

    # Commands.

    def _ssh(self, *options) -> list:
        return [
            "-F", "none", "-i", self._key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60",
            "-o", "ControlMaster=auto", "-o", f"ControlPath={self._control}", "-o", "ControlPersist=600", *options,
        ]

    def execute(self, script: str, timeout: float = 30) -> tuple[int, str]:
        # In a shell of its own, so that "exit" ends it and not the report.
        command = f"PATH={self.log_folder}:$PATH sh -c {shlex.quote('exec 2>&1; ' + script)}; printf '\\nstatus %d\\n' $?"
        try:
            answer = subprocess.run(
                ["ssh", *map(str, self._ssh("-n", "-p", self.ssh_port)), "root@127.0.0.1", command],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise BoardError(f"the board did not answer within {timeout:g} s; asked for:\n{script}") from None
        text = answer.stdout.decode(errors="replace")
        return self.split_status(text, f"{script}\n(ssh: {answer.stderr.decode(errors='replace').strip()})")

    def put(self, source: Path, target: str, timeout: float = 300):
        """Copies a file onto the board."""
        with open(source, "rb") as file:
            answer = subprocess.run(
                ["ssh", *map(str, self._ssh("-p", self.ssh_port)), "root@127.0.0.1",
                 f"cat >{shlex.quote(target)} && chmod {source.stat().st_mode & 0o777:o} {shlex.quote(target)}"],
                stdin=file, capture_output=True, timeout=timeout)
        if answer.returncode != 0:
            raise BoardError(f"{source} could not be copied: {answer.stderr.decode(errors='replace')}")

    # systemd and the agent.

    def property(self, unit: str, name: str) -> str:
        return self.run(f"systemctl show --property={name} --value {unit}").strip()

    def start_agent(self, service: MediaService):
        self.run(f"mkdir -p {self.log_folder}")
        for tool in Path(os.environ["EDGE_AGENT_BOARD_TOOLS"]).iterdir():
            self.put(tool, f"{self.log_folder}/{tool.name}")
        self.run(
            f"sed -i 's|rtmp://10.0.2.2:[0-9]*/|rtmp://10.0.2.2:{service.rtmp_port}/|' /etc/edge-agent/edge-agent.yaml; "
            f"sync /etc/edge-agent/edge-agent.yaml; systemctl reload-or-restart {AGENT}", timeout=60)

    def agent_pid(self) -> int:
        return int(self.property(AGENT, "MainPID"))

    def versions(self) -> dict[str, str]:
        """For figures."""
        lines = self.run("edge-agent --version; uname -r; . /usr/lib/os-release; echo $IMAGE_VERSION").splitlines()
        return dict(zip(("agent", "boardKernel", "image"), lines))

    def slot(self) -> str:
        """A or B, as the kernel was told."""
        return self.run("sed -n 's/.*rauc\\.slot=\\([AB]\\).*/\\1/p' /proc/cmdline").strip()

    def is_confirmed(self) -> bool:
        """Whether the running system counts as good, so that nothing will go back from it."""
        return json.loads(self.run("edgectl update --status --json", timeout=60))["confirmed"]

    def logs(self) -> str:
        return self.execute(
            f"journalctl --no-pager -b -n 80; systemctl --no-pager --failed; tail -n 20 {self.log_folder}/*.log",
            timeout=60)[1]

    # Devices.

    def serial(self, timeout: float = 30) -> socket.socket:
        """The other end of the board's USB serial port."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(str(self._serial_path))
        return connection
