"""What fleet platforms list, play and fetch of what was recorded."""

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import media, picture_code
from harness.fleet_platform import FleetPlatform
from harness.ftp import FTPServer
from harness.jt808 import KEY, bcd_time
from harness.terminal import COMMAND_FAILED, TERMINAL_CLOSED, Archive, Variant, check_sound, read_pictures, records
from harness.vsftpd import VSFTPD
from harness.waiting import wait_until


def find(platform: FleetPlatform, channel: int = 0, start: float | None = None, end: float | None = None,
         alarms: int = 0, kind: int = 0, stream: int = 0, storage: int = 0) -> list[tuple[int, float, float, int, int, int]]:
    body = (bytes([channel]) + bcd_time(start) + bcd_time(end) + struct.pack(">Q", alarms) + bytes([kind, stream, storage]))
    return records(platform.ask(0x9205, body, 0x1205))


# Lists.


def test_resource_list_over_sub_packages(archive: Archive, version: str) -> None:
    platform = archive.platforms[version]
    body = bytes([0]) + bcd_time(None) + bcd_time(None) + bytes(8) + bytes([0, 0, 0])
    since = len(platform.messages)
    serial = platform.send(0x9205, body)
    answer = platform.wait_for(0x1205, since, condition=lambda one: one.body[:2] == struct.pack(">H", serial))
    found = records(answer.body[2:])
    assert len(found) > 36 and platform.piece_counts[-1] >= 2
    assert [one[1] for one in found] == sorted(one[1] for one in found)
    assert all(one[0] == 1 and one[3:5] == (0, 1) for one in found) and all(one[5] > 0 for one in found[:-1])
    assert all(a[2] <= b[1] + 1 for a, b in zip(found, found[1:]))
    # Pieces that got lost come again, byte for byte.
    first = answer.serial - answer.index + 1 & 0xFFFF
    count = len(platform.piece_counts)
    since = len(platform.messages)
    indices = struct.pack(">HH", 1, 2)
    platform.send(0x8003, struct.pack(">H", first) + (b"\0\2" if version == "2019" else b"\2") + indices)
    wait_until(lambda: len(platform.piece_counts) > count, "the pieces again")
    assert any(one.body == answer.body for one in platform.received(0x1205, since))


def test_resource_list_by_conditions(archive: Archive, version: str) -> None:
    """A part of the time, and everything that nothing was recorded for."""
    platform = archive.platforms[version]
    found = find(platform)
    some = find(platform, 1, found[3][1], found[5][1])
    assert 3 <= len(some) <= 5 and set(some) <= set(found)
    assert find(platform, 1, found[3][1], found[5][1], kind=3, stream=1, storage=1) == some
    for nothing in ({"channel": 9}, {"stream": 2}, {"storage": 2}, {"kind": 1}, {"alarms": 1 << 32},
                    {"start": 0x5E000000, "end": 0x5E000100}):
        assert find(platform, **nothing) == [], nothing


# Playback.


@pytest.fixture
def playback(archive: Archive, variant: Variant, media_port) -> Callable[..., tuple[int, Any]]:
    """Opens a playback of the variant: what 0x0001 says, and the port."""

    def open(*arguments: Any, **more: Any) -> tuple[int, Any]:
        platform = archive.platforms[variant.version]
        port = media_port(**variant.port)
        since = len(platform.messages)
        serial = platform.send(0x9201, platform.playback_body(port, 1, *arguments, **more))
        result = platform.result_of(0x9201, serial, since)
        listed = platform.wait_for(0x1205, since, condition=lambda one: one.body[:2] == struct.pack(">H", serial))
        assert bool(records(listed.body[2:])) == (result == 0)
        return result, port

    return open


def over(archive: Archive, port: Any) -> None:
    """It has begun, nothing more comes, and the terminal has closed its connection."""
    port.wait_for_stream(frames=0)
    wait_until(lambda: not archive.agent.pushes(), "no push", 30)
    if port.is_datagram:
        port.catch_up()
    else:
        wait_until(lambda: port.ended == 1, "the end of the footage")
    port.check()


def test_playback(archive: Archive, playback, tmp_path: Path) -> None:
    """Every picture and all sound of the time that is asked for, then the end."""
    start = archive.started + 4
    result, port = playback(start, start + 3)
    assert result == 0
    over(archive, port)
    stream = port.streams[0]
    codes = read_pictures(archive.agent, stream, tmp_path / "playback.h264")
    # From the file on that begins in the first second, to the end of the last one.
    assert 74 <= len(codes) <= 101
    check_sound(stream, "aac", tmp_path / "playback.aac")


def test_playback_fast(archive: Archive, playback, tmp_path: Path) -> None:
    """Four times as fast, and all pictures still."""
    start = archive.started + 4
    result, port = playback(start, start + 11, mode=1, speed=3)
    assert result == 0
    over(archive, port)
    stream = port.streams[0]
    codes = read_pictures(archive.agent, stream, tmp_path / "fast.h264")
    assert len(codes) > 250
    span = (stream.frames[-1][1] - stream.frames[0][1]) / 1000
    took = stream.frames[-1][2] - stream.frames[0][2]
    assert 2.5 < span / took < 6, (span, took)


@pytest.mark.parametrize("mode", [2, 3], ids=["backward", "key pictures"])
def test_playback_of_key_pictures(archive: Archive, playback, tmp_path: Path, mode: int) -> None:
    start = archive.started + 4
    result, port = playback(start, start + 5, mode=mode, speed=1)
    assert result == 0
    over(archive, port)
    stream = port.streams[0]
    path = tmp_path / "keys.h264"
    path.write_bytes(bytes(stream.video))
    assert media.decode_messages(path) == ""
    counters = [code.counter for code in picture_code.read_codes(path)]
    # Backward each half second; here key pictures are a second apart.
    assert len(set(counters)) >= 5 and counters == sorted(counters, reverse=mode == 2)
    assert mode == 2 or len(set(counters)) == len(counters)
    # Not in one go.
    assert stream.frames[-1][2] - stream.frames[0][2] > 0.4
    assert all(kind == KEY for kind, _, _ in stream.frames)


def test_single_picture(archive: Archive, playback, tmp_path: Path) -> None:
    """Those that decoding it needs, it, and no more."""
    moment = archive.started + 6
    result, port = playback(moment, None, mode=4)
    assert result == 0
    over(archive, port)
    codes = read_pictures(archive.agent, port.streams[0], tmp_path / "single.h264")
    assert 1 <= len(codes) <= 27


def test_playback_controls(archive: Archive, playback, variant: Variant) -> None:
    """Speed, pause, seeking, key pictures, the way back, and the end, on one connection."""
    platform = archive.platforms[variant.version]
    events = archive.agent.events()
    start = archive.started + 4
    result, port = playback(start, start + 30)
    assert result == 0
    stream = port.wait_for_stream(frames=10)
    assert platform.control_playback(1, 3, speed=3) == 0
    count, stamp, wall = len(stream.frames), stream.frames[-1][1], time.monotonic()
    port.wait_for_stream(frames=count + 40)
    assert (stream.frames[-1][1] - stamp) / 1000 > 1.5 * (time.monotonic() - wall)
    assert platform.control_playback(1, 1) == 0
    wait_until(lambda: quiet(stream), "the pause")
    assert platform.control_playback(1, 5, position=start) == 0
    assert platform.control_playback(1, 0) == 0
    port.wait_for_stream(frames=len(stream.frames) + 20)
    assert platform.control_playback(1, 6) == 0
    keys = len(stream.frames)
    port.wait_for_stream(frames=keys + 4)
    assert platform.control_playback(1, 5, position=start + 7) == 0
    assert platform.control_playback(1, 4, speed=1) == 0
    port.wait_for_stream(frames=len(stream.frames) + 4)
    assert platform.control_playback(1, 2) == 0
    over(archive, port)
    # Again; and one that is over cannot be paused.
    assert platform.control_playback(1, 2) == 0
    assert platform.control_playback(1, 1) == 1
    assert platform.control_playback(1, 9) == 2
    wait_until(lambda: any("playback closed, closeCause 1" in one["detail"] for one in events.named("platform.stream")),
               "closeCause 1")


def quiet(stream: Any) -> bool:
    before = stream.packets
    time.sleep(0.3)
    return stream.packets == before


def test_playback_of_nothing(archive: Archive, playback) -> None:
    """Refused at once, told, and no connection."""
    events = archive.agent.events()
    for arguments, more in [((archive.started - 9000, archive.started - 8000), {}),
                            ((archive.started + 4, archive.started + 5), {"stream": 2})]:
        result, port = playback(*arguments, **more)
        assert result == 1
        assert not port.streams
    assert COMMAND_FAILED in events.wait_for("platform.stream")["detail"]


def test_playback_and_live_are_apart(archive: Archive, playback, variant: Variant, media_port) -> None:
    """The same channel live and from the disk, each on its own connection; the end of one is not the other's."""
    platform = archive.platforms[variant.version]
    live = media_port(**variant.port)
    assert platform.open_live(live, 1) == 0
    result, port = playback(archive.started + 4, archive.started + 6)
    assert result == 0
    if not variant.is_datagram:
        wait_until(lambda: port.ended == 1, "the end of the footage", 20)
    else:
        wait_until(lambda: len(archive.agent.pushes()) == 1, "the end of the footage", 20)
    live.wait_for_stream(frames=len(live.wait_for_stream().frames) + 10)
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: not archive.agent.pushes(), "no push")
    live.check()


def test_playback_cut(archive: Archive, media_port, version: str) -> None:
    platform = archive.platforms[version]
    events = archive.agent.events()
    port = media_port(**Variant(version).port)
    start = archive.started + 4
    platform.send(0x9201, platform.playback_body(port, 1, start, start + 20))
    port.wait_for_stream(frames=5)
    port.finish()
    wait_until(lambda: any(TERMINAL_CLOSED in one["detail"] for one in events.named("platform.stream")), "closeCause 2")
    assert not archive.agent.pushes()
    assert len(port.streams) == 1


# Uploads.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FTPServer]:
    root = tmp_path / "ftp"
    root.mkdir()
    one = FTPServer(root)
    yield one
    one.close()


class Upload:
    """0x9206 of some seconds, and what is said of it later."""

    def __init__(self, archive: Archive, version: str, server: FTPServer | VSFTPD, folder: str, seconds: float = 3,
                 start: float | None = None, password: str | None = None) -> None:
        def text(value: str) -> bytes:
            return bytes([len(value)]) + value.encode()

        start = archive.started + 5 if start is None else start
        body = (text("127.0.0.1") + struct.pack(">H", server.port) + text(server.user)
                + text(server.password if password is None else password) + text(folder) + bytes([1])
                + bcd_time(start) + bcd_time(start + seconds) + bytes(8) + bytes([0, 0, 0, 7]))
        self.platform = archive.platforms[version]
        self.since = len(self.platform.messages)
        self.serial = self.platform.send(0x9206, body)
        assert self.platform.result_of(0x9206, self.serial, self.since, 1) == 0

    def control(self, order: int) -> None:
        assert self.platform.command(0x9207, struct.pack(">HB", self.serial, order)) == 0

    @property
    def result(self) -> int | None:
        told = [one.body for one in self.platform.received(0x1206, self.since)]
        return next((body[2] for body in told if body[:2] == struct.pack(">H", self.serial)), None)

    def wait(self, result: int, seconds: float = 40) -> None:
        assert wait_until(lambda: (self.result is not None) and (self.result, True), "0x1206", seconds)[0] == result


def check_files(archive: Archive, folder: Path, count: int = 1) -> list[Path]:
    """Whole, as they are on the device's disk, and decoding to every picture."""
    files = sorted(folder.iterdir())
    assert len(files) >= count and all(file.name.startswith("ch1_") for file in files)
    recorded = {path.read_bytes() for path in archive.folder.rglob("*.mp4")}
    for file in files:
        assert file.read_bytes() in recorded
        assert media.decode_messages(file) == ""
        assert picture_code.missing_pictures(picture_code.read_codes(file)) <= archive.agent.overruns()
    return files


def test_upload(archive: Archive, server: FTPServer, version: str) -> None:
    """Files arrive whole in a folder that is made for them; a transfer that is cut goes on where it was."""
    server.cut_after = 8000
    Upload(archive, version, server, "/alarm/new").wait(0)
    check_files(archive, server.root / "alarm/new", 3)
    assert any(command.startswith("APPE") for command in server.commands)


def test_upload_resumed_at_another_server(archive: Archive, version: str) -> None:
    """The same with vsftpd, whose process is killed in the middle, twice."""
    with VSFTPD(bytes_a_second=15000) as server:
        upload = Upload(archive, version, server, "/upload/alarm", seconds=1)
        for size in (4000, 14000):
            wait_until(lambda: sum(file.stat().st_size for file in server.folder.glob("alarm/*")) > size, "some bytes", 20)
            server.cut()
        upload.wait(0, 60)
        check_files(archive, server.folder / "alarm")
        assert "APPE" in server.log()


def test_upload_paused_and_given_up(archive: Archive, server: FTPServer, version: str) -> None:
    server.slow = True
    upload = Upload(archive, version, server, "slow", seconds=1)

    def size() -> int:
        return sum(file.stat().st_size for file in server.root.glob("slow/*"))

    wait_until(lambda: size() > 0, "the file begins")
    upload.control(0)
    upload.control(0)
    wait_until(lambda: (before := size()) == (time.sleep(0.5) or size()) and before, "the pause")
    assert upload.result is None
    upload.control(1)
    upload.wait(0)
    check_files(archive, server.root / "slow")
    # Given up: no word of it any more, and the next one has its turn.
    given_up = Upload(archive, version, server, "given-up", seconds=8)
    wait_until(lambda: list(server.root.glob("given-up/*")), "the file begins")
    given_up.control(2)
    given_up.control(2)
    server.slow = False
    Upload(archive, version, server, "next").wait(0)
    assert given_up.result is None
    assert len(list(server.root.glob("given-up/*"))) < 3


def test_upload_that_fails_for_good(archive: Archive, server: FTPServer, version: str) -> None:
    """Said at once where trying again would change nothing: nothing recorded, wrong password, no place for it."""
    Upload(archive, version, server, "", start=archive.started - 9000).wait(1, 5)
    Upload(archive, version, server, "", password="wrong").wait(1, 5)
    assert server.commands.count("PASS") == 1
    with VSFTPD() as other:
        Upload(archive, version, other, "/beside").wait(1, 5)


def test_upload_to_nobody(archive: Archive, server: FTPServer, version: str, full: bool) -> None:
    """A server that does not answer is tried five times, half a minute in all."""
    if not full:
        pytest.skip("half a minute; with --full")
    server.close()
    upload = Upload(archive, version, server, "")
    upload.wait(1, 60)


def test_upload_that_ends_without_the_link(archive: Archive, server: FTPServer, version: str) -> None:
    """The platform hears of it when it is back."""
    server.slow = True
    upload = Upload(archive, version, server, "meanwhile", seconds=1)
    wait_until(lambda: list(server.root.glob("meanwhile/*")), "the file begins")
    platform = archive.platforms[version]
    logins = platform.logins
    platform.stop()
    server.slow = False
    wait_until(lambda: "STOR" in " ".join(server.commands) and server.finished, "the end of the upload", 30)
    platform.start()
    upload.wait(0, 40)
    assert platform.logins == logins + 1
    check_files(archive, server.root / "meanwhile")
