"""A head at the other end of a serial line: decodes Pelco-D by itself, and says what it would be doing."""

import fcntl
import os
import select
import threading
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path

from .waiting import wait_until

STOP = (0, 0, 0, 0)
"""Command and data bytes of the frame by which everything comes to rest."""
MOTIONS = {(0, 0x02): "right", (0, 0x04): "left", (0, 0x08): "up", (0, 0x10): "down", (0, 0x20): "zoomIn",
           (0, 0x40): "zoomOut", (0, 0x80): "focusFar", (1, 0): "focusNear", (2, 0): "irisOpen", (4, 0): "irisClose"}
EXTENDED = {0x03: "setPreset", 0x05: "clearPreset", 0x07: "callPreset", 0x09: "auxiliaryOn", 0x0B: "auxiliaryOff",
            0x4B: "setPan", 0x4D: "setTilt", 0x51: "queryPan", 0x53: "queryTilt", 0x55: "queryZoom"}


@dataclass
class Frame:
    time: float
    address: int
    command: tuple[int, int]
    data: tuple[int, int]

    @property
    def is_stop(self) -> bool:
        return self.command + self.data == STOP

    @property
    def extended(self) -> str | None:
        """Its name, where it is no motion: such commands have the lowest bit of the second byte set."""
        return EXTENDED.get(self.command[1], "unknown") if self.command[1] & 1 else None

    @property
    def motions(self) -> set[str]:
        if self.extended:
            return set()
        return {name for (first, second), name in MOTIONS.items() if self.command[0] & first or self.command[1] & second}


class Decoder:
    """Bytes in, frames out. Everything that is no whole frame with the right sum is a fault."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.faults: list[str] = []
        self._bytes = bytearray()

    def receive(self, data: bytes) -> None:
        self._bytes += data
        while len(self._bytes) >= 7:
            frame, self._bytes = bytes(self._bytes[:7]), self._bytes[7:]
            if frame[0] != 0xFF:
                self.faults.append(f"no sync: {frame.hex()}")
            elif sum(frame[1:6]) % 256 != frame[6]:
                self.faults.append(f"wrong sum: {frame.hex()}")
            else:
                self.frames.append(Frame(time.monotonic(), frame[1], (frame[2], frame[3]), (frame[4], frame[5])))

    def end_of_line(self) -> None:
        """Whoever wrote is gone: what it has not finished never will be."""
        if self._bytes:
            self.faults.append(f"an unfinished frame: {self._bytes.hex()}")
        self._bytes.clear()


@dataclass
class Head:
    """A pseudo-terminal behind a link, which stays when the line is pulled out and another is plugged in."""

    link: Path
    decoder: Decoder = field(default_factory=Decoder)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._master = -1
        self._is_ending = False
        self.plug()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        fcntl.fcntl(master, fcntl.F_SETFL, os.O_NONBLOCK)
        new = self.link.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.symlink_to(os.ttyname(slave))
        new.rename(self.link)
        os.close(slave)
        with self._lock:
            self._master = master

    def unplug(self) -> None:
        with self._lock:
            os.close(self._master)
            self._master = -1

    def write(self, data: bytes) -> None:
        with self._lock:
            os.write(self._master, data)

    def close(self) -> None:
        self._is_ending = True
        self._thread.join()
        if self._master >= 0:
            self.unplug()

    def _read(self) -> None:
        while not self._is_ending:
            with self._lock:
                try:
                    data = os.read(self._master, 4096) if self._master >= 0 else b""
                except BlockingIOError:
                    data = b""
                except OSError:
                    # Nobody has the other end open.
                    self.decoder.end_of_line()
                    data = b""
                descriptor = self._master
            if data:
                self.decoder.receive(data)
            elif descriptor >= 0:
                select.select([descriptor], [], [], 0.002)
                time.sleep(0.001)
            else:
                time.sleep(0.005)

    # What it is doing.

    @property
    def frames(self) -> list[Frame]:
        return list(self.decoder.frames)

    @property
    def is_moving(self) -> bool:
        """As a real head understands it: it moves until it is told to stop."""
        for frame in reversed(self.frames):
            if frame.is_stop:
                return False
            if frame.motions or frame.extended in ("callPreset", "setPan", "setTilt"):
                return True
        return False

    @property
    def motions(self) -> set[str]:
        for frame in reversed(self.frames):
            if frame.is_stop or frame.motions:
                return frame.motions
        return set()

    def wait_for(self, condition, what: str, seconds: float = 5) -> None:
        wait_until(condition, f"{what}; last frames: {self.frames[-5:]}", seconds, 0.002)

    def wait_for_motion(self, *motions: str) -> None:
        self.wait_for(lambda: self.motions == set(motions) and self.is_moving, f"motion {motions}")

    def wait_for_rest(self, seconds: float = 5) -> None:
        self.wait_for(lambda: not self.is_moving, "the head at rest", seconds)

    def wait_for_command(self, name: str, number: int, since: int = 0) -> None:
        self.wait_for(lambda: any(f.extended == name and f.data[1] == number for f in self.frames[since:]),
                      f"{name} {number}")

    def wait_for_stops(self, count: int, since: int = 0) -> None:
        self.wait_for(lambda: sum(f.is_stop for f in self.frames[since:]) >= count, f"{count} stops")
