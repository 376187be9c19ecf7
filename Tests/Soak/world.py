"""What the soak test has around the agent: a media service that can be killed, a disk that can be filled, a clock that can
be stepped, a configuration that can change."""

import json
import os
import shutil
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

from harness.agent import Agent, synthetic_channel
from harness.media_service import MediaService

DISK_BYTES = 96 << 20
CLOCK = Path(__file__).with_name("clock.c")


def channels(unplugged: bool) -> list[dict]:
    """Two channels that are recorded; the second one's camera may be away."""
    small = {"size": "320x180", "bitrate": 300000, "frameRate": 15, "keyFrameInterval": 1}
    plan = {"main": {"mode": "continuous"}}
    both = [synthetic_channel(number, video={"size": "320x180", "frameRate": 15}, main=small, recording=plan,
                              sub=small | {"size": "160x90", "bitrate": 100000}, ptz={"driver": "simulated"})
            for number in range(2)]
    if unplugged:
        both[1]["video"] = {"source": "v4l2", "device": "/dev/video77"}
    return both


class World:
    def __init__(self, step_clock: bool) -> None:
        self.folder = Path("/tmp") / f"edge-agent-soak-{os.getpid()}"
        self.disk = self.folder / "disk"
        self.disk.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "soak", self.disk], check=True)
        self.service = MediaService()
        self._changing = threading.Lock()
        self._clock = self.folder / "clock"
        self._set_clock(0)
        environment = {}
        if step_clock:
            library = self.folder / "clock.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, CLOCK], check=True)
            environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._clock)}
        self.steps_clock = step_clock
        self.agent = Agent(self._configuration(unplugged=False), folder=self.folder, environment=environment)

    def _configuration(self, unplugged: bool) -> dict:
        return {
            "channels": channels(unplugged),
            "server": {"address": "127.0.0.1", "viewerLimit": 24},
            "push": {"defaultTarget": self.service.url("soak-{channel}-{stream}"), "limit": 8},
            "recording": {"folder": str(self.disk / "recordings"), "segmentSeconds": 20, "freePercent": 10},
            "talk": {"speaker": "null"},
            "peers": {"addresses": ["127.0.0.1"]},
        }

    # What happens to it. Each leaves the world as it found it.

    def kill_service(self, seconds: float) -> None:
        with self._changing:
            self.service.kill()
            time.sleep(seconds)
            self.service.start()

    def freeze_service(self, seconds: float) -> None:
        with self._changing:
            self.service.freeze()
            time.sleep(seconds)
            self.service.process.send_signal(signal.SIGCONT)

    def fill_disk(self, seconds: float) -> None:
        with self._changing:
            filler = self.disk / "filler"
            free = shutil.disk_usage(self.disk).free
            with open(filler, "wb") as file:
                try:
                    os.posix_fallocate(file.fileno(), 0, max(free - 4096, 1))
                except OSError:
                    pass
            time.sleep(seconds)
            filler.unlink()

    def protect_disk(self, seconds: float) -> None:
        with self._changing:
            # Refused while files are open for writing, as they mostly are.
            subprocess.run(["mount", "-o", "remount,ro", self.disk], stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            subprocess.run(["mount", "-o", "remount,rw", self.disk], check=True)

    def unplug(self, seconds: float) -> None:
        with self._changing:
            self.agent.write_configuration(self._configuration(unplugged=True))
            self.agent.signal(signal.SIGHUP)
            time.sleep(seconds)
            self.agent.write_configuration(self._configuration(unplugged=False))
            self.agent.signal(signal.SIGHUP)

    def step_clock(self, seconds: int) -> None:
        """There and, after a while, back."""
        if not self.steps_clock:
            return
        with self._changing:
            self._set_clock(seconds)
            time.sleep(3)
            self._set_clock(0)

    def _set_clock(self, seconds: int) -> None:
        with open(self._clock, "r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def restore(self) -> None:
        """Nothing is pushed, nobody is private, nothing is happening to the world."""
        with self._changing:
            for push in self.agent.pushes():
                self.agent.request("DELETE", f"/pushes/{push['id']}")

    # The end.

    def end(self) -> tuple[int, float]:
        try:
            return self.agent.terminate()
        finally:
            self.agent.stop()
            self.service.stop() if hasattr(self.service, "stop") else self.service.kill()
            subprocess.run(["umount", "-l", self.disk], check=False)

    def keep_log(self) -> Path:
        return self.agent.log_path

    def status(self) -> dict:
        return self.agent.status()

    def dump(self) -> str:
        return json.dumps(self.status(), indent=1)
