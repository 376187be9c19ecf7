"""An emulated machine with Debian and systemd, to install packages into."""

import base64
import signal
import socket
import subprocess
import time
from pathlib import Path


class MachineError(Exception):
    """What the machine did not do."""


def wait_until(what: str, condition, timeout: float = 30):
    """The first true answer of `condition`."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise MachineError(f"not within {timeout:g} s: {what}")
        time.sleep(0.2)
    return answer


class Machine:
    """Boots when made. Its disk is as new each time. `packages` is a folder that it sees as /packages."""

    BOOT_TIMEOUT = 120

    def __init__(self, image: Path, packages: Path, folder: Path):
        self.logs = [folder / "qemu.log", folder / "console.log"]
        disk = folder / "packages.ext4"
        subprocess.run(
            ["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-d", packages, disk, "256M"], check=True, timeout=60
        )
        ours, theirs = socket.socketpair()
        with theirs, self.logs[0].open("wb") as complaints:
            self.process = subprocess.Popen(
                [
                    "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem",
                    "-smp", "2", "-m", "1024", "-nodefaults", "-no-reboot", "-display", "none",
                    "-serial", f"file:{self.logs[1]}",
                    "-chardev", f"socket,id=shell,fd={theirs.fileno()}", "-serial", "chardev:shell",
                    "-drive", f"file={image / 'disk'},format=raw,if=virtio,snapshot=on,cache=unsafe",
                    "-drive", f"file={disk},format=raw,if=virtio,readonly=on",
                    "-kernel", str(image / "kernel"), "-initrd", str(image / "initramfs"),
                    "-append", "console=ttyS0 panic=-1 loglevel=4 mitigations=off systemd.show_status=no",
                ],
                stdin=subprocess.DEVNULL, stderr=complaints, pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours
        self._input = ours.makefile("rb")
        try:
            self._socket.settimeout(self.BOOT_TIMEOUT)
            if self._input.readline() != b"ready\n":
                raise MachineError("it ended")
            self.run("mkdir -p /packages && mount -r /dev/vdb /packages")
        except (OSError, MachineError) as error:
            self.stop()
            raise MachineError(f"the machine did not boot: {error}\nits console:\n{self.console()}") from None

    def execute(self, script: str, timeout: float = 60) -> tuple[int, str]:
        """Status and output of a shell script run inside."""
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(base64.b64encode(script.encode()) + b"\n")
            line = self._input.readline()
        except OSError as error:
            raise MachineError(f"no answer within {timeout:g} s to: {script}") from error
        status, _, output = line.decode().strip().partition(" ")
        if not status:
            raise MachineError(f"the machine ended before it answered: {script}")
        return int(status), base64.b64decode(output).decode(errors="replace").strip()

    def run(self, script: str, timeout: float = 60) -> str:
        """The output of a shell script that must succeed."""
        status, output = self.execute(script, timeout)
        if status != 0:
            raise MachineError(f"status {status} of: {script}\n{output}")
        return output

    def console(self) -> str:
        return "".join(log.read_text(errors="replace") for log in self.logs if log.exists())

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._input.close()
        self._socket.close()
