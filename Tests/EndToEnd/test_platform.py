"""A terminal of fleet platforms: vectors, log-in, settings, and the signalling link when something fails."""

import json
import os
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from harness.agent import PROGRAMS, Agent
from harness.fleet_platform import FleetPlatform
from harness.gpsd import GPSD, Receiver
from harness.jt808 import AAC, KEY, from_bcd_time
from harness.terminal import DATA_TIMEOUT, PHONE, TERMINAL_CLOSED, Variant, small_channel
from harness.waiting import wait_until

VECTORS = Path(os.environ.get(
    "JT808_VECTORS", Path(__file__).resolve().parents[2].parent / "shared/specs/vectors/jt808-jt1078-public.json"))


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


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGKILL"])
def test_restart_leaves_no_orphan(terminal, platform: FleetPlatform, media_port, version: str, signal: str) -> None:
    """In order or not: the stream ends, it is not taken up again by itself, and the next command opens it."""
    one = terminal(version=version)
    port = media_port(**Variant(version).port)
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)
    if signal == "SIGTERM":
        one.terminate()
        # Up to the end of a packet.
        wait_until(lambda: port.ended == 1, "the end of the stream")
        port.check()
    else:
        one.process.kill()
        one.process.wait()
        wait_until(lambda: port.ended == 1, "the end of the stream")
        port.errors.clear()
    assert platform.received(0x0003) == []
    again = Agent(folder=one.folder, port=one.port, configuration=one.configuration_path.read_text())
    try:
        wait_until(lambda: platform.logins == 2, "the second log-in")
        assert again.pushes() == [] and len(port.streams) == 1
        assert platform.open_live(port, 1) == 0
        port.wait_for_stream(1, frames=5)
        assert len(again.pushes()) == 1
        port.check()
    finally:
        again.stop()


def test_platform_away_and_back(terminal, platform: FleetPlatform, media_port, variant: Variant, full: bool) -> None:
    """Streams go on for a minute while the link is away; the terminal is back by itself, and nothing is left over."""
    one = terminal(version=variant.version, heartbeat=1, answerTimeout=1)
    port = media_port(**variant.port)
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=5)
    events = one.events()
    away = time.monotonic()
    platform.stop()
    events.wait_for("platform.offline")
    port.wait_for_stream(frames=len(stream.frames) + 50)
    if full:
        # Longer than streams go on: they end, as the platform sees it by the terminal.
        wait_until(lambda: one.pushes() == [], "the end of the stream", 80)
        assert 58 < time.monotonic() - away < 70
        expected = DATA_TIMEOUT if variant.is_datagram else TERMINAL_CLOSED
        wait_until(lambda: expected in events.named("platform.stream")[-1]["detail"], expected)
    assert variant.is_datagram or port.ended == (1 if full else 0)
    platform.start()
    # The longest pause is a minute.
    wait_until(lambda: platform.logins == 2, "the second log-in", 80 if full else 40)
    # The platform commands the same again: nothing changes where it still runs.
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(1 if full else 0, frames=5 if full else len(stream.frames) + 5)
    assert len(port.streams) == (2 if full else 1)
    assert len(one.pushes()) == 1 == len(one.status()["platforms"][0]["streams"])
    port.check()


def test_answer_that_got_lost(terminal, platform: FleetPlatform, media_port, variant: Variant) -> None:
    """The platform commands the same with the same serial: answered again, carried out once; with another it brings a
    key picture."""
    one = terminal(version=variant.version)
    port = media_port(**variant.port)
    body = platform.live_body(port, 1)
    since = len(platform.messages)
    serial = platform.send(0x9101, body)
    assert platform.result_of(0x9101, serial, since) == 0
    stream = port.wait_for_stream(frames=5)
    for _ in range(3):
        since = len(platform.messages)
        platform.send(0x9101, body, serial)
        assert platform.result_of(0x9101, serial, since) == 0
    # As two frames that come in one piece, too.
    since = len(platform.messages)
    platform.terminal().send_twice(0x9101, body)
    wait_until(lambda: len(platform.received(0x0001, since)) == 2, "two answers")
    frames = len(stream.frames)
    assert platform.command(0x9101, body) == 0
    wait_until(lambda: any(kind == KEY for kind, _, _ in stream.frames[frames:]), "a key picture")
    port.wait_for_stream(frames=len(stream.frames) + 10)
    assert len(port.streams) == 1 and len(one.pushes()) == 1
    # Another target: the new one is opened, the old one closed.
    other = media_port(**variant.port)
    assert platform.open_live(other, 1) == 0
    other.wait_for_stream(frames=5)
    wait_until(lambda: len(one.pushes()) == 1, "the end of the old one")
    assert variant.is_datagram or port.ended == 1
    # A close whose answer got lost.
    since = len(platform.messages)
    serial = platform.send(0x9102, bytes([1, 0, 0, 0]))
    assert platform.result_of(0x9102, serial, since) == 0
    wait_until(lambda: one.pushes() == [], "the end")
    since = len(platform.messages)
    platform.send(0x9102, bytes([1, 0, 0, 0]), serial)
    assert platform.result_of(0x9102, serial, since) == 0
    port.check()
    other.check()


def test_terminals_own_messages_go_out_again(terminal, platform: FleetPlatform) -> None:
    """What the platform does not answer comes again, with the same serial, byte for byte."""
    terminal(answerTimeout=1, heartbeat=60, locationInterval=2)
    since = len(platform.messages)
    platform.unanswered = {0x0200}

    def repeated() -> bool:
        seen = [(one.serial, one.body) for one in platform.received(0x0200, since)]
        return len(seen) != len(set(seen))

    wait_until(repeated, "the same location again", 15)
    platform.unanswered = set()
    assert platform.logins == 1


def test_silent_platform_is_noticed(terminal, platform: FleetPlatform, version: str) -> None:
    """It hangs while its machine still answers: given up within a few heartbeats."""
    one = terminal(heartbeat=2, answerTimeout=2, locationInterval=3600, version=version)
    events = one.events()
    platform.is_mute = True
    events.wait_for("platform.offline", 10)
    assert one.status()["platforms"][0]["state"] != "online"


def test_settings(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    """The bit rate that the platform sets is the encoder's from then on, and after a restart."""
    one = terminal(version=version)
    port = media_port(**Variant(version).port)
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)

    def rate(agent: Agent) -> int:
        return agent.status()["channels"][0]["streams"][0]["targetBitrate"]

    def asked() -> int:
        answer = platform.ask(0x8106, struct.pack(">BI", 1, 0x0075), 0x0104)
        return struct.unpack(">I", answer[-21:][5:9])[0]

    encoding = struct.pack(">BBHBI", 0, 5, 25, 25, 120)
    value = encoding * 2 + b"\0\1" + b"\1"
    assert asked() == 200
    assert platform.command(0x8103, b"\1" + struct.pack(">IB", 0x0075, len(value)) + value) == 0
    wait_until(lambda: rate(one) == 120000, "the rate")
    assert asked() == 120
    one.terminate()
    again = Agent(folder=one.folder, port=one.port, configuration=one.configuration_path.read_text())
    try:
        wait_until(lambda: platform.logins == 2, "the second log-in")
        assert platform.open_live(port, 1) == 0
        port.wait_for_stream(1, frames=5)
        wait_until(lambda: rate(again) == 120000, "the rate after a restart")
    finally:
        again.stop()


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


def test_position_of_gpsd(terminal, platform: FleetPlatform, version: str, full: bool) -> None:
    """A receiver's position goes before the configured one while it is fresh; gpsd may come and go."""
    with GPSD(Receiver()) as gpsd:
        one = terminal(version=version, position={
            "latitude": 22.5, "longitude": 114.1, "altitude": 10, "gpsd": f"127.0.0.1:{gpsd.port}"})

        def place() -> tuple[float, float, int]:
            status, latitude, longitude, altitude = struct.unpack(">IIIH", platform.ask(0x8201, b"", 0x0201)[4:18])
            # It has one, and says whether a receiver knows it.
            assert status & 2 and bool(status & 1 << 18) == ((latitude, longitude) != (22500000, 114100000))
            return (latitude / (-1e6 if status & 4 else 1e6), longitude / (-1e6 if status & 8 else 1e6), altitude)

        def at(*expected: float) -> bool:
            return all(abs(a - b) < 2e-5 for a, b in zip(place(), expected))

        # Too few satellites: what is configured.
        assert at(22.5, 114.1, 10)
        gpsd.receiver.position = (-33.856784, 151.215297, 58)
        wait_until(lambda: at(-33.856784, 151.215297, 58), "the receiver's position", 20, 0.2)
        gpsd.receiver.position = (40.689247, -74.044502, 93)
        wait_until(lambda: at(40.689247, -74.044502, 93), "the next one", 20, 0.2)
        gpsd.receiver.position = None
        wait_until(lambda: at(22.5, 114.1, 10), "the configured position", 20, 0.2)
        # It comes back with another gpsd.
        gpsd.stop()
        gpsd.receiver.position = (1.25, 103.75, 5)
        gpsd.start()
        wait_until(lambda: at(1.25, 103.75, 5), "the position from the new gpsd", 30, 0.2)
        if full:
            gpsd.stop()
            wait_until(lambda: at(22.5, 114.1, 10), "the configured position after a minute", 80, 0.5)
        assert one.status()["platforms"][0]["state"] == "online"
