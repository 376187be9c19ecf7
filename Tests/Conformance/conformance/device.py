"""The device as viewers see it, over the HTTP binding of the request grammar."""

import json
import random
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from harness.flv import Tag
from harness.viewers import Connection, HTTPViewer, StreamEnded, ViewerRefused, fetch

from .report import Skipped, check


@dataclass(frozen=True)
class File:
    name: str
    bytes: int
    start: int
    end: int


class Visitor:
    """One viewer, with a number of its own. Number 0 names itself not."""

    def __init__(self, url: str, number: int | None = None) -> None:
        self.url = url.rstrip("/")
        self.number = random.randrange(1, 1 << 32) if number is None else number
        self.headers = {"X-Visitor": str(self.number)} if self.number else {}

    # Commands.

    def send(self, text: str, post: bool = False) -> bytes:
        """A command's text as it is. It is answered within a second, with HTTP status 200 and something."""
        started = time.monotonic()
        address = f"{self.url}/command" if post else f"{self.url}/command?{text}"
        status, _, body = fetch(address, method="POST" if post else "GET", body=text.encode() if post else b"",
                                headers=self.headers)
        elapsed = time.monotonic() - started
        check(status == 200, text[:80], "HTTP status", status)
        check(body and not body.endswith(b"\0"), text[:80], "answered with", body)
        check(elapsed < 5, text[:80], f"took {elapsed:.1f} s")
        return body

    def inner(self, cmd: str, channel: int | None = 0, **parameters: Any) -> Any:
        place = {} if channel is None else {"channel": channel}
        return json.loads(self.send(urlencode({"action": "inner_define", **place, "cmd": cmd, **parameters})))

    def user(self, payload: str, channel: int = 0, encoded: bool = False) -> Any:
        """Raw, as mini programs send it, or percent-encoded. A raw one goes as a body, which takes any byte."""
        text = quote(payload) if encoded else payload
        return json.loads(self.send(f"action=user_define&channel={channel}&cmd={text}", post=not encoded))

    def topic(self, topic: str, data: Any = None, number: Any = 1, channel: int = 0) -> dict[str, Any]:
        message = {"topic": topic} | ({} if data is None else {"data": data}) | {"message_id": number}
        return self.user(json.dumps(message), channel)

    def state(self, kind: str, channel: int = 0, **parameters: Any) -> tuple[str, int]:
        """Status and number of viewers of `get_device_st`."""
        reply = self.inner("get_device_st", channel, type=kind, **parameters)
        check(isinstance(reply, list) and len(reply) == 1, "an array with one object:", reply)
        check(isinstance(reply[0]["status"], str) and isinstance(reply[0]["appConnectNum"], str), "texts:", reply)
        return reply[0]["status"], int(reply[0]["appConnectNum"])

    # Streams.

    def address(self, action: str, channel: int | None = 0, **parameters: Any) -> str:
        place = {} if channel is None else {"channel": channel}
        return f"{self.url}/ipc.flv?{urlencode({'action': action, **place, **parameters})}"

    def watch(self, action: str = "live", channel: int | None = 0, receive_buffer: int | None = None,
              **parameters: Any) -> HTTPViewer:
        return HTTPViewer(self.address(action, channel, **parameters), headers=self.headers,
                          receive_buffer=receive_buffer)

    def refusal(self, action: str, channel: int | None = 0, **parameters: Any) -> int:
        """The HTTP status of a stream that is not granted."""
        try:
            with self.watch(action, channel, **parameters):
                raise AssertionError(f"{action} {parameters} was granted")
        except ViewerRefused as refused:
            return refused.status

    def raw(self, query: str) -> HTTPViewer:
        return HTTPViewer(f"{self.url}/ipc.flv?{query}", headers=self.headers)

    def status(self, query: str) -> int:
        """The HTTP status of a request that is sent as it is."""
        return fetch(f"{self.url}/ipc.flv?{query}", headers=self.headers)[0]

    def lose(self, watching: HTTPViewer) -> None:
        """The visitor's only connection breaks."""
        watching.close()

    def play(self, start: int, end: int, channel: int = 0) -> HTTPViewer:
        return self.watch("playback", channel, start_time=start, end_time=end)

    def position(self, channel: int = 0) -> int:
        """Milliseconds from the beginning of what is played."""
        reply = self.inner("playback_progress", channel)
        check(reply.get("status") == "0" and isinstance(reply.get("progress"), str), reply)
        return int(reply["progress"])

    def download(self, name: str, offset: Any = None, channel: int = 0) -> tuple[int, bytes]:
        place = {} if offset is None else {"offset": offset}
        status, _, body = fetch(self.address("download", channel, file_name=name, **place), headers=self.headers,
                                timeout=60)
        return status, body

    def begin_download(self, name: str) -> "Download":
        return Download(Connection(self.address("download", file_name=name), self.headers, 4096, 15))

    def files(self, channel: int = 0, days: int = 31) -> list[File]:
        now = int(time.time())
        reply = self.inner("get_file_list", channel, start_time=now - days * 86400, end_time=now + 60, file_type=0)
        return [File(one["file_name"], int(one["file_size"]), int(one["start_time"]), int(one["end_time"]))
                for one in reply.get("file_list", [])]

    def closed_files(self, count: int, channel: int = 0) -> list[File]:
        """The newest but one and before, of ten seconds at least: the last may still grow."""
        files = [one for one in self.files(channel)[:-1] if one.end - one.start >= 8]
        if len(files) < count:
            raise Skipped(f"the device has {len(files)} closed recordings of 8 s, and this needs {count}")
        return files[-count:]

    def talk(self, channel: int = 0, **parameters: Any) -> "Talk":
        return Talk(self, channel, parameters)


class Download:
    """A download that is not read."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        check(connection.status == 200, "answered with", connection.status)

    def close(self) -> None:
        self.connection.socket.close()


class Talk:
    """A voice request, whose body goes in chunks."""

    def __init__(self, visitor: Visitor, channel: int, parameters: dict[str, Any]) -> None:
        parts = urlsplit(visitor.url)
        self.socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), 15)
        lines = [f"POST /voice?{urlencode({'channel': channel, **parameters})} HTTP/1.1", f"Host: {parts.netloc}",
                 "Transfer-Encoding: chunked", *(f"{name}: {value}" for name, value in visitor.headers.items())]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self.socket.recv(4096)
            if not data:
                raise StreamEnded("closed instead of an answer to the voice request")
            answer += data
        self.status = int(answer.split(b" ")[1])

    @property
    def is_granted(self) -> bool:
        return 200 <= self.status < 300

    def say(self, body: bytes) -> None:
        self.socket.sendall(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def arrivals(viewer: HTTPViewer, seconds: float) -> list[Tag]:
    """Pictures and sounds that come within a time."""
    tags, end = [], time.monotonic() + seconds
    viewer.connection.socket.settimeout(0.1)
    while time.monotonic() < end:
        try:
            tags.append(viewer.tag())
        except TimeoutError:
            continue
    viewer.connection.socket.settimeout(15)
    return [tag for tag in tags if tag.is_picture or tag.is_sound]


__all__ = ["Connection", "File", "StreamEnded", "Talk", "ViewerRefused", "Visitor", "arrivals"]
