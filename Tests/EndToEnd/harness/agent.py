"""The agent as a process of its own: configuration, readiness, control socket, log, end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .viewers import HTTPViewer, WebSocketViewer, fetch
from .waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("EDGE_AGENT_PROGRAMS", REPOSITORY / ".build" / "release"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def to_yaml(value: Any, indent: int = 0) -> str:
    """Block style, for what a test may want to read in a failure's log."""
    space = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{space}{key}:{_nested(item, indent)}" for key, item in value.items())
    if isinstance(value, list) and value:
        text = ""
        for item in value:
            body = to_yaml(item, indent + 1) if isinstance(item, (dict, list)) and item else None
            text += f"{space}- {body.lstrip() if body else _scalar(item) + chr(10)}"
        return text
    return f"{space}{_scalar(value)}\n"


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)) and value:
        return "\n" + to_yaml(value, indent + 1)
    return f" {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    return json.dumps(value)


def synthetic_channel(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A channel on the synthetic camera and microphone. Changes are merged in; None takes a key out."""
    channel: dict[str, Any] = {
        "id": number,
        "name": f"Camera {number}",
        "video": {"source": "synthetic", "size": "1280x720", "frameRate": 25},
        "audio": {"source": "synthetic", "rate": 16000, "channels": 1, "bitrate": 32000},
        "main": {"size": "1280x720", "frameRate": 25, "preset": "ultrafast", "bitrate": 2000000, "keyFrameInterval": 2},
        "sub": False,
    }
    return merge(channel, changes)


def noisy_channel(file: Path, bitrate: int, **changes: Any) -> dict[str, Any]:
    """A channel on a file of `noisy_video`, which uses up the bitrate."""
    return merge(synthetic_channel(
        video={"source": "file", "file": str(file), "size": "640x360"}, overlay=False,
        main={"size": "640x360", "bitrate": bitrate}), changes)


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


class Events:
    """The agent's server-sent events, collected from the moment of connecting."""

    def __init__(self, control_socket: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(control_socket)
        self._socket.sendall(b"GET /api/v1/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        self._file = self._socket.makefile("rb")
        status = self._file.readline()
        assert b" 200 " in status, status
        while self._file.readline().strip():
            pass
        self.all: list[tuple[str, dict[str, Any]]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        name = ""
        try:
            for line in self._file:
                text = line.decode().rstrip("\r\n")
                if text.startswith("event:"):
                    name = text[6:].strip()
                elif text.startswith("data:"):
                    self.all.append((name, json.loads(text[5:])))
        except (OSError, ValueError):
            pass

    def named(self, name: str) -> list[dict[str, Any]]:
        return [data for event, data in list(self.all) if event == name]

    def wait_for(self, name: str, seconds: float = 15, count: int = 1) -> dict[str, Any]:
        wait_until(lambda: len(self.named(name)) >= count, f"event {name} number {count}; so far {self.all}", seconds)
        return self.named(name)[count - 1]

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


class Agent:
    def __init__(self, configuration: dict[str, Any] | str | None = None, folder: Path | None = None,
                 wait_ready: bool = True, port: int | None = None, environment: dict[str, str] | None = None,
                 prefix: list[str] | None = None) -> None:
        """A dictionary is completed with free addresses and folders of the test's own; a text is taken as it is.

        prefix: what the program is run by, such as `ip netns exec …`."""
        self.owns_folder = folder is None
        # Short, since a Unix socket's path holds 107 bytes.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="edge-agent-"))
        self.port = port or free_port()
        self.control_socket = str(self.folder / "control.sock")
        self.configuration_path = self.folder / "edge-agent.yaml"
        self.log_path = self.folder / "log"
        self.configuration: dict[str, Any] = {}
        self.write_configuration(configuration if configuration is not None else {})
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = self.folder / "notify.sock"
        notify_path.unlink(missing_ok=True)
        self._notify.bind(str(notify_path))
        self._notify.setblocking(False)
        self.notifications: list[str] = []
        self._log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*(prefix or []), str(PROGRAMS / "edge-agent"), "run", "--config", str(self.configuration_path)],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=self.folder,
            env={**os.environ, "NOTIFY_SOCKET": str(notify_path), **(environment or {})})
        if wait_ready:
            try:
                self.wait_for_notification("READY=1")
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise

    # Configuration.

    def write_configuration(self, configuration: dict[str, Any] | str) -> None:
        if isinstance(configuration, str):
            self.configuration_path.write_text(configuration)
            return
        base = {
            "channels": [synthetic_channel()],
            "server": {"address": "127.0.0.1", "port": self.port},
            "control": {"socket": self.control_socket},
            "state": {"folder": str(self.folder / "state")},
            "recording": {"folder": str(self.folder / "recordings")},
            # Loopback is left out by itself.
            "peers": {"addresses": ["127.0.0.1"]},
        }
        self.configuration = merge(base, configuration)
        self.configuration_path.write_text(to_yaml(self.configuration))

    # Process.

    def receive_notifications(self) -> list[str]:
        while True:
            try:
                self.notifications += self._notify.recv(65536).decode().split("\n")
            except BlockingIOError:
                return self.notifications

    def wait_for_notification(self, line: str, seconds: float = 20, count: int = 1) -> None:
        def arrived() -> bool:
            if self.receive_notifications().count(line) >= count:
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"the agent ended with status {self.process.returncode}:\n{self.log()}")
            return False
        wait_until(arrived, f"notification {line}", seconds)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def terminate(self, seconds: float = 10) -> tuple[int, float]:
        """SIGTERM: exit status, and the seconds it took."""
        started = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds), time.monotonic() - started
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent has not ended {seconds} s after SIGTERM") from None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()
        self._notify.close()

    def remove(self) -> None:
        self.stop()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Addresses.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def live_url(self, channel: int = 0, quality: str = "high") -> str:
        return f"{self.url}/ipc.flv?action=live&channel={channel}&quality={quality}"

    def viewer(self, channel: int = 0, quality: str = "high", **arguments: Any) -> HTTPViewer:
        return HTTPViewer(self.live_url(channel, quality), **arguments)

    def websocket(self, channel: int = 0, quality: str = "high", **arguments: Any) -> WebSocketViewer:
        return WebSocketViewer(self.live_url(channel, quality), **arguments)

    # Control.

    def request(self, method: str, path: str, body: Any = None, timeout: float = 40) -> tuple[int, Any]:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        status, headers, answer = fetch(
            f"http://localhost/api/v1{path}", method=method, body=data, timeout=timeout,
            headers={"Content-Type": "application/json"} if data else {}, unix_socket=self.control_socket)
        if headers.get("content-type", "").startswith("application/json"):
            return status, json.loads(answer)
        return status, answer

    def get(self, path: str) -> Any:
        status, answer = self.request("GET", path)
        assert status == 200, (status, answer)
        return answer

    def status(self) -> dict[str, Any]:
        return self.get("/status")

    def overruns(self) -> int:
        """Pictures that encoders were too slow for: none, where the machine is not overloaded."""
        return sum(stream["overruns"] for channel in self.status()["channels"] for stream in channel["streams"])

    def viewers(self) -> list[dict[str, Any]]:
        return self.get("/viewers")

    def pushes(self) -> list[dict[str, Any]]:
        return self.get("/pushes")

    def open_push(self, target: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {"channel": 0, "codeStream": "main", "dataType": "av", "async": False} | fields
        if target is not None:
            body["target"] = target
        status, answer = self.request("POST", "/pushes", body)
        assert status in (200, 201), (status, answer)
        return answer

    def push(self, identifier: str) -> dict[str, Any]:
        return self.get(f"/pushes/{identifier}")

    def close_push(self, identifier: str) -> dict[str, Any]:
        status, answer = self.request("DELETE", f"/pushes/{identifier}")
        assert status == 200, (status, answer)
        return answer

    def wait_for_push(self, identifier: str, state: str, seconds: float = 20) -> dict[str, Any]:
        return wait_until(lambda: (p := self.push(identifier))["state"] == state and p,
                          f"push {identifier} {state}; it is {self.push(identifier)}", seconds, 0.05)

    def events(self) -> Events:
        return Events(self.control_socket)

    # Command lines.

    def edgectl(self, *arguments: str, timeout: float = 40) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(PROGRAMS / "edgectl"), *arguments, "--socket", self.control_socket],
                              capture_output=True, text=True, timeout=timeout)


def edge_agent(*arguments: str, timeout: float = 60, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROGRAMS / "edge-agent"), *arguments], capture_output=True, text=True, timeout=timeout,
                          **options)


def thread_names(pid: int) -> Iterator[tuple[int, str]]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            yield int(task.name), (task / "comm").read_text().strip()
        except OSError:
            continue
