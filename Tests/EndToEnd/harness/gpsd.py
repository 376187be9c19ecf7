"""A gpsd, as Debian has it, and a receiver of the tests' own behind a pseudo-terminal, which speaks NMEA 0183."""

import os
import shutil
import subprocess
import threading
import tty
from datetime import datetime, timezone

from .agent import free_port

PROGRAM = shutil.which("gpsd", path=os.environ.get("PATH", "") + ":/usr/sbin")


def sentence(text: str) -> bytes:
    check = 0
    for byte in text.encode():
        check ^= byte
    return f"${text}*{check:02X}\r\n".encode()


def degrees(value: float, digits: int, signs: str) -> str:
    whole = int(abs(value))
    return f"{whole:0{digits}d}{(abs(value) - whole) * 60:07.4f},{signs[value < 0]}"


class Receiver:
    """Sees what `position` says: latitude, longitude, metres; None for too few satellites."""

    def __init__(self) -> None:
        self.position: tuple[float, float, float] | None = None
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        # gpsd becomes a user of its own.
        os.chmod(self.path, 0o666)
        self._slave = slave
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        while not self._ended.wait(0.2):
            now = datetime.now(timezone.utc)
            time, date = now.strftime("%H%M%S.%f")[:9], now.strftime("%d%m%y")
            if self.position is None:
                lines = [f"GPGGA,{time},,,,,0,00,,,M,,M,,", f"GPRMC,{time},V,,,,,,,{date},,"]
            else:
                latitude, longitude, altitude = self.position
                place = f"{degrees(latitude, 2, 'NS')},{degrees(longitude, 3, 'EW')}"
                lines = [f"GPGGA,{time},{place},1,08,0.9,{altitude:.1f},M,0.0,M,,",
                         f"GPGSA,A,3,01,02,03,04,05,06,07,08,,,,,1.5,0.9,1.2",
                         f"GPRMC,{time},A,{place},0.0,0.0,{date},,"]
            try:
                os.write(self._master, b"".join(map(sentence, lines)))
            except OSError:
                return

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        os.close(self._slave)
        os.close(self._master)


class GPSD:
    def __init__(self, receiver: Receiver) -> None:
        assert PROGRAM, "gpsd is missing; Scripts/test installs it"
        self.receiver = receiver
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "-N", "-n", "-S", str(self.port), self.receiver.path], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> "GPSD":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.receiver.close()
