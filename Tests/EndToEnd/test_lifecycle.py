"""Start, readiness, watchdog, reload and end."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from harness.agent import Agent, synthetic_channel, to_yaml
from harness.viewers import StreamEnded, fetch_json
from harness.waiting import wait_until


def test_is_ready_when_it_says_so(agent) -> None:
    one = agent()
    assert fetch_json(f"{one.url}/channels.json")[0] == 200
    status = one.status()
    assert status["pid"] == one.pid
    assert [channel["channel"] for channel in status["channels"]] == [0]
    assert any(line.startswith("STATUS=") for line in one.receive_notifications())


def test_ends_within_two_seconds(agent, media_service) -> None:
    """With viewers, and a push that is told goodbye."""
    service = media_service()
    one = agent()
    one.open_push(service.url())
    viewers = [one.viewer(), one.websocket()]
    for viewer in viewers:
        viewer.read_until(lambda tag: tag.is_key_picture)
    status, seconds = one.terminate()
    assert status == 0, one.log()
    assert seconds < 2
    assert "STOPPING=1" in one.receive_notifications()
    for viewer in viewers:
        with pytest.raises((StreamEnded, ConnectionError)):
            viewer.read_until(lambda _: False)
        viewer.close()
    assert not Path(one.control_socket).exists()
    wait_until(lambda: service.publishers() == [], "the service knows that the stream ended")


def test_ends_within_two_seconds_with_a_frozen_service(agent, media_service) -> None:
    service = media_service()
    one = agent()
    one.open_push(service.url())
    service.freeze()
    status, seconds = one.terminate()
    assert status == 0, one.log()
    assert seconds < 2


def test_feeds_the_watchdog(agent) -> None:
    one = agent(environment={"WATCHDOG_USEC": "2000000"})
    one.wait_for_notification("WATCHDOG=1", 5, count=3)


def test_starts_after_a_crash(agent) -> None:
    """What a killed agent left behind, such as its socket, is in nobody's way."""
    one = agent()
    one.process.kill()
    one.process.wait()
    assert Path(one.control_socket).exists()
    two = agent(folder=one.folder, port=one.port)
    assert two.status()["pid"] == two.pid


def test_port_in_use(agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        one = agent(port=port, wait_ready=False)
        assert one.process.wait(10) != 0
        assert str(port) in one.log()


def test_reads_the_configuration_again(agent) -> None:
    one: Agent = agent({"channels": [synthetic_channel(0), synthetic_channel(1)]})
    with one.viewer(0) as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        changed = dict(one.configuration)
        changed["channels"] = [synthetic_channel(0), synthetic_channel(1, name="Yard", main={"size": "640x360"})]
        one.write_configuration(changed)
        one.signal(signal.SIGHUP)
        names = ["Camera 0", "Yard"]
        wait_until(lambda: [channel["name"] for channel in one.status()["channels"]] == names, "the new name")
        assert "RELOADING=1" in one.receive_notifications()
        one.wait_for_notification("READY=1", count=2)
        # The channel that is as it was has not missed a frame.
        pictures = [tag for tag in viewer.read_seconds(2) if tag.is_picture]
        gaps = {b.timestamp - a.timestamp for a, b in zip(pictures, pictures[1:])}
        assert gaps <= {39, 40, 41}
    with one.viewer(1) as viewer:
        tags = viewer.read_until(lambda tag: tag.kind == 18)
        assert (tags[-1].metadata["width"], tags[-1].metadata["height"]) == (640, 360)


def test_keeps_the_old_configuration_when_the_new_one_is_wrong(agent) -> None:
    one = agent()
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        one.write_configuration(to_yaml(one.configuration) + "nonsense: 1\n")
        one.signal(signal.SIGHUP)
        wait_until(lambda: "nonsense" in one.log(), "the mistake in the log")
        viewer.read_seconds(1)
    assert one.status()["channels"][0]["name"] == "Camera 0"


def test_log_is_one_line_for_each_change(agent, media_service) -> None:
    """Ten seconds without a service make a few lines, not one for each attempt."""
    one = agent()
    one.open_push("rtmp://127.0.0.1:9/live/secretkey?token=hidden", **{"async": True})
    wait_until(lambda: one.pushes()[0]["attempts"] >= 3, "three attempts", 20)
    lines = [line for line in one.log().splitlines() if "127.0.0.1:9" in line]
    assert 1 <= len(lines) <= 3, lines
    assert "secretkey" not in one.log() and "hidden" not in one.log()
    assert "secretkey" not in str(one.status()) and "hidden" not in str(one.status())


def test_idle_agent_rests(agent) -> None:
    """Nobody watches: nothing is encoded, and hardly anything is spent."""
    one = agent({"channels": [synthetic_channel(linger=0)]})
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        assert one.status()["channels"][0]["streams"][0]["encoding"]
    wait_until(lambda: not one.status()["channels"][0]["streams"][0]["encoding"], "encoding stops")
    before = one.status()["channels"][0]["streams"][0]["videoFrames"]
    started, spent = time.monotonic(), _cpu_seconds(one.pid)
    wait_until(lambda: time.monotonic() - started > 3, "three seconds", 5)
    assert one.status()["channels"][0]["streams"][0]["videoFrames"] == before
    assert _cpu_seconds(one.pid) - spent < 1


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
