"""What workers of the soak test do to the agent: well-behaved, careless and hostile people."""

import json
import os
import queue
import random
import socket
import struct
import time
from urllib.parse import quote

from harness.peer import Peer, Refused
from harness.viewers import HTTPViewer, StreamEnded, ViewerRefused, fetch

#: How often each is done, relative to the others. Those that change the world are rare.
DEEDS = {
    "watch": 30, "watchWebSocket": 12, "leaveAtOnce": 10, "stall": 2, "reset": 6, "rubbish": 14, "rubbishMessage": 4,
    "command": 40, "playback": 6, "download": 6, "picture": 4, "talk": 4, "page": 6, "status": 8, "openPush": 3,
    "closePush": 3, "badPush": 1, "turn": 6, "record": 2, "snapshot": 2, "peerOffer": 3, "peer": 1, "badRequest": 10,
    "feedback": 3, "killService": 0.15, "freezeService": 0.1, "fillDisk": 0.15, "protectDisk": 0.1, "unplug": 0.15,
    "privacy": 0.1, "stepClock": 0.1,
}
COMMANDS = [
    "get_device_st&type=live&quality=high", "get_status", "get_motor&x=0", "get_month_record&time=202611",
    "get_record_index&start_time=0&end_time=4000000000", "get_file_list&start_time=0&end_time=4000000000",
    "playback_pause", "playback_resume", "playback_seek&progress=1000", "no_such_command", "ptz_ctl&ptz=left",
]


class Worker:
    def __init__(self, world, seed: int, pace: float) -> None:
        self.world = world
        self.agent = world.agent
        self.random = random.Random(seed)
        self.pace = pace
        self.visitor = 1000 + seed
        self.events = 0
        self.counts: dict[str, int] = {}
        #: What was not as it must be.
        self.complaints: list[str] = []
        self.busy = False
        self._names, self._weights = list(DEEDS), list(DEEDS.values())

    def do(self) -> None:
        name = self.random.choices(self._names, self._weights)[0]
        self.counts[name] = self.counts.get(name, 0) + 1
        self.events += 1
        try:
            getattr(self, name)()
        except (ViewerRefused, StreamEnded, Refused, ConnectionError, TimeoutError, OSError):
            # Full, private, the stream ended: everybody is told so, and that is as it should be.
            pass
        except Exception as error:
            if len(self.complaints) < 20:
                self.complaints.append(f"{name}: {type(error).__name__}: {error}"[:500])

    def _wait(self, most: float) -> float:
        return self.random.uniform(0, most) * self.pace

    def _live(self) -> str:
        channel, quality = self.random.randrange(2), self.random.choice(["high", "standard"])
        visitor = self.random.randrange(1, 60)
        return f"action=live&channel={channel}&quality={quality}&_crypto=off&_visitor={visitor}"

    # Viewers.

    def _read(self, viewer, seconds: float) -> None:
        with viewer:
            self._look_at_tags(viewer, seconds)

    def _look_at_tags(self, viewer, seconds: float) -> None:
        """Time stamps begin at 0, and grow strictly on each track."""
        last = {}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tag = viewer.tag()
            kind = "picture" if tag.is_picture else "sound" if tag.is_sound else None
            if kind is None:
                continue
            if not last:
                assert tag.timestamp < 2000, f"the first frame is at {tag.timestamp} ms"
            assert tag.timestamp > last.get(kind, -1), f"{kind}: {tag.timestamp} after {last[kind]}"
            last[kind] = tag.timestamp

    def watch(self) -> None:
        self._read(self.agent.viewer(self.random.randrange(2), self.random.choice(["high", "standard"])), self._wait(3))

    def watchWebSocket(self) -> None:
        self._read(self.agent.websocket(self.random.randrange(2)), self._wait(3))

    def leaveAtOnce(self) -> None:
        with self._socket() as link:
            link.sendall(f"GET /ipc.flv?{self._live()} HTTP/1.1\r\nHost: a\r\n\r\n".encode()[: self.random.randrange(5, 200)])

    def stall(self) -> None:
        with self._socket(receive_buffer=4096) as link:
            link.sendall(f"GET /ipc.flv?{self._live()} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            link.recv(100)
            time.sleep(self._wait(20))

    def reset(self) -> None:
        with self._socket() as link:
            link.sendall(f"GET /ipc.flv?{self._live()} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            link.recv(2000)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def playback(self) -> None:
        now = int(time.time())
        start = now - self.random.randrange(10, 300)
        url = f"{self.agent.url}/ipc.flv?action=playback&channel={self.random.randrange(2)}&start_time={start}&end_time={now}"
        self._read(HTTPViewer(url), self._wait(4))

    def download(self) -> None:
        status, files = self.agent.request("GET", "/files?limit=20")
        closed = [file for file in files if not file["isGrowing"]] if status == 200 else []
        if not closed:
            return
        file = self.random.choice(closed)
        offset = self.random.randrange(file["bytes"] + 1)
        # A visitor's next download replaces the one before, so each worker is a visitor of its own.
        query = f"action=download&channel={file['channel']}&file_name={file['name']}&offset={offset}&_visitor={self.visitor}"
        status, _, body = fetch(f"{self.agent.url}/ipc.flv?{query}", timeout=30)
        # Retention may have taken it meanwhile.
        assert status in (200, 404, 503), status
        assert status != 200 or len(body) == file["bytes"] - offset, (len(body), file, offset)

    def picture(self) -> None:
        with self._socket() as link:
            link.sendall(b"GET /ipc.flv?action=live-mjpg&channel=0 HTTP/1.1\r\nHost: a\r\n\r\n")
            link.recv(1000)
            time.sleep(self._wait(1))

    def talk(self) -> None:
        with self._socket() as link:
            link.sendall(b"POST /voice?channel=0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(self.random.randrange(10)):
                link.sendall(b"140\r\n" + os.urandom(320) + b"\r\n")
                time.sleep(0.02)

    def page(self) -> None:
        path = self.random.choice(["/", "/page.js", "/edge-agent-viewer.js", "/channels.json", "/metrics", "/healthz"])
        status, _, body = fetch(self.agent.url + path)
        assert status in (200, 503) and (status == 503 or body), (path, status)

    # Commands.

    def command(self) -> None:
        text = f"action=inner_define&channel={self.random.randrange(3)}&cmd={self.random.choice(COMMANDS)}"
        status, _, body = fetch(f"{self.agent.url}/command?{text}&_visitor={self.random.randrange(1, 60)}")
        assert status in (200, 404, 503), (text, status, body)
        json.loads(body)

    def turn(self) -> None:
        way = self.random.choice(["left", "right", "up", "down", "stop"])
        fetch(f"{self.agent.url}/command?action=user_define&channel=0&cmd=ptz_{way}&_visitor={self.random.randrange(1, 60)}")

    def feedback(self) -> None:
        self.agent.request("POST", "/feedback", {"message": {"n": self.random.randrange(1000)}})

    def status(self) -> None:
        self.agent.get(self.random.choice(["/status", "/viewers", "/channels", "/pushes", "/peers", "/metrics"]))

    def snapshot(self) -> None:
        status, body = self.agent.request("GET", f"/channels/{self.random.randrange(2)}/snapshot")
        assert status in (200, 404, 409, 503) and (status != 200 or body[:2] == b"\xff\xd8"), status

    def record(self) -> None:
        self.agent.request("PUT", "/channels/0/recording", {"stream": "sub", "seconds": self.random.randrange(1, 5)})

    # Pushes.

    def openPush(self) -> None:
        body = {"channel": self.random.randrange(2), "codeStream": self.random.choice(["main", "sub"]),
                "async": self.random.random() < 0.7}
        self.agent.request("POST", "/pushes", body)

    def closePush(self) -> None:
        pushes = self.agent.pushes()
        if pushes:
            self.agent.request("DELETE", f"/pushes/{self.random.choice(pushes)['id']}")

    def badPush(self) -> None:
        self.agent.request("POST", "/pushes", {"target": "rtmp://127.0.0.1:1/live/x", "async": True})

    # Rubbish.

    def _socket(self, receive_buffer: int | None = None) -> socket.socket:
        link = socket.socket()
        link.settimeout(10)
        if receive_buffer:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        link.connect(("127.0.0.1", self.agent.port))
        return link

    def rubbish(self) -> None:
        with self._socket() as link:
            link.sendall(self.random.randbytes(self.random.randrange(1, 3000)))
            link.settimeout(1)
            try:
                link.recv(100)
            except TimeoutError:
                pass

    def rubbishMessage(self) -> None:
        viewer = self.agent.websocket(0)
        with viewer:
            viewer.connection.socket.sendall(self.random.randbytes(self.random.randrange(1, 2000)))
            end = time.monotonic() + 2
            while time.monotonic() < end:
                viewer.tag()

    def badRequest(self) -> None:
        path = self.random.choice(["/ipc.flv?", "/command?", "/voice?", "/p2p/", "/feedback?", "/api/v1/status?"])
        noise = "".join(self.random.choice("action=live&channelqty%=0129AZ/._-") for _ in range(self.random.randrange(80)))
        method = self.random.choice(["GET", "GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
        with self._socket() as link:
            link.sendall(f"{method} {path}{noise} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            link.settimeout(2)
            try:
                link.recv(4000)
            except TimeoutError:
                pass

    def peerOffer(self) -> None:
        """An offer of a viewer that never comes."""
        pairs = ":".join(f"{self.random.randrange(256):02X}" for _ in range(32))
        offer = "\r\n".join([
            "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "c=IN IP4 0.0.0.0", "a=mid:0", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx",
            f"a=fingerprint:sha-256 {pairs}", "a=setup:actpass", "a=sctp-port:5000", ""])
        if self.random.random() < 0.3:
            offer = offer[: self.random.randrange(len(offer))]
        status, headers, _ = fetch(f"{self.agent.url}/p2p", method="POST", body=offer.encode(),
                                   headers={"Content-Type": "application/sdp"}, timeout=20)
        assert status in (201, 400, 503), status
        if status == 201 and self.random.random() < 0.8:
            time.sleep(self._wait(1))
            fetch(self.agent.url + headers["location"], method="DELETE")

    def peer(self) -> None:
        """Watches, and leaves as people do: with a farewell, or without."""
        peer = Peer(self.agent.url)
        try:
            if peer.wait_connected() and (live := peer.request(f"GET ipc.flv?{self._live()}")).status == 200:
                self._look_at_tags(live, self._wait(4))
        except (AssertionError, queue.Empty) as error:
            # The place was somebody else's, or the stream ended; what is wrong with a stream is told.
            if " after " in str(error) or "first frame" in str(error):
                raise
        finally:
            if self.random.random() < 0.3:
                peer.vanish()
            peer.close()

    # The world.

    def killService(self) -> None:
        self.world.kill_service(self._wait(8))

    def freezeService(self) -> None:
        self.world.freeze_service(self._wait(8))

    def fillDisk(self) -> None:
        self.world.fill_disk(self._wait(8))

    def protectDisk(self) -> None:
        self.world.protect_disk(self._wait(5))

    def unplug(self) -> None:
        self.world.unplug(self._wait(6))

    def stepClock(self) -> None:
        self.world.step_clock(self.random.choice([-86400, -3600, -60, 60, 3600, 86400]))

    def privacy(self) -> None:
        def switch(status: str) -> None:
            topic = json.dumps({"topic": "set_status", "data": {"status": status}})
            answer = fetch(f"{self.agent.url}/command?action=user_define&channel=0&cmd={quote(topic)}")
            assert answer[0] in (200, 503), answer

        switch("standby")
        time.sleep(self._wait(3))
        # Until it is heard: the device may be full of people at the moment.
        end = time.monotonic() + 20
        while self.agent.status().get("isStandby") and time.monotonic() < end:
            switch("working")
