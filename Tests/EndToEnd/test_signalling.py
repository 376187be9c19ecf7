"""Commands of viewers and what they do to the device: feedback, privacy, turned pictures, an integrator's hook. The
conformance list is in test_conformance.py."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import media, picture_code
from harness.agent import Agent, synthetic_channel
from harness.recordings import Recordings
from harness.viewers import Connection, StreamEnded, ViewerRefused, WebSocketViewer, fetch
from harness.waiting import wait_until


def user(agent: Agent, message: object, visitor: int | None = None, channel: int = 0) -> dict:
    text = message if isinstance(message, str) else json.dumps(message)
    status, _, body = fetch(
        f"{agent.url}/command", method="POST", body=f"action=user_define&channel={channel}&cmd={text}".encode(),
        headers={} if visitor is None else {"X-Visitor": str(visitor)})
    assert status == 200
    return json.loads(body)


def state(agent: Agent, kind: str = "live") -> tuple[str, int]:
    (reply,) = json.loads(fetch(f"{agent.url}/command?action=inner_define&cmd=get_device_st&type={kind}")[2])
    return reply["status"], int(reply["appConnectNum"])


# Feedback.

def events(connection: Connection) -> Iterator[dict]:
    data = b""
    while True:
        while b"\n\n" not in data:
            data += connection.receive()
        event, data = data.split(b"\n\n", 1)
        if event.startswith(b"data: "):
            yield json.loads(event[6:])


class MessageSocket(WebSocketViewer):
    """A WebSocket whose messages are JSON texts."""

    def message(self) -> dict:
        data = bytes(self._buffer)
        while len(data) < 2 or len(data) < 2 + data[1]:
            data += self.connection.receive()
        assert data[0] == 0x81 and data[1] < 126, data[:2]
        self._buffer = bytearray(data[2 + data[1]:])
        return json.loads(data[2:2 + data[1]])


def test_feedback_reaches_who_listens_and_waits_for_who_does_not(agent) -> None:
    one: Agent = agent()
    message = {"iv_private_cmd": "call_answer"}
    listener = Connection(f"{one.url}/feedback?_visitor=5", {}, None, 15)
    assert listener.status == 200 and listener.headers["content-type"] == "text/event-stream"
    received = events(listener)
    by_socket = MessageSocket(f"{one.url}/feedback?_visitor=6")
    assert one.request("POST", "/feedback", {"visitor": 5, "message": message}) == (200, {"reached": 1, "waiting": 0})
    assert next(received) == message
    assert one.request("POST", "/feedback", {"message": {"n": "ü"}}) == (200, {"reached": 2, "waiting": 0})
    assert next(received) == {"n": "ü"} and by_socket.message() == {"n": "ü"}
    # Who has only asked something so far is told later.
    assert one.request("POST", "/feedback", {"visitor": 9, "message": message}) == (200, {"reached": 0, "waiting": 1})
    late = Connection(f"{one.url}/feedback", {"X-Visitor": "9"}, None, 15)
    assert next(events(late)) == message
    told = one.edgectl("feedback", "--visitor", "5", json.dumps(message))
    assert told.stdout == "1 visitor told, 0 visitors to be told\n", told
    assert next(received) == message
    for body in ({}, {"visitor": -1, "message": 1}, {"message": "x" * 3000}, b"nonsense"):
        assert one.request("POST", "/feedback", body)[0] == 400
    # Listeners are connections, but they watch nothing.
    assert state(one) == ("0", 1) and one.status()["viewers"] == []
    by_socket.send_frame(8, b"\x03\xe8")
    try:
        while True:
            by_socket.pieces()
    except StreamEnded:
        assert by_socket.close_code == 1000
    assert one.request("POST", "/feedback", {"visitor": 6, "message": message})[1] == {"reached": 0, "waiting": 1}


def test_words_about_calls_are_events(agent) -> None:
    one: Agent = agent()
    seen = one.events()
    body = fetch(f"{one.url}/command?action=inner_define&channel=0&cmd=call_hang_up", headers={"X-Visitor": "7"})[2]
    assert json.loads(body) == {"status": "0"}
    event = seen.wait_for("call.hang_up")
    assert event["visitor"] == 7 and event["channel"] == 0


# Visitors.

def test_a_visitor_is_one_viewer(agent) -> None:
    one: Agent = agent({"channels": [synthetic_channel(0), synthetic_channel(1)], "server": {"viewerLimit": 1}})
    with one.viewer(headers={"X-Visitor": "7"}) as first, one.viewer(1, headers={"X-Visitor": "7"}) as second:
        first.read_seconds(0.5)
        second.read_seconds(0.5)
        assert [viewer["visitor"] for viewer in one.viewers()] == [7, 7]
        assert state(one) == ("405", 2)
        try:
            one.viewer()
            raise AssertionError("one too many was admitted")
        except ViewerRefused as refused:
            assert refused.status == 503
        with one.viewer(headers={"X-Visitor": "7"}) as again:
            again.read_seconds(0.5)
            wait_until(lambda: len(one.viewers()) == 2, "the older stream of the channel is gone")
    wait_until(lambda: state(one) == ("0", 1), "all have left")


# Privacy.

def test_privacy_ends_every_picture_and_outlives_the_agent(agent, tmp_path: Path) -> None:
    configuration = {"channels": [synthetic_channel(recording={"main": {"mode": "continuous"}})],
                     "recording": {"folder": str(tmp_path / "recordings"), "segmentSeconds": 10},
                     "state": {"folder": str(tmp_path / "state")}}
    one: Agent = agent(configuration)
    seen = one.events()
    recordings = Recordings(one)
    recordings.wait_for_files(1)
    standby = {"topic": "set_status", "data": {"status": "standby"}, "message_id": 1}
    with one.viewer() as viewer, one.websocket() as by_socket:
        viewer.read_seconds(1)
        by_socket.read_seconds(1)
        assert user(one, standby) == {"confirmation_topic": "set_status", "result": "0", "message_id": 1}
        for ended in (viewer, by_socket):
            try:
                ended.read_until(lambda tag: False, 5)
                raise AssertionError("the stream goes on")
            except StreamEnded:
                pass
    seen.wait_for("privacy.on")
    assert one.status()["isStandby"] is True
    assert state(one) == ("1", 1)
    for refused in (lambda: one.viewer(), lambda: one.websocket()):
        try:
            refused()
            raise AssertionError("a live stream in privacy mode")
        except ViewerRefused as refusal:
            assert refusal.status == 404 and json.loads(refusal.body)["error"]["code"] == "standby"
    assert one.request("GET", "/channels/0/snapshot")[0] == 409
    # What was recorded before can be played, and nothing is recorded any more.
    files = wait_until(lambda: recordings.files(), "files")
    newest = files[-1].end
    assert state(one, "playback")[0] == "0"
    with recordings.play(files[0].start, files[0].end) as playback:
        playback.read_seconds(1)
    # Also after the power was cut.
    one.signal(signal.SIGKILL)
    one.process.wait()
    two: Agent = agent(configuration)
    assert two.status()["isStandby"] is True and state(two)[0] == "1"
    recordings = Recordings(two)
    recordings.wait_for_disk()
    assert recordings.files()[-1].end <= newest + 1
    assert user(two, {"topic": "set_status", "data": {"status": "working"}})["result"] == "0"
    with two.viewer() as viewer:
        assert viewer.read_until(lambda tag: tag.is_picture)[-1].is_key_picture
    wait_until(lambda: recordings.files()[-1].end > newest + 1, "it records again", 30)


def test_privacy_reaches_pushes(agent, media_service) -> None:
    service = media_service()
    one: Agent = agent()
    push = one.open_push(service.url("door"), **{"async": True})
    one.wait_for_push(push["id"], "publishing")
    wait_until(lambda: len(service.publishers()) == 1, "the service has the stream")
    assert user(one, {"topic": "set_status", "data": {"status": "standby"}})["result"] == "0"
    wait_until(lambda: one.push(push["id"])["state"] != "publishing", "nothing is pushed", 15)
    wait_until(lambda: service.publishers() == [], "the service has nothing", 15)
    sent = one.push(push["id"])["framesSent"]
    status, answer = one.request("POST", "/pushes", {"channel": 0, "target": service.url("other"), "async": False})
    assert status == 409 and answer["error"]["code"] == "standby"
    assert one.push(push["id"])["framesSent"] == sent
    assert user(one, {"topic": "set_status", "data": {"status": "working"}})["result"] == "0"
    one.wait_for_push(push["id"], "publishing", 40)


# Turned pictures.

def test_pictures_are_turned_and_stay_so(agent, tmp_path: Path) -> None:
    configuration = {"channels": [synthetic_channel(overlay=False)], "state": {"folder": str(tmp_path / "state")}}
    one: Agent = agent(configuration)

    def codes(agent: Agent, name: str, vertical: str = "") -> int:
        """Pictures whose code can be read, when turned back."""
        path = tmp_path / f"{name}.flv"
        with agent.viewer() as viewer:
            viewer.save(path, 1)
        if vertical:
            turned = tmp_path / f"{name}-turned.flv"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(path), "-vf", vertical, "-c:v", "libx264", "-crf", "10",
                            "-an", str(turned)], check=True)
            path = turned
        try:
            return len(picture_code.read_codes(path))
        except picture_code.UnreadableCode:
            return 0

    assert codes(one, "normal") > 10
    mirror = {"topic": "Mirror_flip", "data": {"mode": "flip"}, "message_id": 2}
    assert user(one, mirror) == {"confirmation_topic": "Mirror_flip", "result": "0", "message_id": 2}
    wait_until(lambda: codes(one, "flip") == 0, "the picture is turned", 20)
    assert codes(one, "flip", "hflip,vflip") > 10
    one.stop()
    two: Agent = agent(configuration)
    assert codes(two, "again") == 0
    assert user(two, {"topic": "Mirror_flip", "data": {"mode": "mirror"}})["result"] == "0"
    wait_until(lambda: codes(two, "mirror", "hflip") > 10, "the picture is mirrored", 20)
    assert user(two, {"topic": "Mirror_flip", "data": {"mode": "normal"}})["result"] == "0"
    wait_until(lambda: codes(two, "back") > 10, "the picture is upright", 20)


# The hook.

HOOK = """#!/bin/sh
read -r line
case "$line" in
*LAMP*) printf '{"lamp":"on","asked":%s}' "$line" ;;
*SLOW*) exec sleep 60 ;;
*) exit 1 ;;
esac
"""


def test_an_integrators_program_answers(agent, tmp_path: Path) -> None:
    program = tmp_path / "hook"
    program.write_text(HOOK)
    program.chmod(0o755)
    one: Agent = agent({"signalling": {"hook": {"command": [str(program), "a b; touch x"], "timeoutSeconds": 1}}})
    assert user(one, "LAMP,on", visitor=3) == {
        "lamp": "on", "asked": {"visitor": 3, "channel": 0, "payload": "LAMP,on", "json": None}}
    assert user(one, {"topic": "LAMP", "data": "$(touch y)"})["asked"]["json"] == {"topic": "LAMP", "data": "$(touch y)"}
    assert user(one, "anything") == {"status": "407"}
    started = time.monotonic()
    answers: list[dict] = []
    threads = [threading.Thread(target=lambda: answers.append(user(one, "SLOW"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    # Known commands do not wait for it.
    assert state(one)[0] == "0"
    for thread in threads:
        thread.join()
    assert answers == [{"status": "407"}] * 8
    assert time.monotonic() - started < 20
    assert not (one.folder / "x").exists() and not (one.folder / "y").exists()
    # None is left behind.
    children = subprocess.run(["ps", "--ppid", str(one.pid), "-o", "comm="], capture_output=True, text=True)
    assert children.stdout == "", children.stdout


def test_an_integrators_socket_answers(agent, tmp_path: Path) -> None:
    path = str(tmp_path / "hook.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked = json.loads(connection.makefile().readline())
                if asked["payload"] != "SILENT":
                    connection.sendall(json.dumps({"heard": asked["payload"]}).encode() + b"\n")
                else:
                    time.sleep(2)

    threading.Thread(target=serve, daemon=True).start()
    one: Agent = agent({"signalling": {"hook": {"socket": path, "timeoutSeconds": 0.5}}})
    assert user(one, "HORN 1") == {"heard": "HORN 1"}
    assert user(one, "SILENT") == {"status": "407"}
    listener.close()
    os.unlink(path)
    assert user(one, "HORN 2") == {"status": "407"}


# Single pictures.

def test_single_pictures_are_shared_and_made_only_while_wanted(agent, tmp_path: Path) -> None:
    one: Agent = agent({"channels": [synthetic_channel(main={"size": "640x360"}, overlay=False)]})

    def pictures(count: int, visitor: str) -> list[bytes]:
        connection = Connection(f"{one.url}/ipc.flv?action=live-mjpg", {"X-Visitor": visitor}, None, 15)
        assert connection.headers["content-type"].startswith("multipart/x-mixed-replace; boundary=")
        found, data = [], b""
        while len(found) < count:
            while b"\r\n\r\n" not in data:
                data += connection.receive()
            head, data = data.split(b"\r\n\r\n", 1)
            length = int(head.split(b"Content-Length: ")[1])
            while len(data) < length + 2:
                data += connection.receive()
            found.append(data[:length])
            data = data[length + 2:]
        assert [viewer["activity"] for viewer in one.viewers()].count("live-mjpg") >= 1
        connection.socket.close()
        return found

    for number, picture in enumerate(pictures(5, "1")):
        (tmp_path / f"{number}.jpg").write_bytes(picture)
        assert media.decode_messages(tmp_path / f"{number}.jpg") == ""
    wait_until(lambda: one.viewers() == [], "nobody watches")

    def threads() -> list[str]:
        return [(task / "comm").read_text().strip() for task in Path(f"/proc/{one.pid}/task").iterdir()]

    wait_until(lambda: not any(name.startswith("jpeg") for name in threads()), "no picture is made for nobody")


# Vanishing.

class Cable:
    """A network of its own, joined to this one by a cable that can be cut: then not even a farewell gets through."""

    def __init__(self) -> None:
        self.name = f"edge{os.getpid() % 10000}"
        for command in (f"ip netns add {self.name}", f"ip link add {self.name}a type veth peer name {self.name}b",
                        f"ip link set {self.name}b netns {self.name}", f"ip addr add 10.213.7.1/24 dev {self.name}a",
                        f"ip link set {self.name}a up", f"ip -n {self.name} addr add 10.213.7.2/24 dev {self.name}b",
                        f"ip -n {self.name} link set {self.name}b up"):
            subprocess.run(command.split(), check=True, capture_output=True)

    def run(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], stdout=subprocess.DEVNULL)

    def cut(self) -> None:
        subprocess.run(["ip", "-n", self.name, "link", "set", f"{self.name}b", "down"], check=True)

    def remove(self) -> None:
        subprocess.run(["ip", "link", "del", f"{self.name}a"], capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


@pytest.fixture
def cable() -> Iterator[Cable]:
    try:
        cable = Cable()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network of its own can be made here: {error}")
    yield cable
    cable.remove()


def test_point_17_who_vanishes_is_counted_out(agent, cable: Cable) -> None:
    """Streams and listeners whose cable is cut: no byte comes any more, no end either."""
    one: Agent = agent({"server": {"address": "0.0.0.0"}, "access": {"open": True}, "channels": [synthetic_channel(ptz={"driver": "simulated"})]})
    address = f"http://10.213.7.1:{one.port}"
    peers = [cable.run("curl", "-sN", "-H", f"X-Visitor: {visitor}", f"{address}/ipc.flv?action=live")
             for visitor in (1, 2)]
    peers.append(cable.run("curl", "-sN", "-H", "X-Visitor: 3", f"{address}/feedback"))
    try:
        wait_until(lambda: state(one)[1] == 3, "two watch, and who asks", 15)
        wait_until(lambda: one.request("POST", "/feedback", {"visitor": 3, "message": 1})[1]["reached"] == 1, "one listens")
        assert user(one, {"topic": "ptz", "data": {"cmd": "ptz_left_press"}}, visitor=1)["result"] == "0"
        cable.cut()
        started = time.monotonic()
        # A press outlives its viewer by no more than the time limit.
        wait_until(lambda: not one.get("/channels")[0]["ptz"]["moving"], "the head rests", 8)
        wait_until(lambda: state(one) == ("0", 1), "both are counted out", 45, 0.5)
        assert time.monotonic() - started < 30, "keepalive × tries"
        wait_until(lambda: one.request("POST", "/feedback", {"visitor": 3, "message": 1})[1]["reached"] == 0,
                   "the listener is gone", 60, 0.5)
    finally:
        for peer in peers:
            peer.kill()
            peer.wait()
