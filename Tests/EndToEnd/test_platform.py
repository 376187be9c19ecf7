"""A terminal of fleet platforms: log-in, video commands, media, and what happens when something fails."""

import json
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import media, picture_code
from harness.agent import Agent, synthetic_channel
from harness.fleet_platform import FleetPlatform, MediaPort
from harness.ftp import FTPServer
from harness.jt808 import AAC, G711A, KEY, bcd_time, from_bcd_time
from harness.talk import Speaker, tone_lengths, tones, wait_until_free
from harness.waiting import wait_until

PHONE = "13800138000"
VECTORS = Path(os.environ.get(
    "JT808_VECTORS", Path(__file__).resolve().parents[2].parent / "shared/specs/vectors/jt808-jt1078-public.json"))

CLIENT_REQUEST, TERMINAL_CLOSED, DATA_TIMEOUT = "closeCause 1 ", "closeCause 2 ", "closeCause 6 "


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


@pytest.fixture
def terminal(agent, platform: FleetPlatform) -> Callable[..., Agent]:
    """Starts an agent that is a terminal of `platform`, and waits until it is logged in."""

    def start(channels: int = 1, version: str = "2013", configuration: dict[str, Any] | None = None,
              **settings: Any) -> Agent:
        one = agent({
            "channels": [small_channel(number) for number in range(channels)],
            "platforms": [{
                "name": "fleet", "servers": [f"127.0.0.1:{platform.port}"], "phone": PHONE, "version": version,
                "terminal": {"manufacturer": "EDGEA", "model": "EA-1", "id": "0000001", "plate": "粤B12345",
                             "plateColour": 2, "province": 44, "city": 300},
                "position": {"latitude": 22.5, "longitude": 114.1, "altitude": 10},
                **settings}],
            **(configuration or {})})
        platform.terminal()
        return one

    return start


def sim_bytes(version: str) -> int:
    return 6 if version == "2013" else 10


def check_video(one: Agent, data: bytes, path: Path) -> list[Any]:
    """Decodes without a message, and no picture is missing but what an overloaded encoder let go."""
    path.write_bytes(data)
    assert media.decode_messages(path) == ""
    codes = picture_code.read_codes(path)
    assert picture_code.missing_pictures(codes) <= one.overruns()
    return codes


def check_sound(data: bytes, codec: str, path: Path, seconds: float) -> None:
    path.write_bytes(data)
    form = ["-f", "alaw", "-ar", "8000", "-ac", "1"] if codec == "g711a" else ["-f", "aac"]
    result = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", *form, "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"],
        capture_output=True, timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert abs(len(result.stdout) / 16000 - seconds) < 1, (len(result.stdout) / 16000, seconds)
    # The synthetic microphone is not silent.
    assert max(result.stdout) > 8


# Vectors.


@pytest.mark.skipif(not VECTORS.exists(), reason="the public vectors are not part of the repository")
def test_vectors(agent) -> None:
    """Every vector decodes to its expectation, and what a terminal sends encodes to the same bytes."""
    one = agent()
    for vector in json.loads(VECTORS.read_text()):
        result = one_decoded(one, vector["hex"], vector["expect"].get("simBytes"))
        expected = dict(vector["expect"])
        expected.pop("bodySha256", None)
        check_contains(result, expected, vector["source"])
        if vector["kind"] == "1078" or int(expected["msgId"], 16) < 0x8000:
            assert result["encoded"] == vector["hex"], vector["source"]


def one_decoded(one: Agent, text: str, sim: int | None) -> dict[str, Any]:
    arguments = ["platform", "decode", "--json", text] + (["--sim", str(sim)] if sim else [])
    from harness.agent import PROGRAMS
    result = subprocess.run([str(PROGRAMS / "edgectl"), *arguments], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, (text, result.stderr)
    return json.loads(result.stdout)


def check_contains(found: Any, expected: Any, where: str) -> None:
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, (where, key, found)
            check_contains(found[key], value, f"{where} {key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for a, b in zip(found, expected):
            check_contains(a, b, where)
    else:
        assert found == expected, where


# The link.


@pytest.mark.parametrize("version", ["2013", "2019"])
def test_log_in(terminal, platform: FleetPlatform, version: str) -> None:
    one = terminal(version=version, heartbeat=1, locationInterval=2)
    (registration,) = platform.received(0x0100)
    assert registration.is_2019 == (version == "2019")
    assert registration.phone.lstrip("0") == PHONE
    body = registration.body
    assert struct.unpack(">HH", body[:4]) == (44, 300)
    assert body.endswith("粤B12345".encode("gbk"))
    assert body[{"2013": 36, "2019": 75}[version]] == 2
    # First of all a location; then one now and then, and heartbeats.
    location = platform.wait_for(0x0200)
    alarm, status, latitude, longitude, altitude = struct.unpack(">IIIIH", location.body[:18])
    assert (alarm, status & 3, latitude, longitude, altitude) == (0, 3, 22500000, 114100000, 10)
    assert abs(from_bcd_time(location.body[22:28]).timestamp() - time.time()) < 5
    if version == "2019":
        platform.wait_for(0x0002, seconds=5)
    wait_until(lambda: len(platform.received(0x0200)) >= 3, "locations", 10)
    # What is asked for is answered, in the version's own words.
    attributes = platform.ask(0x9003, b"", 0x1003, has_serial=False)
    assert len(attributes) == 10 and attributes[0] == AAC and attributes[7] == 98 and attributes[9] == 1
    assert len(platform.ask(0x8107, b"", 0x0107, has_serial=False)) >= {"2013": 48, "2019": 81}[version]
    parameters = platform.ask(0x8104, b"", 0x0104)
    found, rest = {}, parameters[1:]
    while rest:
        identifier, length = struct.unpack(">IB", rest[:5])
        found[identifier], rest = rest[5:5 + length], rest[5 + length:]
    assert len(found) == parameters[0]
    assert found[0x0001] == struct.pack(">I", 1) and len(found[0x0075]) == 21
    assert found[0x0076] == bytes([1, 0, 0, 1, 1, 0, 0])
    assert platform.ask(0x8201, b"", 0x0201)[8:12] == struct.pack(">I", 22500000)
    assert platform.command(0x4444, b"") == 3
    assert platform.command(0x8103, b"\x01" + struct.pack(">IBI", 0x0029, 4, 60)) == 0
    assert platform.ask(0x8106, struct.pack(">BI", 1, 0x0029), 0x0104)[-4:] == struct.pack(">I", 60)
    assert one.status()["platforms"][0]["state"] == "online"
    assert "online" in one.edgectl("platform").stdout
    assert "authCode …" in one.edgectl("platform", "log", "fleet").stdout
    assert platform.code.hex() not in one.edgectl("platform", "log", "fleet").stdout


def test_code_outlives_a_restart(terminal, platform: FleetPlatform, agent) -> None:
    one = terminal()
    one.terminate()
    again = Agent(folder=one.folder, port=one.port, configuration=one.configuration_path.read_text())
    try:
        wait_until(lambda: platform.logins == 2, "the second log-in")
        assert len(platform.received(0x0100)) == 1
        # A code that the platform does not know any more makes it register anew.
        platform.code = b"another"
        platform.connections[-1].close()
        wait_until(lambda: platform.logins == 3, "the third log-in", 20)
        assert len(platform.received(0x0100)) == 2
    finally:
        again.stop()


def test_platform_away_and_back(terminal, platform: FleetPlatform, media_port) -> None:
    """Streams go on while the link is away, and the terminal is back by itself."""
    one = terminal(heartbeat=1, answerTimeout=1)
    port = media_port()
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=5)
    events = one.events()
    platform.stop()
    events.wait_for("platform.offline")
    frames = len(stream.frames)
    port.wait_for_stream(frames=frames + 50)
    assert port.ended == 0
    platform.start()
    wait_until(lambda: platform.logins == 2, "the second log-in", 40)
    # The platform commands the same again: nothing changes.
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=len(stream.frames) + 5)
    assert len(port.streams) == 1
    assert len(one.pushes()) == 1


def test_silent_platform_is_noticed(terminal, platform: FleetPlatform) -> None:
    one = terminal(heartbeat=2, answerTimeout=2, version="2019")
    events = one.events()
    platform.is_mute = True
    started = time.monotonic()
    events.wait_for("platform.offline", 10)
    assert time.monotonic() - started < 6


def test_refused_registration(agent, platform: FleetPlatform) -> None:
    platform.registration_result = 4
    one = agent({"platforms": [{"name": "fleet", "servers": [f"127.0.0.1:{platform.port}"], "phone": PHONE}]})
    wait_until(lambda: "refused" in one.status()["platforms"][0]["detail"], "the refusal in the status", 10)
    # Not again at once.
    count = len(platform.received(0x0100))
    assert count == 1


def test_several_platforms(agent, platform: FleetPlatform, media_port) -> None:
    other = FleetPlatform()
    try:
        one = agent({
            "channels": [small_channel(0)],
            "platforms": [
                {"name": "a", "servers": [f"127.0.0.1:{platform.port}"], "phone": PHONE},
                {"name": "b", "servers": [f"127.0.0.1:{other.port}"], "phone": "13900139000", "version": "2019"}]})
        first, second = media_port(), media_port(sim_bytes=10)
        assert platform.open_live(first, 1) == 0
        assert other.open_live(second, 1) == 0
        assert first.wait_for_stream(frames=10).sims == {PHONE}
        assert second.wait_for_stream(frames=10).sims == {"13900139000"}
        assert {push["owner"] for push in one.pushes()} == {"a", "b"}
        assert platform.control_live(1, 0) == 0
        wait_until(lambda: first.ended == 1, "the end of the first")
        frames = len(second.streams[0].frames)
        second.wait_for_stream(frames=frames + 20)
        first.check()
        second.check()
    finally:
        other.close()


# Live video.


@pytest.mark.parametrize("datagrams", [False, True], ids=["tcp", "udp"])
@pytest.mark.parametrize("version", ["2013", "2019"])
def test_eight_channels_at_once(terminal, platform: FleetPlatform, media_port, tmp_path: Path, version: str,
                                datagrams: bool) -> None:
    """Answers within 100 ms, key frames within a second, and every picture."""
    one = terminal(channels=8, version=version)
    ports = [media_port(is_datagram=datagrams, sim_bytes=sim_bytes(version)) for _ in range(8)]
    connection = platform.terminal()
    answers, keys = [], []
    for round in range(3):
        since = len(platform.messages)
        sent = time.monotonic()
        serials = [connection.send(0x9101, platform.live_body(port, index + 1)) for index, port in enumerate(ports)]
        for serial in serials:
            assert platform.result_of(0x9101, serial, since) == 0
        answers += [one.time - sent for one in platform.received(0x0001, since)]
        for port in ports:
            stream = port.wait_for_stream(round)
            assert stream.frames[0][0] == KEY
            keys.append(stream.frames[0][2] - sent)
        for port in ports:
            port.wait_for_stream(round, frames=30)
        for index in range(8):
            assert platform.control_live(index + 1, 0) == 0
        wait_until(lambda: one.pushes() == [], "all closed")
        if not datagrams:
            wait_until(lambda: all(port.ended == round + 1 for port in ports), "all connections closed")
    print(f"answers: {max(answers) * 1000:.1f} ms at most; key frames: {max(keys) * 1000:.0f} ms at most")
    assert sorted(answers)[int(len(answers) * 0.99) - 1] < 0.1
    assert sorted(keys)[int(len(keys) * 0.99) - 1] < 1
    for index, port in enumerate(ports):
        port.check()
        for stream in port.streams:
            assert stream.sims == {PHONE} and stream.channels == {index + 1}
        if index < 2:
            stream = port.streams[0]
            assert not stream.lost
            check_video(one, bytes(stream.video), tmp_path / f"{index}.h264")
            seconds = (stream.frames[-1][1] - stream.frames[0][1]) / 1000
            check_sound(bytes(stream.audio), "aac", tmp_path / f"{index}.aac", seconds)


@pytest.mark.parametrize("version", ["2013", "2019"])
def test_switch_pause_mute_close(terminal, platform: FleetPlatform, media_port, tmp_path: Path, version: str) -> None:
    """Everything on one connection, whose numbers and times go on."""
    one = terminal(version=version, audio="g711a")
    events = one.events()
    port = media_port(sim_bytes=sim_bytes(version))
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=30)
    wait_until(lambda: len(stream.audio) > 4000, "sound")
    assert stream.audio_types == {G711A}
    check_video(one, bytes(stream.video), tmp_path / "main.h264")
    check_sound(bytes(stream.audio), "g711a", tmp_path / "sound.alaw",
                (stream.frames[-1][1] - stream.frames[0][1]) / 1000)
    main = len(stream.video)
    assert platform.control_live(1, 1, stream=1) == 0
    wait_until(lambda: one.pushes()[0]["codeStream"] == "sub", "the switch")
    port.wait_for_stream(frames=len(stream.frames) + 30)
    rest = bytes(stream.video[main:])
    assert b"\0\0\0\1\x67" in rest
    (tmp_path / "sub.h264").write_bytes(rest[rest.rindex(b"\0\0\0\1\x67"):])
    assert media.probe(tmp_path / "sub.h264")["video"]["width"] == 160
    # The same command again changes nothing.
    assert platform.control_live(1, 1, stream=1) == 0
    # Pause: nothing comes; resume: with a key picture.
    assert platform.control_live(1, 2) == 0
    wait_until(lambda: one.pushes()[0].get("paused"), "the pause")
    count = stream.packets
    time.sleep(0.5)
    assert stream.packets - count <= 3
    frames = len(stream.frames)
    assert platform.control_live(1, 3) == 0
    port.wait_for_stream(frames=frames + 10)
    assert any(kind == KEY for kind, _, _ in stream.frames[frames:frames + 4])
    # Without sound, and with sound only.
    assert platform.control_live(1, 0, closes=1) == 0
    wait_until(lambda: one.pushes()[0]["dataType"] == "video", "no sound")
    sound = len(stream.audio)
    port.wait_for_stream(frames=len(stream.frames) + 20)
    assert len(stream.audio) == sound
    assert platform.open_live(port, 1, stream=1) == 0
    wait_until(lambda: len(stream.audio) > sound, "sound again")
    assert platform.control_live(1, 0, closes=2) == 0
    wait_until(lambda: one.pushes()[0]["dataType"] == "audio", "no pictures")
    frames, sound = len(stream.frames), len(stream.audio)
    wait_until(lambda: len(stream.audio) > sound + 8000, "a second of sound")
    assert len(stream.frames) - frames <= 2
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: port.ended == 1, "the end")
    # Again, and for a channel that never was open.
    assert platform.control_live(1, 0) == 0
    assert platform.control_live(9, 0) == 0
    assert len(port.streams) == 1
    port.check()
    assert one.pushes() == []
    details = [event["detail"] for event in events.named("platform.stream")]
    assert any("live ready" in detail for detail in details)
    assert CLIENT_REQUEST in details[-1]


def test_refusals_come_at_once(terminal, platform: FleetPlatform, media_port) -> None:
    one = terminal()
    port = media_port()
    live = platform.live_body(port, 1)
    for body, result in [
        (platform.live_body(port, 7), 1),  # no such channel
        (live[:10], 2),
        (b"\0" + struct.pack(">HHBBB", port.port, 0, 1, 0, 0), 2),  # no host
        (b"\x09127.0.0.1" + struct.pack(">HHBBB", 0, 0, 1, 0, 0), 2),  # no port
        (platform.live_body(port, 1, data_type=5), 3),
        (platform.live_body(port, 1, data_type=6), 2),
    ]:
        started = time.monotonic()
        assert platform.command(0x9101, body) == result, body.hex()
        assert time.monotonic() - started < 0.1
    assert platform.command(0x9102, bytes([1, 9, 0, 0])) == 2
    for identifier in (0x9301, 0x9302, 0x9306):
        assert platform.command(identifier, bytes([1, 1, 1])) == 3
    assert platform.command(0x9302, bytes([1, 255])) == 2
    assert one.pushes() == [] and port.streams == []


def test_repeats_are_harmless(terminal, platform: FleetPlatform, media_port) -> None:
    """The same command with the same serial is answered again; with another it brings a key picture."""
    one = terminal()
    port = media_port()
    body = platform.live_body(port, 1)
    since = len(platform.messages)
    serial = platform.send(0x9101, body)
    assert platform.result_of(0x9101, serial, since) == 0
    stream = port.wait_for_stream(frames=5)
    for _ in range(3):
        since = len(platform.messages)
        platform.send(0x9101, body, serial)
        assert platform.result_of(0x9101, serial, since) == 0
    frames = len(stream.frames)
    assert platform.command(0x9101, body) == 0
    wait_until(lambda: any(kind == KEY for kind, _, _ in stream.frames[frames:]), "a key picture")
    port.wait_for_stream(frames=len(stream.frames) + 10)
    assert len(port.streams) == 1 and len(one.pushes()) == 1
    # Another target: the new one is opened, the old one closed.
    other = media_port()
    assert platform.open_live(other, 1) == 0
    other.wait_for_stream(frames=5)
    wait_until(lambda: port.ended == 1, "the end of the old one")
    assert len(one.pushes()) == 1
    port.check()


def test_media_port_refuses(terminal, platform: FleetPlatform, media_port) -> None:
    one = terminal()
    events = one.events()
    port = media_port()
    body = platform.live_body(port, 1)
    port.close()
    # Accepted at once, since connecting is not waited for.
    assert platform.command(0x9101, body) == 0
    event = events.wait_for("push.closed")
    assert event["push"]["cause"]["code"] == "unreachable" and event["push"]["attempts"] == 3
    wait_until(lambda: events.named("platform.stream"), "the platform's view of it")
    assert DATA_TIMEOUT in events.named("platform.stream")[-1]["detail"]
    assert one.pushes() == []
    # The terminal is as ready as before.
    fresh = media_port()
    assert platform.open_live(fresh, 1) == 0
    fresh.wait_for_stream(frames=5)


def test_media_port_takes_nothing(terminal, platform: FleetPlatform, media_port) -> None:
    one = terminal(configuration={"push": {"timeouts": {"stall": 2}}})
    events = one.events()
    port = media_port(reads=False)
    assert platform.open_live(port, 1) == 0
    # The kernel takes some; then it is seen that nothing moves, tried once more, and given up.
    event = events.wait_for("push.waiting", 60)
    assert event["push"]["cause"]["code"] == "networkLost"
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: one.pushes() == [], "no push")


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_media_connection_cut(terminal, platform: FleetPlatform, media_port, reset: bool) -> None:
    one = terminal()
    events = one.events()
    port = media_port()
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=10)
    port.cut() if reset else port.finish()
    event = events.wait_for("push.closed")
    assert event["push"]["cause"]["code"] == "service"
    wait_until(lambda: any(TERMINAL_CLOSED in one["detail"] for one in events.named("platform.stream")), "closeCause 2")
    assert one.pushes() == []
    # It comes back on command only.
    assert len(port.streams) == 1
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(1, frames=5)


def test_restart_leaves_no_orphan(terminal, platform: FleetPlatform, media_port) -> None:
    one = terminal()
    port = media_port()
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)
    one.terminate()
    wait_until(lambda: port.ended == 1, "the end of the stream")
    again = Agent(folder=one.folder, port=one.port, configuration=one.configuration_path.read_text())
    try:
        wait_until(lambda: platform.logins == 2, "the second log-in")
        assert again.pushes() == []
        assert platform.open_live(port, 1) == 0
        port.wait_for_stream(1, frames=5)
    finally:
        again.stop()


def test_live_target_opens_a_push_there(terminal, platform: FleetPlatform, media_port, media_service) -> None:
    service = media_service()
    one = terminal(liveTarget=service.url("{sim}-{channel}"))
    port = media_port()
    assert platform.open_live(port, 1) == 0
    (push,) = wait_until(lambda: [push for push in one.pushes() if push["state"] == "publishing"], "a push")
    assert push["owner"] == "fleet" and push["target"].startswith("rtmp://")
    assert media.probe(service.url(f"{PHONE}-1"))["video"]["codec_name"] == "h264"
    assert platform.control_live(1, 1, stream=1) == 0
    wait_until(lambda: one.pushes()[0]["codeStream"] == "sub", "the switch")
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: one.pushes() == [], "the end")
    assert port.streams == []


def test_loss_lowers_the_rate(terminal, platform: FleetPlatform, media_port) -> None:
    one = terminal()
    port = media_port()
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)

    def target() -> int:
        return one.status()["channels"][0]["streams"][0]["targetBitrate"]

    assert target() == 200000
    for _ in range(3):
        assert platform.command(0x9105, bytes([1, 20])) == 0
    wait_until(lambda: target() < 120000, "a lower rate")
    for _ in range(8):
        platform.command(0x9105, bytes([1, 0]))
    wait_until(lambda: target() == 200000, "the configured rate")
    platform.command(0x9105, bytes([1, 20]))
    wait_until(lambda: target() < 200000, "a lower rate")
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: target() == 200000, "the configured rate after the end")


# Recordings.


@pytest.fixture
def recording_terminal(terminal, platform: FleetPlatform, tmp_path: Path) -> Callable[..., Agent]:
    def start(seconds: float, segment: int = 2, **settings: Any) -> tuple[Agent, float]:
        channel = small_channel(0, recording={"main": {"mode": "continuous"}})
        one = terminal(configuration={
            "channels": [channel], "recording": {"folder": str(tmp_path / "recordings"), "segmentSeconds": segment}},
            **settings)
        wait_until(lambda: one.status().get("recording", {}).get("disk", {}).get("state") == "ready", "the disk", 20)
        started = time.time()
        wait_until(lambda: time.time() - started > seconds, "recordings", seconds + 5, 0.1)
        return one, started

    return start


def records(answer: bytes) -> list[tuple[int, float, float, int, int, int]]:
    (total,) = struct.unpack(">I", answer[:4])
    found = [answer[at:at + 28] for at in range(4, len(answer), 28)]
    assert len(found) == total
    return [(one[0], from_bcd_time(one[1:7]).timestamp(), from_bcd_time(one[7:13]).timestamp(), one[21], one[22],
             struct.unpack(">I", one[24:28])[0]) for one in found]


@pytest.mark.parametrize("version", ["2013", "2019"])
def test_resource_list_over_sub_packages(recording_terminal, platform: FleetPlatform, version: str) -> None:
    one, started = recording_terminal(45, segment=1, version=version)
    body = bytes([0]) + bcd_time(None) + bcd_time(None) + bytes(8) + bytes([0, 0, 0])
    since = len(platform.messages)
    serial = platform.send(0x9205, body)
    answer = platform.wait_for(0x1205, since, condition=lambda one: one.body[:2] == struct.pack(">H", serial))
    found = records(answer.body[2:])
    assert len(found) > 36 and platform.piece_counts[-1] >= 2
    assert [one[1] for one in found] == sorted(one[1] for one in found)
    assert all(one[0] == 1 and one[3:5] == (0, 1) for one in found) and all(one[5] > 0 for one in found[:-1])
    assert all(a[2] <= b[1] + 1 for a, b in zip(found, found[1:]))
    # A part of the time, and a time without anything.
    some = records(platform.ask(
        0x9205, bytes([1]) + bcd_time(found[3][1]) + bcd_time(found[5][1]) + bytes(11), 0x1205))
    assert 3 <= len(some) <= 5
    assert records(platform.ask(0x9205, bytes([1]) + bcd_time(0x5E000000) + bcd_time(0x5E000100) + bytes(11),
                                0x1205)) == []
    # Pieces that got lost come again, byte for byte.
    first = answer.serial - answer.index + 1 & 0xFFFF
    since = len(platform.messages)
    count = len(platform.piece_counts)
    indices = struct.pack(">HH", 1, 2)
    platform.send(0x8003, struct.pack(">H", first) + (b"\0\2" if version == "2019" else b"\2") + indices)
    wait_until(lambda: len(platform.piece_counts) > count, "the pieces again")
    assert platform.messages[-1].body == answer.body or any(
        one.body == answer.body for one in platform.received(0x1205, since))


@pytest.mark.parametrize("datagrams", [False, True], ids=["tcp", "udp"])
def test_playback(recording_terminal, platform: FleetPlatform, media_port, tmp_path: Path, datagrams: bool) -> None:
    one, started = recording_terminal(14)
    start = started + 2
    port = media_port(is_datagram=datagrams)
    since = len(platform.messages)
    serial = platform.send(0x9201, platform.playback_body(port, 1, start, start + 3))
    assert platform.result_of(0x9201, serial, since) == 0
    listed = platform.wait_for(0x1205, since, condition=lambda one: one.body[:2] == struct.pack(">H", serial))
    assert records(listed.body[2:])
    if not datagrams:
        wait_until(lambda: port.ended == 1, "the end of the footage", 20)
    wait_until(lambda: one.pushes() == [], "no push", 20)
    stream = port.streams[0]
    port.check()
    codes = check_video(one, bytes(stream.video), tmp_path / "playback.h264")
    assert 85 <= len(codes) <= 130
    if datagrams:
        return
    # Nothing recorded: refused, no connection.
    since = len(platform.messages)
    serial = platform.send(0x9201, platform.playback_body(port, 1, started - 9000, started - 8000))
    assert platform.result_of(0x9201, serial, since) == 1
    assert len(port.streams) == 1
    # Speed, key pictures, seeking, pause, the way back, and the end.
    serial = platform.send(0x9201, platform.playback_body(port, 1, start, start + 9))
    stream = port.wait_for_stream(1, frames=10)
    assert platform.control_playback(1, 3, speed=3) == 0
    count, stamp, wall = len(stream.frames), stream.frames[-1][1], time.monotonic()
    port.wait_for_stream(1, frames=count + 40)
    assert (stream.frames[-1][1] - stamp) / 1000 > 1.5 * (time.monotonic() - wall)
    assert platform.control_playback(1, 1) == 0
    assert platform.control_playback(1, 5, position=start) == 0
    assert platform.control_playback(1, 0) == 0
    port.wait_for_stream(1, frames=len(stream.frames) + 20)
    assert platform.control_playback(1, 6) == 0
    keys = len(stream.frames)
    port.wait_for_stream(1, frames=keys + 4)
    assert platform.control_playback(1, 5, position=start + 7) == 0
    assert platform.control_playback(1, 4, speed=1) == 0
    frames = len(stream.frames)
    port.wait_for_stream(1, frames=frames + 4)
    assert platform.control_playback(1, 2) == 0
    wait_until(lambda: port.ended == 2, "the end")
    assert platform.control_playback(1, 2) == 0
    assert platform.control_playback(1, 1) == 1
    port.check()


def upload_body(server: FTPServer, folder: str, start: float, end: float) -> bytes:
    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()
    return (text("127.0.0.1") + struct.pack(">H", server.port) + text(server.user) + text(server.password) + text(folder)
            + bytes([1]) + bcd_time(start) + bcd_time(end) + bytes(8) + bytes([0, 0, 0, 7]))


def test_upload(recording_terminal, platform: FleetPlatform, tmp_path: Path) -> None:
    """Files arrive whole; a transfer that is cut or paused goes on where it was."""
    one, started = recording_terminal(12)
    root = tmp_path / "ftp"
    root.mkdir()
    server = FTPServer(root)
    try:
        server.cut_after = 20000
        since = len(platform.messages)
        serial = platform.send(0x9206, upload_body(server, "/alarm/new", started + 3, started + 7))
        assert platform.result_of(0x9206, serial, since) == 0
        done = platform.wait_for(0x1206, since, 40)
        assert done.body == struct.pack(">HB", serial, 0)
        files = sorted((root / "alarm/new").iterdir())
        assert 2 <= len(files) <= 4 and all(file.name.startswith("ch1_") for file in files)
        assert any(command.startswith("APPE") for command in server.commands)
        for file in files:
            assert media.decode_messages(file) == ""
            picture_code.read_codes(file)
        recorded = {path.read_bytes() for path in (tmp_path / "recordings").rglob("*.mp4")}
        assert all(file.read_bytes() in recorded for file in files)
        # Paused and gone on with.
        server.slow = True
        since = len(platform.messages)
        serial = platform.send(0x9206, upload_body(server, "slow", started + 3, started + 4))
        wait_until(lambda: list(root.glob("slow/*")), "the file begins")
        assert platform.command(0x9207, struct.pack(">HB", serial, 0)) == 0
        assert platform.command(0x9207, struct.pack(">HB", serial, 1)) == 0
        assert platform.wait_for(0x1206, since, 40).body == struct.pack(">HB", serial, 0)
        assert all(file.read_bytes() in recorded for file in root.glob("slow/*"))
        # Given up: no word of it any more. Nothing recorded, a wrong password: failed.
        server.slow = False
        since = len(platform.messages)
        serial = platform.send(0x9206, upload_body(server, "", started - 9000, started - 8000))
        assert platform.wait_for(0x1206, since, 20).body == struct.pack(">HB", serial, 1)
    finally:
        server.close()


# Heads and talk.


def test_heads(terminal, platform: FleetPlatform) -> None:
    one = terminal(configuration={"channels": [small_channel(0, ptz={"driver": "simulated"})]})

    def head() -> dict[str, Any]:
        return one.get("/channels/0/ptz")

    pan = head()["pan"]
    answers = []
    started = time.monotonic()
    assert platform.command(0x9301, bytes([1, 4, 255])) == 0
    answers.append(time.monotonic() - started)
    wait_until(lambda: head()["moving"], "it turns")
    assert platform.command(0x9301, bytes([1, 0, 0])) == 0
    wait_until(lambda: not head()["moving"], "it stops")
    assert head()["pan"] > pan
    for identifier in (0x9302, 0x9303, 0x9304, 0x9305, 0x9306):
        assert platform.command(identifier, bytes([1, 0])) in (0, 3)
    # With the link its hand is gone from the head.
    assert platform.command(0x9301, bytes([1, 3, 255])) == 0
    wait_until(lambda: head()["moving"], "it turns")
    platform.stop()
    wait_until(lambda: not head()["moving"], "it stops without the link", 4)
    assert max(answers) < 0.1


@pytest.mark.parametrize("version", ["2013", "2019"])
def test_talk(agent, platform: FleetPlatform, media_port, tmp_path: Path, version: str) -> None:
    """What the platform says comes out of the speaker; what the device hears goes up; nobody else can talk meanwhile."""
    speaker = Speaker(tmp_path)
    one = agent({**speaker.configuration, "channels": [small_channel(0)], "platforms": [{
        "name": "fleet", "servers": [f"127.0.0.1:{platform.port}"], "phone": PHONE, "version": version,
        "audio": "g711a"}]}, environment=speaker.environment)
    platform.terminal()
    live, talk, other = (media_port(sim_bytes=sim_bytes(version)) for _ in range(3))
    assert platform.ask(0x9003, b"", 0x1003, has_serial=False)[0] == G711A
    assert platform.open_live(live, 1, data_type=1) == 0
    assert platform.open_live(talk, 1, data_type=2) == 0
    wait_until(lambda: talk.streams and talk.streams[0].audio, "sound from the device")
    # The same target again is harmless, another talk is refused.
    assert platform.open_live(talk, 1, data_type=2) == 0
    frequencies = [500, 900, 1700]
    samples = tones(frequencies, 1.0, 8000)
    coded = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", "alaw", "pipe:1"],
        input=samples.tobytes(), capture_output=True, check=True, timeout=30).stdout
    talk.say(PHONE, 1, G711A, [coded[at:at + 320] for at in range(0, len(coded), 320)], 0.04)
    heard = wait_until(
        lambda: all(abs(length - 1.0) < 0.1 for length in tone_lengths(speaker.heard(), frequencies)), "the tones", 10)
    assert heard
    live.wait_for_stream(frames=10)
    assert platform.control_live(1, 4) == 0
    wait_until(lambda: talk.ended == 1, "the end of the talk")
    wait_until_free(one)
    frames = len(live.streams[0].frames)
    live.wait_for_stream(frames=frames + 10)
    # Broadcast: one packet of silence says whose connection it is.
    assert platform.open_live(other, 1, data_type=4) == 0
    wait_until(lambda: other.streams and other.streams[0].packets == 1, "the packet of silence")
    other.finish()
    wait_until_free(one)
    live.check()
