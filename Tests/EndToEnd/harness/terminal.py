"""Fixtures of the fleet platforms' tests: an agent as a terminal, its platform, media ports; and how what arrives is judged."""

import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import media, picture_code
from .agent import Agent, synthetic_channel
from .fleet_platform import FleetPlatform, MediaPort
from .jt808 import Media, from_bcd_time
from .waiting import wait_until

PHONE = "13800138000"
EDITIONS = ["2013", "2019"]

CLIENT_REQUEST, TERMINAL_CLOSED = "closeCause 1 (clientReq)", "closeCause 2 (termStrmClose)"
DATA_TIMEOUT, COMMAND_FAILED = "closeCause 6 (termDataTimeout)", "closeCause 9 (termCmdFailed)"


@dataclass(frozen=True)
class Variant:
    """What a test is to hold for each of: edition of the standard, way of the media."""

    version: str
    is_datagram: bool = False

    @property
    def port(self) -> dict[str, Any]:
        """Of a media port."""
        return {"is_datagram": self.is_datagram, "sim_bytes": sim_bytes(self.version)}

    def __str__(self) -> str:
        return f"{self.version}-{'udp' if self.is_datagram else 'tcp'}"


def sim_bytes(version: str) -> int:
    return 6 if version == "2013" else 10


def variants(full: bool) -> list[Variant]:
    """Every pair; in the short form each edition and each way once."""
    every = [Variant(version, way) for version in EDITIONS for way in (False, True)]
    return every if full else [every[0], every[-1]]


@pytest.fixture(params=EDITIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


def small_channel(number: int, **changes: Any) -> dict[str, Any]:
    return synthetic_channel(
        number, video={"size": "320x180"}, main={"size": "320x180", "bitrate": 200000, "keyFrameInterval": 1},
        sub={"size": "160x90", "bitrate": 60000, "preset": "ultrafast", "keyFrameInterval": 1}, **changes)


@pytest.fixture
def platform() -> Iterator[FleetPlatform]:
    one = FleetPlatform()
    yield one
    one.close()
    assert not one.errors, one.errors


@pytest.fixture
def media_port() -> Iterator[Callable[..., MediaPort]]:
    ports: list[MediaPort] = []

    def make(**arguments: Any) -> MediaPort:
        ports.append(MediaPort(**arguments))
        return ports[-1]

    yield make
    for port in ports:
        port.close()


def platform_section(platform: FleetPlatform, name: str = "fleet", **settings: Any) -> dict[str, Any]:
    return {
        "name": name, "servers": [f"127.0.0.1:{platform.port}"], "phone": PHONE,
        "terminal": {"manufacturer": "EDGEA", "model": "EA-1", "id": "0000001", "plate": "粤B12345", "plateColour": 2,
                     "province": 44, "city": 300},
        "position": {"latitude": 22.5, "longitude": 114.1, "altitude": 10},
        **settings}


@pytest.fixture
def terminal(agent, platform: FleetPlatform) -> Callable[..., Agent]:
    """Starts an agent that is a terminal of `platform`, and waits until it is logged in."""

    def start(channels: int = 1, version: str = "2013", configuration: dict[str, Any] | None = None,
              environment: dict[str, str] | None = None, **settings: Any) -> Agent:
        one = agent({
            "channels": [small_channel(number) for number in range(channels)],
            "platforms": [platform_section(platform, version=version, **settings)],
            **(configuration or {})}, environment=environment)
        platform.terminal()
        return one

    return start


class Archive:
    """An agent that records all the while, and a platform of each edition that may look at it."""

    SEGMENT = 1
    """Seconds of a file: more than 36 of them make a list of several sub-packages."""
    FILES = 40

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recordings"
        self.platforms = {version: FleetPlatform() for version in EDITIONS}
        self.agent = Agent({
            "channels": [small_channel(0, recording={"main": {"mode": "continuous"}})],
            "recording": {"folder": str(self.folder), "segmentSeconds": self.SEGMENT},
            "platforms": [platform_section(platform, name=f"fleet-{version}", version=version)
                          for version, platform in self.platforms.items()]})

    def wait(self) -> None:
        wait_until(lambda: self.agent.status().get("recording", {}).get("disk", {}).get("state") == "ready", "the disk", 20)
        self.started = time.time()
        wait_until(lambda: time.time() - self.started > self.FILES * self.SEGMENT + 3, "recordings", 120, 0.1)
        for platform in self.platforms.values():
            platform.terminal()

    def close(self) -> None:
        print(self.agent.log()[-20000:])
        self.agent.remove()
        for platform in self.platforms.values():
            platform.close()
            assert not platform.errors, platform.errors


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    one = Archive(tmp_path_factory.mktemp("archive"))
    try:
        one.wait()
        yield one
    finally:
        one.close()


def read_pictures(one: Agent, stream: Media, path: Path, start: int = 0, end: int | None = None) -> list[Any]:
    """Decodes without a message, and no picture is missing but what an overloaded encoder let go."""
    path.write_bytes(bytes(stream.video[start:end]))
    assert media.decode_messages(path) == ""
    codes = picture_code.read_codes(path)
    assert picture_code.missing_pictures(codes) <= one.overruns()
    return codes


def check_sound(stream: Media, codec: str, path: Path, seconds: float | None = None) -> None:
    """Decodes without a message, is as long as the pictures, and is not silent."""
    if seconds is None:
        seconds = (stream.frames[-1][1] - stream.frames[0][1]) / 1000
    path.write_bytes(bytes(stream.audio))
    form = ["-f", "alaw", "-ar", "8000", "-ac", "1"] if codec == "g711a" else ["-f", "aac"]
    result = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", *form, "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"],
        capture_output=True, timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert abs(len(result.stdout) / 16000 - seconds) < 1, (len(result.stdout) / 16000, seconds)
    assert max(result.stdout) > 8


def records(answer: bytes) -> list[tuple[int, float, float, int, int, int]]:
    """Of 0x1205: logical channel, start, end, media type, stream and size of each recording."""
    (total,) = struct.unpack(">I", answer[:4])
    found = [answer[at:at + 28] for at in range(4, len(answer), 28)]
    assert len(found) == total
    return [(one[0], from_bcd_time(one[1:7]).timestamp(), from_bcd_time(one[7:13]).timestamp(), one[21], one[22],
             struct.unpack(">I", one[24:28])[0]) for one in found]
