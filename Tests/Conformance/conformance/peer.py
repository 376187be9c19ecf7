"""The device as viewers see it that connect peer to peer: the same requests, each on a data channel."""

import queue
import time
from typing import Any
from urllib.parse import urlencode

from harness.peer import Peer, PeerRequest
from harness.viewers import StreamEnded, ViewerRefused, _Viewer

from .device import Visitor
from .report import check


class PeerVisitor(Visitor):
    """One link, made when it is first needed and made again after it was lost."""

    links: list[Peer] = []

    def __init__(self, url: str) -> None:
        super().__init__(url, 0)
        self._peer: Peer | None = None

    @property
    def peer(self) -> Peer:
        if self._peer is None:
            self._peer = Peer(self.url)
            self.links.append(self._peer)
        return self._peer

    @classmethod
    def close_all(cls) -> None:
        while cls.links:
            cls.links.pop().close()

    def send(self, text: str, post: bool = False) -> bytes:
        request = self.peer.request(f"COMMAND {text}")
        check(request.status == 200, text[:80], "status", request.status)
        body = request.body()
        check(body and not body.endswith(b"\0"), text[:80], "answered with", body)
        return body

    def query(self, action: str, channel: int | None = 0, **parameters: Any) -> str:
        place = {} if channel is None else {"channel": channel}
        return urlencode({"action": action, **place, **parameters})

    def watch(self, action: str = "live", channel: int | None = 0, receive_buffer: int | None = None,
              **parameters: Any) -> "PeerWatch":
        watch = PeerWatch(self.peer.request(f"GET ipc.flv?{self.query(action, channel, **parameters)}"))
        if receive_buffer:
            # Whoever is not to read is not to be there any more, as far as the device can tell.
            self.peer.vanish()
        return watch

    def raw(self, query: str) -> "PeerWatch":
        return PeerWatch(self.peer.request(f"GET ipc.flv?{query}"))

    def status(self, query: str) -> int:
        return self.peer.request(f"GET ipc.flv?{query}").status

    def download(self, name: str, offset: Any = None, channel: int = 0) -> tuple[int, bytes]:
        place = {} if offset is None else {"offset": offset}
        request = self.peer.request(f"GET ipc.flv?{self.query('download', channel, file_name=name, **place)}")
        return request.status, request.body(60)

    def begin_download(self, name: str) -> PeerRequest:
        request = self.peer.request(f"GET ipc.flv?{self.query('download', file_name=name)}")
        check(request.status == 200, "answered with", request.status)
        return request

    def talk(self, channel: int = 0, **parameters: Any) -> "PeerTalk":
        return PeerTalk(self.peer.request(f"VOICE {urlencode({'channel': channel, **parameters})}"))

    def lose(self, watching: "PeerWatch") -> None:
        self.peer.close()
        self.links.remove(self.peer)
        self._peer = None


class _Socket:
    """What readers do to a connection's socket, done to a request."""

    def __init__(self, request: PeerRequest) -> None:
        self.request = request
        self.timeout = 15.0

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds

    def close(self) -> None:
        self.request.close()


class _Connection:
    def __init__(self, request: PeerRequest) -> None:
        self.status = request.status
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.started = request.started
        self.socket = _Socket(request)


class PeerWatch(_Viewer):
    def __init__(self, request: PeerRequest) -> None:
        super().__init__(_Connection(request))
        self.request = request
        if request.status != 200:
            raise ViewerRefused(request.status, request.body())

    @property
    def has_ended(self) -> bool:
        """The device closed the channel; else the link broke."""
        return self.request.closed.is_set() and self.request.peer.is_connected

    def pieces(self) -> list[bytes]:
        try:
            piece = self.request.pieces.get(timeout=self.connection.socket.timeout)
        except queue.Empty:
            raise TimeoutError from None
        if not isinstance(piece, tuple):
            # Whoever asks again is told again.
            self.request.pieces.put(piece)
            raise StreamEnded("the device closed the channel")
        return [piece[0]]


class PeerTalk:
    def __init__(self, request: PeerRequest) -> None:
        self.request = request
        self.status = request.status

    @property
    def is_granted(self) -> bool:
        return 200 <= self.status < 300

    def say(self, body: bytes) -> None:
        self.request.send(body)

    def close(self) -> None:
        # What was said is on its way still.
        time.sleep(0.05)
        self.request.close()

    def __enter__(self) -> "PeerTalk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
