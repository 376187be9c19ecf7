"""The quick board: Debian's amd64 kernel with an initramfs, the agent started by the test."""

import urllib.error
import urllib.request
from pathlib import Path

from board import Board, BoardError, MediaService, Process, free_port, wait_until

BOOT_TIMEOUT = 120
START_TIMEOUT = 90


class InitramfsBoard(Board):
    architecture = "amd64"
    log_folder = "/var/log"

    def __init__(self, image: Path, folder: Path):
        self.image = image
        self.console_path = folder / "console.log"
        self.port = free_port()
        self._pid: int | None = None

    def boot(self):
        self.process = Process([
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem",
            "-smp", "2", "-m", "1024", "-nodefaults", "-no-reboot", "-display", "none",
            "-serial", f"file:{self.console_path}",
            "-kernel", self.image / "kernel", "-initrd", self.image / "initramfs",
            "-append", "console=ttyS0 panic=-1 loglevel=4 mitigations=off",
            "-netdev", f"user,id=network,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:80",
            "-device", "virtio-net-pci,netdev=network,romfile=",
        ])
        try:
            wait_until("the board boots", self._is_ready, BOOT_TIMEOUT)
        except BoardError as error:
            raise BoardError(f"{error}\nits console:\n{self.console()}") from None

    def _is_ready(self) -> bool:
        if not self.process.is_running:
            raise BoardError("QEMU ended")
        if "board: ready" not in self.console():
            return False
        try:
            return self.run("true", timeout=5) == ""
        except BoardError:
            return False

    def execute(self, script: str, timeout: float = 30) -> tuple[int, str]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/cgi-bin/run", data=script.encode(), method="POST",
            headers={"Content-Type": "application/octet-stream"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                text = response.read().decode(errors="replace")
        except (OSError, urllib.error.URLError) as error:
            raise BoardError(f"the board did not answer within {timeout:g} s: {error}; asked for:\n{script}") from None
        return self.split_status(text, script)

    def start_agent(self, service: MediaService):
        if self._pid and self.execute(f"kill -0 {self._pid}")[0] == 0:
            return
        self.run(
            f"sed 's|10.0.2.2:1935/|10.0.2.2:{service.rtmp_port}/|' /etc/edge-agent/edge-agent.yaml >/tmp/agent.yaml")
        self._pid = self.start("edge-agent run --config /tmp/agent.yaml", "edge-agent.log")

        def answers():
            if self.execute(f"kill -0 {self._pid}")[0] != 0:
                raise BoardError("edge-agent ended")
            return self.execute("edgectl status --json")[0] == 0

        wait_until("the agent answers", answers, START_TIMEOUT)

    def agent_pid(self) -> int:
        return self._pid

    def logs(self) -> str:
        return self.execute(f"tail -n 60 {self.log_folder}/*.log; dmesg | tail -n 20; ps", timeout=20)[1]
