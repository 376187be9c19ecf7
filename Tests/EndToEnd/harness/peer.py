"""A viewer that is connected peer to peer: aiortc, which shares no code with the agent or with browsers."""

import asyncio
import json
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from .flv import Reader, Tag
from .viewers import fetch
from .waiting import wait_until

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

_END = object()


class _Loop:
    """One asyncio loop on a thread of its own, for all peers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 30) -> Any:
        return self.submit(work).result(seconds)


_shared: list[_Loop] = []


def _loop() -> _Loop:
    if not _shared:
        _shared.append(_Loop())
    return _shared[0]


class Refused(AssertionError):
    """The device answered an offer with an error."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body[:300]!r}")
        self.status = status
        self.body = body


class PeerRequest:
    """One data channel: its answer's head, and the pieces of the body as they come."""

    def __init__(self, peer: "Peer", label: str) -> None:
        self.peer = peer
        self.label = label
        self.started = time.monotonic()
        self.head: dict[str, Any] | None = None
        self.head_at = 0.0
        self.texts: list[str] = []
        self.closed = threading.Event()
        self.pieces: queue.Queue[Any] = queue.Queue()
        self.received = 0
        self.longest = 0
        self.reader = Reader()
        self._tags: list[Tag] = []

    async def open(self) -> None:
        self.channel = self.peer.connection.createDataChannel(self.label)
        self.channel.on("message", self._take)
        self.channel.on("close", self._end)

    def _take(self, message: str | bytes) -> None:
        if self.head is None:
            assert isinstance(message, str), "the first message is the head, as text"
            self.head = json.loads(message)
            self.head_at = time.monotonic()
        elif isinstance(message, str):
            self.texts.append(message)
        else:
            self.received += len(message)
            self.longest = max(self.longest, len(message))
            self.pieces.put((message, time.monotonic()))

    def _end(self) -> None:
        self.closed.set()
        self.pieces.put(_END)

    @property
    def status(self) -> int:
        wait_until(lambda: self.head is not None or self.closed.is_set(), f"an answer to {self.label}", 20)
        assert self.head is not None, f"{self.label} was closed without an answer"
        return self.head["status"]

    @property
    def headers(self) -> dict[str, str]:
        assert self.status
        return self.head["headers"]  # type: ignore[index]

    def body(self, seconds: float = 30) -> bytes:
        """All of it, up to the channel's end."""
        body = b""
        while (piece := self.pieces.get(timeout=seconds)) is not _END:
            body += piece[0]
        return body

    def json(self) -> Any:
        return json.loads(self.body())

    def tag(self, seconds: float = 20) -> Tag:
        while not self._tags:
            piece = self.pieces.get(timeout=seconds)
            assert piece is not _END, f"{self.label} ended"
            self._tags += self.reader.feed(*piece)
        return self._tags.pop(0)

    def read_seconds(self, seconds: float) -> list[Tag]:
        end = time.monotonic() + seconds
        tags = []
        while time.monotonic() < end:
            tags.append(self.tag())
        return tags

    def send(self, data: bytes) -> None:
        self.peer.loop.loop.call_soon_threadsafe(self.channel.send, data)

    def close(self) -> None:
        self.peer.loop.loop.call_soon_threadsafe(self.channel.close)


class Peer:
    """A link to an agent. `url` is where offers go, as `alter` changes them; `exchange` takes them another way. A
    `certificate` is another peer's, which this one goes on with."""

    def __init__(self, url: str, alter: Callable[[str], str] = str, ticket: str | None = None,
                 certificate: Any = None, exchange: Callable[[str], str] | None = None) -> None:
        self.ticket = ticket
        self.exchange = exchange
        self.loop = _loop()
        self.url = url
        self.started = time.monotonic()
        self.resource = ""
        self.answer = ""
        self.loop.run(self._prepare(certificate))
        self.feedback = self.request("GET feedback")
        self.loop.run(self._connect(alter))

    async def _prepare(self, certificate: Any) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        if certificate is not None:
            self.connection._RTCPeerConnection__certificates = [certificate]
        self.certificate = self.connection._RTCPeerConnection__certificates[0]

    async def _connect(self, alter: Callable[[str], str]) -> None:
        connection = self.connection
        await connection.setLocalDescription(await connection.createOffer())
        text = alter(connection.localDescription.sdp)
        self.answer = await asyncio.to_thread(self.exchange or self._post, text)
        await connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))

    def _post(self, offer: str) -> str:
        headers = {"Content-Type": "application/sdp"}
        if self.ticket is not None:
            headers["Authorization"] = f"Bearer {self.ticket}"
        status, headers, body = fetch(f"{self.url}/p2p", method="POST", body=offer.encode(), headers=headers)
        if status != 201:
            raise Refused(status, body)
        assert headers["content-type"] == "application/sdp"
        parts = urlsplit(self.url)
        self.resource = f"{parts.scheme}://{parts.netloc}{headers['location']}"
        return body.decode()

    def request(self, label: str) -> PeerRequest:
        request = PeerRequest(self, label)
        self.loop.run(request.open())
        return request

    def command(self, text: str) -> Any:
        request = self.request(f"COMMAND {text}")
        assert request.status == 200, request.head
        return request.json()

    def wait_connected(self, seconds: float = 20) -> float:
        """Seconds from the beginning."""
        wait_until(lambda: self.connection.connectionState == "connected", "a link", seconds)
        return time.monotonic() - self.started

    @property
    def is_connected(self) -> bool:
        return self.connection.connectionState == "connected"

    def watch_datagrams(self) -> list[int]:
        """The sizes of those that come from now on."""
        sizes: list[int] = []

        def watch(protocol: Any) -> None:
            receive = protocol.datagram_received

            def received(data: bytes, address: Any) -> None:
                sizes.append(len(data))
                receive(data, address)
            protocol.datagram_received = received

        async def begin() -> None:
            for transport in self.connection._RTCPeerConnection__iceTransports:
                for protocol in transport._connection._protocols:
                    watch(protocol)
        self.loop.run(begin())
        return sizes

    def vanish(self) -> None:
        """As if the power failed: nothing is sent any more, not even a farewell."""
        async def stop() -> None:
            for transport in self.connection._RTCPeerConnection__iceTransports:
                for protocol in transport._connection._protocols:
                    protocol.transport.abort()
        self.loop.run(stop())

    def close(self) -> None:
        self.loop.run(self.connection.close())
