"""Viewers of the agent: HTTP-FLV and WebSocket-FLV on plain sockets, each tag with the moment it had come whole."""

import base64
import hashlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import flv
from .flv import Reader, Tag


class ViewerRefused(AssertionError):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body[:300]!r}")
        self.status = status
        self.body = body


class StreamEnded(AssertionError):
    """The agent ended the stream."""


class Connection:
    """A socket and the head of the answer to one request."""

    def __init__(self, url: str, headers: dict[str, str], receive_buffer: int | None, timeout: float,
                 method: str = "GET") -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.started = time.monotonic()
        self.socket.connect((self.host, self.port))
        target = parts.path + ("?" + parts.query if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            data = self.socket.recv(1 << 16)
            if not data:
                raise StreamEnded("closed before the end of the answer's head")
            self.pending += data
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in rest)}

    def receive(self) -> bytes:
        if self.pending:
            data, self.pending = self.pending, b""
            return data
        return self.socket.recv(1 << 17)

    def rest_of_body(self) -> bytes:
        length = int(self.headers.get("content-length", "-1"))
        body = self.pending
        while length < 0 or len(body) < length:
            data = self.socket.recv(1 << 16)
            if not data:
                break
            body += data
        return body


class _Viewer:
    """What both transports share: tags out of pieces of the stream."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.reader = Reader()
        self._tags: list[Tag] = []
        self._position = 0

    @property
    def started(self) -> float:
        """Monotonic time just before the connection was opened, in seconds."""
        return self.connection.started

    @property
    def headers(self) -> dict[str, str]:
        return self.connection.headers

    def pieces(self) -> list[bytes]:
        raise NotImplementedError

    def tag(self) -> Tag:
        while self._position >= len(self._tags):
            self._tags, self._position = [], 0
            for piece in self.pieces():
                self._tags += self.reader.feed(piece, time.monotonic())
        tag = self._tags[self._position]
        self._position += 1
        return tag

    def tags(self) -> Iterator[Tag]:
        while True:
            yield self.tag()

    def read_until(self, enough: Callable[[Tag], bool], deadline: float = 30) -> list[Tag]:
        """All tags up to the one that is enough."""
        end = time.monotonic() + deadline
        tags = []
        while True:
            tags.append(self.tag())
            if enough(tags[-1]):
                return tags
            if time.monotonic() > end:
                raise AssertionError(f"{len(tags)} tags in {deadline} s, but not the one waited for")

    def read_seconds(self, seconds: float) -> list[Tag]:
        """As much of the stream as `seconds` of its time."""
        first: list[int] = []

        def enough(tag: Tag) -> bool:
            if not tag.is_picture and not tag.is_sound:
                return False
            first.append(tag.timestamp) if not first else None
            return tag.timestamp - first[0] >= seconds * 1000
        return self.read_until(enough, deadline=seconds + 20)

    def save(self, path: Path, seconds: float) -> list[Tag]:
        tags = self.read_seconds(seconds)
        flv.write_file(path, tags)
        return tags

    def close(self) -> None:
        self.connection.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()


class HTTPViewer(_Viewer):
    def __init__(self, url: str, receive_buffer: int | None = None, timeout: float = 15,
                 headers: dict[str, str] | None = None) -> None:
        super().__init__(Connection(url, headers or {}, receive_buffer, timeout))
        if self.connection.status != 200:
            status, body = self.connection.status, self.connection.rest_of_body()
            self.close()
            raise ViewerRefused(status, body)
        self._chunked = self.headers.get("transfer-encoding", "") == "chunked"
        self._chunks = bytearray()
        self.has_ended = False
        """The agent said so, by the last chunk; else the connection broke."""

    def pieces(self) -> list[bytes]:
        data = b"" if self.has_ended else self.connection.receive()
        if not data:
            raise StreamEnded("the agent ended the stream")
        if not self._chunked:
            return [data]
        self._chunks += data
        pieces = []
        while not self.has_ended and (chunk := self._chunk()) is not None:
            pieces.append(chunk)
            self.has_ended = not chunk
        return pieces

    def _chunk(self) -> bytes | None:
        """The next one that is whole. The end of the one before may come as late as this one's beginning."""
        begin = 2 if self._chunks.startswith(b"\r\n") else 0
        line = self._chunks.find(b"\r\n", begin)
        if line < 0:
            return None
        size = int(self._chunks[begin:line].split(b";")[0], 16)
        if len(self._chunks) < line + 2 + size:
            return None
        chunk = bytes(self._chunks[line + 2:line + 2 + size])
        del self._chunks[:line + 2 + size]
        return chunk


class WebSocketViewer(_Viewer):
    """RFC 6455, as much as a viewer needs."""

    def __init__(self, url: str, timeout: float = 15, headers: dict[str, str] | None = None) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        super().__init__(Connection(url, {"Connection": "Upgrade", "Upgrade": "websocket",
                                           "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key} | (headers or {}),
                                     None, timeout))
        if self.connection.status != 101:
            status, body = self.connection.status, self.connection.rest_of_body()
            self.close()
            raise ViewerRefused(status, body)
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert self.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
        self.frames: list[int] = []
        """Lengths of the binary messages so far."""
        self.close_code: int | None = None
        self._buffer = bytearray()

    def send_frame(self, opcode: int, payload: bytes = b"") -> None:
        mask = os.urandom(4)
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        else:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.connection.socket.sendall(head + mask + masked)

    def pieces(self) -> list[bytes]:
        data = self.connection.receive()
        if not data:
            raise StreamEnded("the agent closed the connection")
        self._buffer += data
        pieces, position = [], 0
        while len(self._buffer) - position >= 2:
            first, second = self._buffer[position], self._buffer[position + 1]
            assert not second & 0x80, "a server's frames are not masked"
            length, head = second & 0x7F, 2
            if length == 126:
                if len(self._buffer) - position < 4:
                    break
                (length,), head = struct.unpack_from(">H", self._buffer, position + 2), 4
            elif length == 127:
                if len(self._buffer) - position < 10:
                    break
                (length,), head = struct.unpack_from(">Q", self._buffer, position + 2), 10
            if len(self._buffer) - position < head + length:
                break
            payload = bytes(self._buffer[position + head:position + head + length])
            position += head + length
            opcode = first & 0x0F
            if opcode == 2:
                assert first & 0x80, "messages come in one frame"
                pieces.append(payload)
                self.frames.append(length)
            elif opcode == 9:
                self.send_frame(10, payload)
            elif opcode == 8:
                self.close_code = struct.unpack_from(">H", payload)[0] if len(payload) >= 2 else 1005
                raise StreamEnded(f"closed with code {self.close_code}: {payload[2:]!r}")
            else:
                assert opcode == 10, f"a frame with opcode {opcode}"
        del self._buffer[:position]
        return pieces


class Collector:
    """Reads tags in a thread, from a viewer or an RTMP player."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.tags: list[Tag] = []
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.tags.append(self.source.tag())
        except BaseException as error:  # noqa: BLE001 - raised in `finish`
            self.error = error

    def finish(self) -> list[Tag]:
        """All tags so far. The connection is closed."""
        if self.error:
            raise AssertionError(f"a reader stopped: {self.error!r}") from self.error
        self._stop.set()
        self._thread.join(5)
        self.source.close()
        return self.tags


def fetch(url: str, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None,
          unix_socket: str | None = None, timeout: float = 15) -> tuple[int, dict[str, str], bytes]:
    """One HTTP exchange: status, headers (names in lower case), body."""
    import http.client

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port or 80, timeout=timeout)
    if unix_socket:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(timeout)
        connection.sock.connect(unix_socket)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def fetch_json(url: str, **arguments) -> tuple[int, object]:
    status, _, body = fetch(url, **arguments)
    return status, json.loads(body)
