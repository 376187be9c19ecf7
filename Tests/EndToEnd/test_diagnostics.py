"""What a field engineer has: doctor, top, trace, bundle, metrics; and what the agent does by itself when it goes wrong."""

import json
import math
import os
import re
import signal
import struct
import subprocess
import tarfile
import wave
from pathlib import Path

import pytest
from harness.agent import Agent, edge_agent, synthetic_channel
from harness.viewers import fetch
from harness.waiting import wait_until

SIZE = (320, 180)
RATE = 16000


def doctor(agent: Agent, *areas: str) -> dict[str, dict]:
    """What is wrong, by code."""
    answer = agent.edgectl("doctor", *areas, "--json", "--config", str(agent.configuration_path), timeout=90)
    found = [finding for finding in json.loads(answer.stdout) if finding["verdict"] != "ok"]
    failed = any(finding["verdict"] == "failure" for finding in found)
    assert answer.returncode == (1 if failed else 2 if found else 0), answer
    assert all(finding["advice"] for finding in found)
    return {finding["code"]: finding for finding in found}


def is_found(agent: Agent, area: str, code: str) -> dict:
    return wait_until(lambda: doctor(agent, area).get(code), f"{code} in {area}: {doctor(agent, area)}", 60, 0.5)


def video_file(path: Path, lumas: list[int | None]) -> str:
    """A picture for each of them, of one brightness; None is one with something in it, the same each time."""
    width, height = SIZE
    picture = bytes((x * 7 + y * 13) % 200 + 20 for y in range(height) for x in range(width))
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode())
        for luma in lumas:
            plane = picture if luma is None else bytes([luma]) * (width * height)
            file.write(b"FRAME\n" + plane + bytes([128]) * (width * height // 2))
    return str(path)


def sound_file(path: Path, level: float) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        samples = (max(-1.0, min(1.0, level * math.sin(2 * math.pi * 440 * i / RATE))) for i in range(RATE))
        file.writeframes(b"".join(struct.pack("<h", round(32767 * sample)) for sample in samples))
    return str(path)


def channel(**changes) -> dict:
    return synthetic_channel(main={"size": "320x180", "bitrate": 300000}, video={"size": "320x180"}, **changes)


def test_a_healthy_agent_has_no_findings(agent) -> None:
    one = agent({"channels": [channel()]})
    # What the machine's own clock and network are is not the agent's doing.
    assert doctor(one, "agent", "camera", "sound", "encoder", "storage", "motor") == {}
    text = one.edgectl("doctor", "camera", "sound").stdout
    assert "Nothing is wrong" in text and re.search(r"2\d\.\d pictures a second", text), text


@pytest.mark.parametrize("code, lumas", [
    ("black", [16] * 2), ("white", [235] * 2), ("blank", [120] * 2), ("frozen", [None] * 2),
])
def test_the_doctor_sees_what_the_camera_sees(agent, tmp_path: Path, code: str, lumas: list) -> None:
    file = video_file(tmp_path / "video.y4m", lumas)
    # The text that is drawn in, a clock among it, hides nothing of that.
    one = agent({"channels": [channel() | {"video": {"source": "file", "file": file}}]})
    assert is_found(one, "camera", code)["subject"] == "channel 0"


@pytest.mark.parametrize("code, level", [("silent", 0.0), ("faint", 0.0001), ("clipping", 3.0)])
def test_the_doctor_hears_what_the_microphone_hears(agent, tmp_path: Path, code: str, level: float) -> None:
    file = sound_file(tmp_path / "sound.wav", level)
    one = agent({"channels": [channel() | {"audio": {"source": "file", "file": file, "rate": RATE}}]})
    is_found(one, "sound", code)


def test_devices_that_are_not_there(agent) -> None:
    one = agent({"channels": [channel() | {
        "video": {"source": "v4l2", "device": "/dev/video77"},
        "ptz": {"driver": "pelco-d", "serial": {"device": "/dev/ttyUSB77"}},
    }]})
    assert "/dev/video77" in is_found(one, "camera", "missing")["text"]
    assert "/dev/ttyUSB77" in is_found(one, "motor", "fault")["text"]


def test_services_that_are_not_there(agent) -> None:
    one = agent({
        "push": {"defaultTarget": "rtmp://media.invalid/live/secretkey"},
        "rendezvous": {"broker": "mqtt://127.0.0.1:1"},
    })
    one.open_push("rtmp://127.0.0.1:1/live/secretkey", **{"async": True})
    found = is_found(one, "network", "pushWaits")
    assert "secretkey" not in json.dumps(found)
    found = doctor(one, "network")
    assert "broker 127.0.0.1:1" in found["refused"]["subject"]
    # Without a name server at all, that is what is said.
    assert "media.invalid" in (found.get("nameUnknown") or found["noNameServer"])["subject"]


def test_a_way_in_that_asks_nobody(agent) -> None:
    one = agent({"server": {"address": "0.0.0.0"}, "access": {"open": True}})
    assert f":{one.port}/" in is_found(one, "network", "open")["subject"]
    closed = agent({"server": {"address": "0.0.0.0"}})
    assert "open" not in doctor(closed, "network")


def test_a_full_disk(agent, tmp_path: Path) -> None:
    one = agent({"channels": [channel()]})
    state = one.folder / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", state], check=True)
    try:
        is_found(one, "storage", "full")
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        is_found(one, "storage", "readOnly")
    finally:
        subprocess.run(["umount", "-l", state], check=True)
    assert doctor(one, "storage") == {}


def test_mistakes_in_the_configuration(agent) -> None:
    one = agent()
    one.configuration_path.write_text(one.configuration_path.read_text() + "\nchanels: []\n")
    assert "chanels" in doctor(one, "agent")["configuration"]["text"]


def test_without_the_agent(agent, tmp_path: Path) -> None:
    one = agent()
    one.stop()
    assert "does not run" in doctor(one, "agent")["noAnswer"]["text"]


def test_an_unknown_area_is_refused(agent) -> None:
    one = agent()
    assert one.edgectl("doctor", "moon").returncode == 64
    assert one.request("GET", "/doctor?area=moon")[0] == 400


# Top, trace, metrics.


def test_top_shows_the_agent_at_work(agent) -> None:
    one = agent({"channels": [channel()]})
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        text = one.edgectl("top", "--count", "2", "--seconds", "1").stdout
    assert text.count("edge-agent 0.") == 2
    assert "CPU" in text and "320x180" in text and " live " in text


def test_the_trace_tells_each_stage(agent) -> None:
    one = agent({"channels": [channel()]})
    assert one.get("/channels/0/trace") == []
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        stages = wait_until(
            lambda: len(found := one.get("/channels/0/trace?stream=main")) == 6 and found, "six stages")
    assert [stage["stage"] for stage in stages] == ["camera", "prepare", "wait", "encode", "publish", "deliver"]
    assert all(0 <= stage["median"] <= stage["p99"] <= stage["maximum"] for stage in stages)
    assert "scaling and encoding" in one.edgectl("trace").stdout
    assert one.request("GET", "/channels/0/trace?stream=sub")[0] == 404


def test_metrics_hold_a_histogram(agent) -> None:
    one = agent({"channels": [channel()]})
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)

        def metrics() -> dict[str, float]:
            text = fetch(f"{one.url}/metrics")[2].decode()
            return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[:1] != "#"}

        labels = 'channel="0",stream="main"'
        wait_until(lambda: metrics().get(f"edge_agent_encode_seconds_count{{{labels}}}", 0) > 3, "pictures are counted")
        wait_until(lambda: 'edge_agent_sound_peak_decibels{channel="0"}' in metrics(), "a second of sound is measured")
        found = metrics()
    buckets = [value for name, value in found.items() if name.startswith("edge_agent_encode_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found[f"edge_agent_encode_seconds_count{{{labels}}}"]
    assert found["process_threads"] > 5
    assert found['edge_agent_sound_peak_decibels{channel="0"}'] > -60
    assert one.request("GET", "/metrics")[0] == 200


# The bundle.


def test_the_bundle_holds_everything_but_secrets(agent, tmp_path: Path) -> None:
    secrets = ["Sup3rSecretPw", "TicketKeyOf32Bytes-0123456789abc", "pushkey77"]
    one = agent({
        "channels": [channel()],
        "push": {"defaultTarget": f"rtmp://me:{secrets[0]}@127.0.0.1:1/live/{secrets[2]}"},
        "peers": {"addresses": ["127.0.0.1"], "ticketKey": secrets[1]},
        "rendezvous": {"broker": "mqtt://127.0.0.1:1", "user": "me", "password": secrets[0]},
    })
    one.open_push(**{"async": True})
    file = tmp_path / "bundle.tar.gz"
    answer = one.edgectl("bundle", "-o", str(file), "--config", str(one.configuration_path), timeout=120)
    assert answer.returncode == 0, answer
    assert file.stat().st_mode & 0o077 == 0
    with tarfile.open(file) as archive:
        content = {Path(item.name).name: archive.extractfile(item).read() for item in archive if item.isfile()}
    for name in ("status.json", "doctor.txt", "metrics.txt", "edge-agent.yaml", "devices.txt", "bundle.txt"):
        assert content[name], name
    assert content["channel-0.jpg"][:2] == b"\xff\xd8"
    assert b"127.0.0.1:1" in content["edge-agent.yaml"]
    for secret in secrets:
        assert [name for name, data in content.items() if secret.encode() in data] == [], secret
    assert not list(Path("/tmp").glob("edge-agent-bundle-*"))


def test_a_configuration_is_shown_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "edge-agent.yaml"
    file.write_text("peers: {ticketKey: abcdefghijklmnopqrstuvwxyz012345}\nchanels: 1\n")
    answer = edge_agent("check", "--redacted", "--config", str(file))
    assert answer.returncode == 0
    assert answer.stdout == "peers: {ticketKey: [removed]}\nchanels: 1\n\n"


# What the agent does by itself.


def test_a_crash_leaves_a_report(agent) -> None:
    one = agent()
    one.signal(signal.SIGSEGV)
    assert one.process.wait(10) == -signal.SIGSEGV
    reports = list((one.folder / "state" / "crashes").iterdir())
    assert len(reports) == 1
    text = reports[0].read_text()
    assert text.startswith("edge-agent 0.") and "SIGSEGV" in text and "edge-agent(" in text
    assert "SIGSEGV" in one.log()
    again = agent(one.configuration, folder=one.folder)
    assert "it crashed in earlier runs" in again.log()


def test_a_driver_that_never_comes_back(agent, tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to waits for ever, as a broken driver does."""
    pipe = tmp_path / "camera.y4m"
    os.mkfifo(pipe)
    one = agent({"channels": [
        channel() | {"video": {"source": "file", "file": str(pipe)}},
        synthetic_channel(1, main={"size": "320x180", "bitrate": 300000}, video={"size": "320x180"}),
    ]}, environment={"WATCHDOG_USEC": "4000000"})
    with one.viewer(0) as held, one.viewer(1) as other:
        held.read_until(lambda tag: tag.is_key_picture)
        other.read_until(lambda tag: tag.is_key_picture)
        camera = lambda: one.status()["channels"][0]["camera"]  # noqa: E731
        wait_until(lambda: camera()["state"] == "lost", f"the camera is given up: {camera()}", 60, 0.2)
        assert "held its thread" in camera()["detail"]
        # Whoever watches sees the picture that says so; and nobody else notices.
        held.read_until(lambda tag: tag.is_key_picture)
        other.read_until(lambda tag: tag.is_key_picture)
        assert one.request("GET", "/status")[0] == 200
    assert is_found(one, "camera", "lost")
    status, seconds = one.terminate()
    assert status == 0 and seconds < 3


def test_a_broken_configuration_does_not_keep_a_device_from_running(agent) -> None:
    one = agent()
    state = str(one.folder / "state")
    good = one.configuration_path.read_text()
    wait_until(lambda: any(Path(state).glob("last-good*")), "the configuration is kept")
    one.stop()
    one.configuration_path.write_text(good.replace("channels:", "chanels:"))
    broken = one.configuration_path.read_text()
    again = agent(broken, folder=one.folder, port=one.port, environment={"STATE_DIRECTORY": state})
    assert "runs with the last one that had none" in again.log()
    assert fetch(f"{one.url}/healthz")[0] == 200
    assert "configuration" in doctor(again, "agent")
    again.stop()
    # Where there is no such state, it says what is wrong and ends.
    answer = edge_agent("run", "--config", str(one.configuration_path), env={**os.environ, "STATE_DIRECTORY": "/nowhere"})
    assert answer.returncode == 78 and "chanels" in answer.stderr
