"""What fleet platforms see, hear and say live: every way of opening, both editions, over TCP and UDP; heads."""

import json
import platform as machine
import struct
import subprocess
import time
from typing import Any

import pytest
from harness import media
from harness.agent import REPOSITORY
from harness.fleet_platform import FleetPlatform, MediaPort
from harness.jt808 import AAC, G711A, G711U, KEY
from harness.talk import Speaker, tone_lengths, tones, wait_until_free
from harness.terminal import (CLIENT_REQUEST, DATA_TIMEOUT, PHONE, TERMINAL_CLOSED, Variant, check_sound, read_pictures,
                              small_channel)
from harness.waiting import wait_until


OPENINGS = 60
"""Of eight channels each, in the long form."""


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class EightOpenings:
    """Opens eight channels at the same moment, and notes when each was answered and when its first key picture came."""

    def __init__(self, platform: FleetPlatform, ports: list[MediaPort]) -> None:
        self.platform = platform
        self.ports = ports
        self.answers: list[float] = []
        self.keys: list[float] = []

    def open(self, number: int) -> None:
        since = len(self.platform.messages)
        connection = self.platform.terminal()
        sent = time.monotonic()
        serials = [connection.send(0x9101, self.platform.live_body(port, index + 1))
                   for index, port in enumerate(self.ports)]
        for serial in serials:
            assert self.platform.result_of(0x9101, serial, since) == 0
        self.answers += [one.time - sent for one in self.platform.received(0x0001, since)]
        for port in self.ports:
            stream = port.wait_for_stream(number)
            assert stream.frames[0][0] == KEY
            self.keys.append(stream.frames[0][2] - sent)

    def close(self, agent: Any, number: int) -> None:
        for index in range(len(self.ports)):
            assert self.platform.control_live(index + 1, 0) == 0
        wait_until(lambda: agent.pushes() == [], "all closed")
        wait_until(lambda: all(port.is_datagram or port.ended == number + 1 for port in self.ports), "all connections closed")

    def figures(self) -> dict[str, Any]:
        return {name: {"median": round(percentile(values, 0.5) * 1000, 1), "p99": round(percentile(values, 0.99) * 1000, 1),
                       "most": round(max(values) * 1000, 1), "count": len(values)}
                for name, values in (("answer_milliseconds", self.answers), ("key_picture_milliseconds", self.keys))}


def test_eight_channels_at_once(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant) -> None:
    """Answers within 100 ms, key pictures within a second, and every picture and sound of the source."""
    one = terminal(channels=8, version=variant.version)
    openings = EightOpenings(platform, [media_port(**variant.port) for _ in range(8)])
    for number in range(3):
        openings.open(number)
        for port in openings.ports:
            port.wait_for_stream(number, frames=30)
        openings.close(one, number)
    print(openings.figures())
    assert percentile(openings.answers, 0.99) < 0.1
    assert percentile(openings.keys, 0.99) < 1
    for index, port in enumerate(openings.ports):
        port.check()
        for number, stream in enumerate(port.streams):
            assert stream.sims == {PHONE} and stream.channels == {index + 1} and not stream.lost
            if number == 0:
                read_pictures(one, stream, tmp_path / f"{index}.h264")
                check_sound(stream, "aac", tmp_path / f"{index}.aac")


def test_many_openings_of_eight_channels(terminal, platform: FleetPlatform, media_port, variant: Variant, full: bool) -> None:
    """The figures of `test_eight_channels_at_once` over many openings; encoders are at rest before every second one."""
    if not full:
        pytest.skip("minutes; with --full")
    channels = [small_channel(number, linger=0.1) for number in range(8)]
    one = terminal(version=variant.version, configuration={"channels": channels})
    openings = {"at_rest": EightOpenings(platform, [media_port(**variant.port) for _ in range(8)])}
    openings["running"] = EightOpenings(platform, openings["at_rest"].ports)
    viewers = []
    for number in range(OPENINGS):
        kind = "running" if number % 2 else "at_rest"
        if kind == "running":
            viewers = [one.viewer(channel) for channel in range(8)]
            for viewer in viewers:
                viewer.tag()
        else:
            wait_until(lambda: not any(stream["encoding"] for channel in one.status()["channels"]
                                       for stream in channel["streams"]), "encoders at rest")
        openings[kind].open(number)
        openings[kind].close(one, number)
        for viewer in viewers:
            viewer.close()
        viewers = []
    figures = {kind: some.figures() for kind, some in openings.items()}
    print(figures)
    path = REPOSITORY / "Benchmarks" / "platform-openings.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[str(variant)] = {**figures, "python": machine.python_version(), "machine": machine.machine()}
    path.write_text(json.dumps(known, indent=2) + "\n")
    for some in openings.values():
        assert percentile(some.answers, 0.99) < 0.1
        assert percentile(some.keys, 0.99) < 1
    for port in openings["at_rest"].ports:
        port.check()


@pytest.mark.parametrize("audio", ["aac", "g711a"])
def test_switch_pause_mute_close(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant,
                                 audio: str) -> None:
    """Everything on one connection, whose numbers and times go on."""
    one = terminal(version=variant.version, audio=audio)
    events = one.events()
    port = media_port(**variant.port)
    assert platform.open_live(port, 1) == 0
    stream = port.wait_for_stream(frames=30)
    wait_until(lambda: len(stream.audio) > 4000, "sound")
    assert stream.audio_types == {G711A if audio == "g711a" else AAC}
    check_sound(stream, audio, tmp_path / "sound")
    assert platform.control_live(1, 1, stream=1) == 0
    wait_until(lambda: one.pushes()[0]["codeStream"] == "sub", "the switch")
    before = len(stream.frames)
    port.wait_for_stream(frames=before + 30)
    # All of the main stream, and all of the sub stream, from its parameter sets on.
    video = bytes(stream.video)
    switch = next(at for at in starts_of_sets(video) if at and size_of(video[at:], tmp_path) == 160)
    read_pictures(one, stream, tmp_path / "main.h264", end=switch)
    read_pictures(one, stream, tmp_path / "sub.h264", start=switch)
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
    assert len(stream.audio) - sound < 1000
    sound = len(stream.audio)
    assert platform.open_live(port, 1, stream=1) == 0
    wait_until(lambda: len(stream.audio) > sound, "sound again")
    assert platform.control_live(1, 0, closes=2) == 0
    wait_until(lambda: one.pushes()[0]["dataType"] == "audio", "no pictures")
    frames, sound = len(stream.frames), len(stream.audio)
    wait_until(lambda: len(stream.audio) > sound + 4000, "a second of sound")
    assert len(stream.frames) - frames <= 2
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: one.pushes() == [] and (variant.is_datagram or port.ended == 1), "the end")
    # Again, and for a channel that never was open.
    assert platform.control_live(1, 0) == 0
    assert platform.control_live(9, 0) == 0
    assert len(port.streams) == 1
    port.check()
    wait_until(lambda: any(CLIENT_REQUEST in event["detail"] for event in events.named("platform.stream")), "closeCause 1")
    assert "live ready" in events.named("platform.stream")[0]["detail"]


def starts_of_sets(video: bytes) -> list[int]:
    found, at = [], video.find(b"\0\0\0\1\x67")
    while at >= 0:
        found.append(at)
        at = video.find(b"\0\0\0\1\x67", at + 1)
    return found


def size_of(video: bytes, folder) -> int:
    path = folder / "probe.h264"
    path.write_bytes(video[:20000])
    return media.probe(path)["video"]["width"]


@pytest.mark.parametrize("audio", ["aac", "g711a"])
def test_single_kinds(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant, audio: str) -> None:
    """Pictures only, and listening only, beside each other on one channel."""
    one = terminal(version=variant.version, audio=audio)
    events = one.events()
    pictures, sound = media_port(**variant.port), media_port(**variant.port)
    assert platform.open_live(pictures, 1, data_type=1) == 0
    assert platform.open_live(sound, 1, data_type=3) == 0
    stream = pictures.wait_for_stream(frames=30)
    wait_until(lambda: sound.streams and len(sound.streams[0].audio) > 6000, "sound")
    assert not stream.audio and not sound.streams[0].frames
    told = {event["detail"] for event in events.named("platform.stream")}
    assert told == {"live ready", "listen ready"}
    # Listening ends with the channel.
    assert platform.control_live(1, 0) == 0
    wait_until(lambda: one.pushes() == [], "the end of both")
    read_pictures(one, stream, tmp_path / "pictures.h264")
    pictures.check()
    sound.check()


def test_refusals_come_at_once(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    one = terminal(version=version)
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
        assert platform.command(0x9101, body, 1) == result, body.hex()
    assert platform.command(0x9102, bytes([1, 9, 0, 0])) == 2
    for identifier in (0x9301, 0x9302, 0x9306):
        assert platform.command(identifier, bytes([1, 1, 1])) == 3
    assert platform.command(0x9302, bytes([1, 255])) == 2
    assert one.pushes() == [] and port.streams == []


def test_both_ways_open(terminal, platform: FleetPlatform, media_port) -> None:
    """Where 0x9101 has a port for each, it is TCP."""
    terminal()
    tcp, udp = media_port(), media_port(is_datagram=True)
    body = b"\x09localhost" + struct.pack(">HHBBB", tcp.port, udp.port, 1, 0, 0) + b"more"
    assert platform.command(0x9101, body) == 0
    tcp.wait_for_stream(frames=5)
    assert not udp.streams


# When the media port does not do its part.


def test_media_port_refuses(terminal, platform: FleetPlatform, media_port, variant: Variant) -> None:
    """Some attempts in some seconds, then an end that says why, and the terminal is as ready as before."""
    one = terminal(version=variant.version)
    events = one.events()
    port = media_port(**variant.port)
    body = platform.live_body(port, 1)
    port.close()
    # Accepted at once, since connecting is not waited for.
    assert platform.command(0x9101, body, 1) == 0
    event = events.wait_for("push.closed")
    cause = event["push"]["cause"]["code"]
    if variant.is_datagram:
        # Each datagram seems to go, until the machine there says that nobody takes it.
        assert cause == "networkLost" and event["push"]["attempts"] == 2
    else:
        assert cause == "unreachable" and event["push"]["attempts"] == 3
    wait_until(lambda: DATA_TIMEOUT in events.named("platform.stream")[-1]["detail"], "closeCause 6")
    assert one.pushes() == []
    assert one.status()["platforms"][0]["streams"] == []
    fresh = media_port(**variant.port)
    assert platform.open_live(fresh, 1) == 0
    fresh.wait_for_stream(frames=5)


def test_media_port_takes_nothing(terminal, platform: FleetPlatform, media_port, version: str) -> None:
    """Accepts and is silent: seen by what is not taken, tried once more, given up; the other channel goes on."""
    one = terminal(channels=2, version=version, configuration={"push": {"timeouts": {"stall": 2}}})
    events = one.events()
    silent, other = media_port(reads=False, sim_bytes=6), media_port(**Variant(version).port)
    assert platform.open_live(other, 2) == 0
    assert platform.open_live(silent, 1) == 0
    # The kernel takes some.
    event = events.wait_for("push.waiting", 60)
    assert event["push"]["cause"]["code"] == "networkLost"
    assert len(other.wait_for_stream().frames) > 50
    closed = events.wait_for("push.closed", 60)
    assert closed["push"]["cause"]["code"] == "networkLost" and closed["push"]["attempts"] == 2
    wait_until(lambda: TERMINAL_CLOSED in events.named("platform.stream")[-1]["detail"], "closeCause 2")
    assert [push["channel"] for push in one.pushes()] == [1]
    frames = len(other.streams[0].frames)
    other.wait_for_stream(frames=frames + 10)
    other.check()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_media_connection_cut(terminal, platform: FleetPlatform, media_port, version: str, reset: bool) -> None:
    one = terminal(version=version)
    events = one.events()
    port = media_port(**Variant(version).port)
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


def test_datagrams_to_nobody(terminal, platform: FleetPlatform, media_port) -> None:
    """The media port goes away in the middle of datagrams."""
    one = terminal()
    events = one.events()
    port = media_port(is_datagram=True)
    assert platform.open_live(port, 1) == 0
    port.wait_for_stream(frames=10)
    port.close()
    assert events.wait_for("push.closed")["push"]["cause"]["code"] == "networkLost"
    wait_until(lambda: DATA_TIMEOUT in events.named("platform.stream")[-1]["detail"], "closeCause 6")
    assert one.pushes() == []


# Talking.


@pytest.mark.parametrize("audio", ["g711a", "aac"])
def test_talk(terminal, platform: FleetPlatform, media_port, tmp_path, variant: Variant, audio: str) -> None:
    """What the platform says comes out of the speaker; what the device hears goes up; nobody else can talk meanwhile."""
    speaker = Speaker(tmp_path)
    one = terminal(version=variant.version, audio=audio, environment=speaker.environment,
                   configuration={**speaker.configuration, "channels": [small_channel(0), small_channel(1)]})
    live, talk, other = (media_port(**variant.port) for _ in range(3))
    codec = G711A if audio == "g711a" else AAC
    assert platform.ask(0x9003, b"", 0x1003, has_serial=False)[0] == codec
    assert platform.open_live(live, 1, data_type=1) == 0
    assert platform.open_live(talk, 1, data_type=2) == 0
    wait_until(lambda: talk.streams and talk.streams[0].audio, "sound from the device")
    assert talk.streams[0].audio_types == {codec}
    wait_until(lambda: one.status()["talkback"].get("talk"), "the speaker is the platform's")
    # The same target again is harmless, another channel's talk is refused.
    assert platform.open_live(talk, 1, data_type=2) == 0
    assert platform.open_live(other, 2, data_type=2) == 1
    frequencies = [500, 900, 1700]
    pieces = encoded(tones(frequencies, 1.0, 8000).tobytes(), codec)
    talk.say(PHONE, 1, codec, pieces, 0.04 if codec == G711A else 0.128)
    wait_until(
        lambda: all(abs(length - 1.0) < 0.1 for length in tone_lengths(speaker.heard(), frequencies)), "the tones", 10)
    live.wait_for_stream(frames=10)
    assert platform.control_live(1, 4) == 0
    wait_until(lambda: len(one.pushes()) == 1 and (variant.is_datagram or talk.ended == 1), "the end of the talk")
    wait_until_free(one)
    live.wait_for_stream(frames=len(live.streams[0].frames) + 10)
    # Broadcast: one packet of silence says whose connection it is.
    assert platform.open_live(other, 1, data_type=4) == 0
    wait_until(lambda: other.streams and other.streams[0].packets == 1, "the packet of silence")
    assert platform.control_live(1, 0) == 0
    wait_until_free(one)
    live.check()
    talk.check()
    other.check()


def encoded(samples: bytes, codec: int) -> list[bytes]:
    """Packets of 40 ms, or AAC frames with their headers; 16-bit samples of 8 kHz."""
    form = {G711A: "alaw", G711U: "mulaw", AAC: "adts"}[codec]
    data = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", form, "pipe:1"],
        input=samples, capture_output=True, check=True, timeout=30).stdout
    if codec != AAC:
        return [data[at:at + 320] for at in range(0, len(data), 320)]
    frames = []
    while data:
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        frames.append(data[:length])
        data = data[length:]
    return frames


def test_talk_moves(terminal, platform: FleetPlatform, media_port, tmp_path) -> None:
    """Another target for the talk takes the speaker along; what the platform closes is free for others."""
    speaker = Speaker(tmp_path)
    one = terminal(audio="g711a", environment=speaker.environment, configuration=speaker.configuration)
    events = one.events()
    first, second = media_port(), media_port()
    assert platform.open_live(first, 1, data_type=2) == 0
    wait_until(lambda: one.status()["talkback"].get("talk"), "the speaker is the platform's")
    assert platform.open_live(second, 1, data_type=2) == 0
    wait_until(lambda: first.ended == 1 and second.streams and second.streams[0].audio, "the move")
    wait_until(lambda: any(CLIENT_REQUEST in event["detail"] for event in events.named("platform.stream")), "closeCause 1")
    wait_until(lambda: one.status()["talkback"].get("talk"), "the speaker is the platform's still")
    second.say(PHONE, 1, G711U, encoded(tones([700], 1.0, 8000).tobytes(), G711U), 0.04)
    wait_until(lambda: abs(tone_lengths(speaker.heard(), [700])[0] - 1.0) < 0.1, "the tone", 10)
    # Hung up at the device: not the platform's wish, and it can see that.
    assert one.request("DELETE", "/talk")[0] == 200
    wait_until(lambda: second.ended == 1, "the end")
    wait_until(lambda: TERMINAL_CLOSED in events.named("platform.stream")[-1]["detail"], "closeCause 2")
    assert one.pushes() == []


# Beside the media.


def test_live_target_opens_a_push_there(terminal, platform: FleetPlatform, media_port, media_service, version: str) -> None:
    service = media_service()
    one = terminal(version=version, liveTarget=service.url("{sim}-{channel}"))
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


def test_loss_lowers_the_rate(terminal, platform: FleetPlatform, media_port, variant: Variant) -> None:
    one = terminal(version=variant.version)
    port = media_port(**variant.port)
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
    # What one stream lost says nothing of the other.
    viewer = one.viewer()
    assert platform.control_live(1, 1, stream=1) == 0
    wait_until(lambda: target() == 200000, "the configured rate after the switch")
    viewer.close()


def test_heads(terminal, platform: FleetPlatform, version: str) -> None:
    one = terminal(version=version, configuration={"channels": [small_channel(0, ptz={"driver": "simulated"})]})

    def head() -> dict[str, Any]:
        return one.get("/channels/0/ptz")

    pan = head()["pan"]
    assert platform.command(0x9301, bytes([1, 4, 255]), 1) == 0
    wait_until(lambda: head()["moving"], "it turns")
    assert platform.command(0x9301, bytes([1, 0, 0])) == 0
    wait_until(lambda: not head()["moving"], "it stops")
    assert head()["pan"] > pan
    for direction, axis in ((3, "pan"), (1, "tilt"), (2, "tilt")):
        before = head()[axis]
        assert platform.command(0x9301, bytes([1, direction, 255])) == 0
        wait_until(lambda: head()[axis] != before, f"direction {direction}")
        assert platform.command(0x9301, bytes([1, 0, 0])) == 0
    for identifier in (0x9302, 0x9303, 0x9304, 0x9305, 0x9306):
        for value in (0, 1):
            assert platform.command(identifier, bytes([1, value])) in (0, 3)
        assert platform.command(identifier, bytes([1, 2])) == 2
    # With the link its hand is gone from the head.
    assert platform.command(0x9301, bytes([1, 3, 255])) == 0
    wait_until(lambda: head()["moving"], "it turns")
    platform.stop()
    wait_until(lambda: not head()["moving"], "it stops without the link", 4)
