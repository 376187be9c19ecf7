"""As much RTMP as tests need: a player that notes when each message came, and services that misbehave on command.

Adobe RTMP specification 1.0: section 5.2 handshake, 5.3 chunks, 7 messages and commands.
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable

from .flv import AUDIO, SCRIPT, VIDEO, Tag, read_amf0, write_amf0

SET_CHUNK_SIZE, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH, COMMAND = 1, 3, 4, 5, 6, 20


class Closed(Exception):
    """The other side ended the connection."""


class _Stream:
    timestamp = delta = length = kind = 0
    extended = False

    def __init__(self) -> None:
        self.payload = bytearray()


class Link:
    """Messages over one connection, in both directions."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = bytearray()
        self.consumed = 0
        self.received = self.acknowledged = 0
        self.window = 2_500_000
        self.chunk_size = 128
        self.streams: dict[int, _Stream] = {}
        self.last_arrival = 0.0

    def take(self, count: int) -> bytes:
        while len(self.buffer) - self.consumed < count:
            if self.consumed:
                del self.buffer[:self.consumed]
                self.consumed = 0
            data = self.socket.recv(1 << 16)
            self.last_arrival = time.monotonic()
            if not data:
                raise Closed
            self.buffer += data
            self.received += len(data)
        data = bytes(self.buffer[self.consumed:self.consumed + count])
        self.consumed += count
        return data

    def handshake_as_client(self) -> None:
        first = struct.pack(">II", 0, 0) + os.urandom(1528)
        self.socket.sendall(b"\x03" + first)
        if self.take(1) != b"\x03":
            raise AssertionError("RTMP version is not 3")
        answer = self.take(1536)
        self.take(1536)
        self.socket.sendall(answer)

    def handshake_as_service(self) -> None:
        if self.take(1) != b"\x03":
            raise AssertionError("RTMP version is not 3")
        first = self.take(1536)
        self.socket.sendall(b"\x03" + struct.pack(">II", 0, 0) + os.urandom(1528) + first)
        self.take(1536)

    def read(self) -> tuple[int, int, bytes]:
        """The next message: type, time stamp, payload. Protocol control is answered here."""
        while True:
            kind, timestamp, payload = self._read_message()
            if self.received - self.acknowledged >= self.window:
                self.acknowledged = self.received
                self.send(ACKNOWLEDGEMENT, struct.pack(">I", self.received & 0xFFFFFFFF), 2)
            if kind == SET_CHUNK_SIZE:
                self.chunk_size = struct.unpack(">I", payload)[0]
            elif kind == WINDOW_SIZE:
                self.window = struct.unpack(">I", payload)[0]
            elif kind == USER_CONTROL and payload[:2] == b"\0\x06":
                self.send(USER_CONTROL, b"\0\x07" + payload[2:], 2)
            else:
                return kind, timestamp, payload

    def _read_message(self) -> tuple[int, int, bytes]:
        while True:
            first = self.take(1)[0]
            form, number = first >> 6, first & 0x3F
            if number == 0:
                number = 64 + self.take(1)[0]
            elif number == 1:
                low, high = self.take(2)
                number = 64 + low + 256 * high
            stream = self.streams.setdefault(number, _Stream())
            begins = not stream.payload
            if form <= 2:
                field = int.from_bytes(self.take(3), "big")
                if form <= 1:
                    stream.length = int.from_bytes(self.take(3), "big")
                    stream.kind = self.take(1)[0]
                if form == 0:
                    self.take(4)
                stream.extended = field == 0xFFFFFF
                if stream.extended:
                    field = struct.unpack(">I", self.take(4))[0]
                if form == 0:
                    stream.timestamp, stream.delta = field, 0
                else:
                    stream.delta = field
                    stream.timestamp = (stream.timestamp + field) & 0xFFFFFFFF
            else:
                if stream.extended:
                    self.take(4)
                if begins:
                    stream.timestamp = (stream.timestamp + stream.delta) & 0xFFFFFFFF
            stream.payload += self.take(min(self.chunk_size, stream.length - len(stream.payload)))
            if len(stream.payload) == stream.length:
                payload, stream.payload = bytes(stream.payload), bytearray()
                return stream.kind, stream.timestamp, payload

    def send(self, kind: int, payload: bytes, chunk_stream: int = 3, message_stream: int = 0) -> None:
        """One message, in chunks of the 128 bytes that hold until something else is said."""
        data = (bytes([chunk_stream]) + b"\0\0\0" + len(payload).to_bytes(3, "big") + bytes([kind])
                + struct.pack("<I", message_stream))
        for start in range(0, len(payload), 128):
            if start:
                data += bytes([0xC0 | chunk_stream])
            data += payload[start:start + 128]
        self.socket.sendall(data)

    def command(self, *values, message_stream: int = 0) -> None:
        self.send(COMMAND, b"".join(write_amf0(value) for value in values), 3, message_stream)


def decode_command(payload: bytes) -> list:
    values, position = [], 0
    while position < len(payload):
        value, position = read_amf0(payload, position)
        values.append(value)
    return values


class Player:
    """Plays a stream from a service; `tags()` gives what comes, each with its arrival."""

    def __init__(self, host: str, port: int, application: str, name: str, timeout: float = 10) -> None:
        connection = socket.create_connection((host, port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.link = Link(connection)
        self.link.handshake_as_client()
        self.link.command("connect", 1, {"app": application, "tcUrl": f"rtmp://{host}:{port}/{application}",
                                         "flashVer": "LNX 10,0,32,18", "objectEncoding": 0})
        self._wait_for("_result")
        self.link.command("createStream", 2, None)
        answer = self._wait_for("_result")
        self.link.command("play", 3, None, name, -2000, message_stream=int(answer[3]))

    def _wait_for(self, name: str) -> list:
        while True:
            kind, _, payload = self.link.read()
            if kind == COMMAND:
                values = decode_command(payload)
                if values[0] == "_error":
                    raise AssertionError(f"refused: {values}")
                if values[0] == name:
                    return values

    def tag(self) -> Tag:
        while True:
            kind, timestamp, payload = self.link.read()
            if kind in (AUDIO, VIDEO) and payload:
                return Tag(kind, timestamp, payload, self.link.last_arrival)
            if kind == SCRIPT and payload.startswith(write_amf0("onMetaData")):
                return Tag(kind, timestamp, payload, self.link.last_arrival)

    def close(self) -> None:
        self.link.socket.close()


class Publisher:
    """One connection of a publisher to `Service`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.commands: list[list] = []
        self.tags: list[Tag] = []
        self.publishing = threading.Event()
        self.ended = threading.Event()
        self.release = threading.Event()

    @property
    def connect(self) -> dict:
        return next(values[2] for values in self.commands if values[0] == "connect")

    @property
    def stream_name(self) -> str:
        return next(values[3] for values in self.commands if values[0] == "publish")


class Service:
    """A media service on a port of its own whose manners a test chooses.

    `answer` gives, for each publisher in turn (0, 1, …), the code of the `onStatus` that answers `publish`; None closes
    the link instead. `behaviour` is called after a good answer, and the link is closed when it returns.
    """

    def __init__(self, answer: Callable[[int], str | None] | None = None,
                 behaviour: Callable[[Publisher], None] | None = None) -> None:
        self.answer = answer or (lambda _: "NetStream.Publish.Start")
        self.behaviour = behaviour or read_for_ever
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.publishers: list[Publisher] = []
        self.errors: list[BaseException] = []
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, name: str = "camera") -> str:
        return f"rtmp://127.0.0.1:{self.port}/live/{name}"

    def close(self) -> None:
        self._closed = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for publisher in self.publishers:
            publisher.release.set()
            try:
                publisher.link.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            publisher = Publisher(Link(connection))
            self.publishers.append(publisher)
            index = len(self.publishers) - 1
            threading.Thread(target=self._serve, args=(publisher, index), daemon=True).start()

    def _serve(self, publisher: Publisher, index: int) -> None:
        link = publisher.link
        try:
            link.handshake_as_service()
            while True:
                kind, _, payload = link.read()
                if kind != COMMAND:
                    continue
                values = decode_command(payload)
                publisher.commands.append(values)
                if values[0] == "connect":
                    link.send(WINDOW_SIZE, struct.pack(">I", 2_500_000), 2)
                    link.send(PEER_BANDWIDTH, struct.pack(">IB", 2_500_000, 2), 2)
                    link.command("_result", values[1], {"fmsVer": "FMS/3,0,1,123", "capabilities": 31},
                                 {"level": "status", "code": "NetConnection.Connect.Success", "description": ""})
                elif values[0] == "createStream":
                    link.command("_result", values[1], None, 1)
                elif values[0] == "publish":
                    break
            code = self.answer(index)
            if code is None:
                return
            good = code == "NetStream.Publish.Start"
            link.command("onStatus", 0, None, {"level": "status" if good else "error", "code": code,
                                               "description": "as told"}, message_stream=1)
            if good:
                publisher.publishing.set()
                self.behaviour(publisher)
        except (Closed, OSError):
            pass
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.errors.append(error)
        finally:
            link.socket.close()
            publisher.ended.set()


def read_message(publisher: Publisher) -> None:
    kind, timestamp, payload = publisher.link.read()
    if kind in (AUDIO, VIDEO, SCRIPT):
        publisher.tags.append(Tag(kind, timestamp, payload, publisher.link.last_arrival))
    elif kind == COMMAND:
        publisher.commands.append(decode_command(payload))


def read_for_ever(publisher: Publisher) -> None:
    while True:
        read_message(publisher)


def close_after_pictures(count: int) -> Callable[[Publisher], None]:
    def behaviour(publisher: Publisher) -> None:
        while sum(tag.is_picture for tag in publisher.tags if tag.kind == VIDEO) < count:
            read_message(publisher)
    return behaviour


def never_read(publisher: Publisher) -> None:
    publisher.release.wait(300)
