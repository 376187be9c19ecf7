"""The nine points that make platforms' synchronous and asynchronous openings work, one by one: see Documentation/PlatformLink.md."""

import struct
import time

from harness.fleet_platform import FleetPlatform
from harness.jt808 import KEY
from harness.terminal import (CLIENT_REQUEST, COMMAND_FAILED, PHONE, TERMINAL_CLOSED, Variant, read_pictures)
from harness.waiting import wait_until


def test_point_1_stays_logged_in(terminal, platform: FleetPlatform, version: str) -> None:
    """Heartbeats below the platform's idle limit; a link that is dead is noticed, and there is a new one."""
    one = terminal(version=version, heartbeat=1, answerTimeout=2, locationInterval=3600)
    wait_until(lambda: len(platform.received(0x0002)) >= 3, "heartbeats", 10)
    times = [message.time for message in platform.received(0x0002)]
    assert max(after - before for before, after in zip(times, times[1:])) < 5
    events = one.events()
    platform.is_mute = True
    events.wait_for("platform.offline", 10)
    platform.is_mute = False
    wait_until(lambda: platform.logins == 2, "the next log-in", 20)
    assert len(platform.received(0x0100)) == 1


def test_point_2_answers_before_it_connects(terminal, platform: FleetPlatform, version: str) -> None:
    """Also where the media port's machine never answers."""
    one = terminal(version=version)
    # An address for documentation: nobody is there.
    host = b"192.0.2.1"
    body = bytes([len(host)]) + host + struct.pack(">HHBBB", 9, 0, 1, 0, 0)
    for _ in range(20):
        since = len(platform.messages)
        sent = time.monotonic()
        serial = platform.send(0x9101, body)
        assert platform.result_of(0x9101, serial, since) == 0
        answer = platform.received(0x0001, since)[0]
        assert answer.time - sent < 0.5
    assert [push["state"] for push in one.pushes()] in (["connecting"], ["waiting"])


def test_point_3_refuses_at_once(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    """What cannot be done, with the right result, and the platform's viewers would be told `failed`."""
    one = terminal(channels=2, version=version, configuration={"push": {"limit": 1}, "talk": {"speaker": "none"}})
    events = one.events()
    port = media_port(**Variant(version).port)
    for channel, kind, result in [(9, 0, 1), (1, 2, 3), (1, 4, 3), (1, 5, 3), (1, 6, 2)]:
        count = len(events.named("platform.stream"))
        assert platform.open_live(port, channel, data_type=kind) == result
        event = events.wait_for("platform.stream", count=count + 1)
        assert COMMAND_FAILED in event["detail"] and f"result {result}" in event["detail"]
    # No room for more streams.
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)
    assert platform.open_live(port, 2) == 1
    assert len(port.streams) == 1


def test_point_4_channels_do_not_wait_for_each_other(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    """One of four goes where nobody is; the others' key pictures come all the same."""
    terminal(channels=4, version=version)
    ports = [media_port(**Variant(version).port) for _ in range(3)]
    connection = platform.terminal()
    since = len(platform.messages)
    host = b"192.0.2.1"
    serials = [connection.send(0x9101, bytes([len(host)]) + host + struct.pack(">HHBBB", 9, 0, 1, 0, 0))]
    sent = time.monotonic()
    serials += [connection.send(0x9101, platform.live_body(port, index + 2)) for index, port in enumerate(ports)]
    for serial in serials:
        assert platform.result_of(0x9101, serial, since) == 0
    for port in ports:
        kind, _, at = port.wait_for_stream().frames[0]
        assert kind == KEY and at - sent < 2


def test_point_5_names_and_numbers(terminal, platform: FleetPlatform, media_port, variant: Variant) -> None:
    """SIM and channel of the request, the SIM's length by the version, numbers that go on through everything."""
    one = terminal(version=variant.version, channels=2)
    port = media_port(**variant.port)
    assert platform.open_live(port, 2) == 0
    stream = port.wait_for_stream(frames=10)
    for command, more in [(1, {"stream": 1}), (2, {}), (3, {}), (1, {"stream": 0}), (0, {"closes": 1})]:
        assert platform.control_live(2, command, **more) == 0
        frames = len(stream.frames)
        if command != 2:
            port.wait_for_stream(frames=frames + 5)
    assert stream.sims == {PHONE} and stream.channels == {2} and not stream.lost
    assert len(port.streams) == 1 == len(one.pushes())
    port.check()


def test_point_6_repeats_are_harmless(terminal, platform: FleetPlatform, media_port, variant: Variant) -> None:
    one = terminal(version=variant.version)
    port = media_port(**variant.port)
    for _ in range(5):
        assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=5)
    assert len(port.streams) == 1 == len(one.pushes())
    for _ in range(3):
        for command in (2, 3, 0):
            assert platform.control_live(1, command) == 0
    for channel in (1, 9, 0):
        assert platform.control_live(channel, 0) == 0
    wait_until(lambda: one.pushes() == [], "the end")
    port.check()


def test_point_7_goes_on_until_it_is_told(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant) -> None:
    """Nothing else that the platform says or asks touches the stream: not one picture is missing."""
    one = terminal(version=variant.version, channels=2)
    port, other = media_port(**variant.port), media_port(**variant.port)
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=5)
    platform.ask(0x9003, b"", 0x1003, has_serial=False)
    platform.ask(0x8104, b"", 0x0104)
    assert platform.command(0x9105, bytes([1, 0])) == 0
    assert platform.command(0x4444, b"") == 3
    assert platform.open_live(other, 2) == 0
    assert platform.control_live(2, 0) == 0
    assert platform.control_live(1, 4) == 0
    port.wait_for_stream(frames=len(stream.frames) + 40)
    assert len(port.streams) == 1
    # A command of the platform changes it, and so it ends.
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: one.pushes() == [], "the end")
    read_pictures(one, stream, tmp_path / "video.h264")
    port.check()


def test_point_8_streams_outlive_the_link(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant) -> None:
    """While the terminal logs in anew; afterwards the platform decides."""
    one = terminal(version=variant.version)
    port = media_port(**variant.port)
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=5)
    platform.connections[-1].close()
    wait_until(lambda: platform.logins == 2, "the second log-in", 20)
    port.wait_for_stream(frames=len(stream.frames) + 20)
    assert len(port.streams) == 1 and (variant.is_datagram or not port.ended)
    events = one.events()
    assert platform.control_live(1, 0) == 0
    assert CLIENT_REQUEST in events.wait_for("platform.stream")["detail"]
    read_pictures(one, stream, tmp_path / "video.h264")
    port.check()


def test_point_9_ends_in_order(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    """Media connections are closed behind a whole packet; the registration stays, so that no 0x0003 is sent."""
    one = terminal(channels=2, version=version)
    ports = [media_port(**Variant(version).port) for _ in range(2)]
    for index, port in enumerate(ports):
        assert platform.open_live(port, index + 1) == 0
        port.wait_for_stream(frames=10)
    events = one.events()
    status, seconds = one.terminate()
    assert status == 0 and seconds < 10
    for port in ports:
        wait_until(lambda: port.ended == 1, "the end")
        port.check()
    assert platform.received(0x0003) == []
    assert all(TERMINAL_CLOSED in event["detail"] for event in events.named("platform.stream"))
