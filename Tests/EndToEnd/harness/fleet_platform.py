"""A fleet platform for tests: a JT/T 808 gateway and JT/T 1078 media ports, written from the specification.

Run by itself it is the small platform of `Scripts/run`: it takes any terminal and opens its first channel.
"""

import argparse
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable

try:
    from .jt808 import BadFrame, Media, Message, Splitter, audio_packet, bcd_time, frame, packet_at, parse
    from .waiting import wait_until
except ImportError:
    from jt808 import BadFrame, Media, Message, Splitter, audio_packet, bcd_time, frame, packet_at, parse
    from waiting import wait_until

GENERAL, HEARTBEAT, UNREGISTER, REGISTER, AUTHENTICATE = 0x0001, 0x0002, 0x0003, 0x0100, 0x0102


class Connection:
    """A terminal's signalling connection."""

    def __init__(self, platform: "FleetPlatform", peer: socket.socket) -> None:
        self.platform = platform
        self.peer = peer
        self.serial = 0
        self.phone = ""
        self.is_2019 = False
        self.is_online = False
        self.is_ended = False
        self.lock = threading.Lock()
        self.pieces: dict[tuple[int, int], dict[int, bytes]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        splitter = Splitter()
        try:
            while data := self.peer.recv(65536):
                for part in splitter.feed(data):
                    self._take(parse(part))
        except OSError:
            pass
        except BadFrame as error:
            self.platform.errors.append(str(error))
        self.is_ended = True
        self.peer.close()

    def _take(self, message: Message) -> None:
        message.time = time.monotonic()
        self.phone, self.is_2019 = message.phone, message.is_2019
        platform = self.platform
        if message.total:
            # Each piece is answered, as JT/T 1078 says.
            parts = self.pieces.setdefault((message.id, message.serial - message.index & 0xFFFF), {})
            parts[message.index] = message.body
            if len(parts) < message.total:
                self._answer(message)
                return
            message.body = b"".join(parts[index] for index in sorted(parts))
            platform.piece_counts.append(message.total)
        platform.messages.append(message)
        if platform.is_mute or message.id in platform.unanswered:
            return
        if message.id == REGISTER:
            result = platform.registration_result
            self.send(0x8100, struct.pack(">HB", message.serial, result) + (platform.code if result == 0 else b""))
        elif message.id == AUTHENTICATE:
            code = message.body[1:1 + message.body[0]] if message.is_2019 else message.body
            accepted = code == platform.code
            self._answer(message, 0 if accepted else 1)
            if accepted:
                self.is_online = True
                platform.logins += 1
        elif message.id == 0x0004:
            self.send(0x8004, bcd_time(time.time() - 8 * 3600))
        elif message.id in (GENERAL, 0x0104, 0x0107, 0x0201, 0x1003, 0x1205):
            # Answers of the terminal; only a list is a message that wants one.
            if message.id == 0x1205:
                self._answer(message)
        else:
            self._answer(message)

    def _answer(self, message: Message, result: int = 0) -> None:
        self.send(0x8001, struct.pack(">HHB", message.serial, message.id, result))

    def send(self, identifier: int, body: bytes, serial: int | None = None) -> int:
        with self.lock:
            if serial is None:
                serial = self.serial
                self.serial = self.serial + 1 & 0xFFFF
            pieces = [body[at:at + 1000] for at in range(0, len(body), 1000)] or [b""]
            total = len(pieces) if len(pieces) > 1 else 0
            data = b""
            for index, piece in enumerate(pieces):
                data += frame(identifier, serial + index & 0xFFFF, self.phone, self.is_2019, piece, total,
                              index + 1 if total else 0)
            if total:
                self.serial = serial + total & 0xFFFF
            try:
                self.peer.sendall(data)
            except OSError:
                pass
            return serial

    def send_twice(self, identifier: int, body: bytes) -> None:
        """The same frame again, in one piece with the first."""
        with self.lock:
            data = frame(identifier, self.serial, self.phone, self.is_2019, body)
            self.serial = self.serial + 1 & 0xFFFF
            self.peer.sendall(data + data)

    def close(self) -> None:
        try:
            self.peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class FleetPlatform:
    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.code = b"code-\xd5\xe2-1"
        self.registration_result = 0
        self.messages: list[Message] = []
        self.piece_counts: list[int] = []
        self.errors: list[str] = []
        self.logins = 0
        self.is_mute = False
        """Answers nothing."""
        self.unanswered: set[int] = set()
        """Messages that are not answered."""
        self.connections: list[Connection] = []
        self.host = host
        self.port = port
        self._listener: socket.socket | None = None
        self.start()

    def start(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(Connection(self, peer))

    def stop(self) -> None:
        """Gone, as if its machine were switched off in order; `start` brings it back on the same port."""
        if self._listener:
            # shutdown wakes the thread in accept.
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
            self._listener = None
        for connection in self.connections:
            connection.close()

    # Looking.

    def terminal(self, seconds: float = 20) -> Connection:
        """The connection of a terminal that is logged in."""
        return wait_until(lambda: next((one for one in reversed(self.connections) if one.is_online and not one.is_ended),
                                       None), "a terminal logs in", seconds)

    def received(self, identifier: int, since: int = 0) -> list[Message]:
        return [message for message in self.messages[since:] if message.id == identifier]

    def wait_for(self, identifier: int, since: int = 0, seconds: float = 10,
                 condition: Callable[[Message], bool] = lambda message: True) -> Message:
        return wait_until(
            lambda: next((one for one in self.received(identifier, since) if condition(one)), None),
            f"message {identifier:04x}", seconds, 0.001)

    # Commanding.

    def send(self, identifier: int, body: bytes, serial: int | None = None) -> int:
        return self.terminal().send(identifier, body, serial)

    def result_of(self, identifier: int, serial: int, since: int, seconds: float = 10) -> int:
        answer = self.wait_for(
            GENERAL, since, seconds, lambda one: struct.unpack(">HH", one.body[:4]) == (serial, identifier))
        return answer.body[4]

    def command(self, identifier: int, body: bytes, seconds: float = 10) -> int:
        """The result of the terminal's general answer."""
        since = len(self.messages)
        return self.result_of(identifier, self.send(identifier, body), since, seconds)

    def ask(self, identifier: int, body: bytes, answer: int, seconds: float = 10, has_serial: bool = True) -> bytes:
        """The body of a dedicated answer, behind the serial."""
        since = len(self.messages)
        serial = self.send(identifier, body)
        found = self.wait_for(
            answer, since, seconds, lambda one: not has_serial or one.body[:2] == struct.pack(">H", serial))
        return found.body[2:] if has_serial else found.body

    @staticmethod
    def live_body(port: "MediaPort", channel: int, data_type: int = 0, stream: int = 0) -> bytes:
        host = b"127.0.0.1"
        tcp, udp = (0, port.port) if port.is_datagram else (port.port, 0)
        return bytes([len(host)]) + host + struct.pack(">HHBBB", tcp, udp, channel, data_type, stream)

    def open_live(self, port: "MediaPort", channel: int, data_type: int = 0, stream: int = 0) -> int:
        return self.command(0x9101, self.live_body(port, channel, data_type, stream))

    def control_live(self, channel: int, control: int, closes: int = 0, stream: int = 1) -> int:
        # Byte 3 means something for a switch only; platforms leave odd values there.
        return self.command(0x9102, bytes([channel, control, closes, stream]))

    def playback_body(self, port: "MediaPort", channel: int, start: float, end: float | None, mode: int = 0,
                      speed: int = 0, media: int = 0, stream: int = 0) -> bytes:
        host = b"127.0.0.1"
        tcp, udp = (0, port.port) if port.is_datagram else (port.port, 0)
        return (bytes([len(host)]) + host + struct.pack(">HHBBBBBB", tcp, udp, channel, media, stream, 0, mode, speed)
                + bcd_time(start) + bcd_time(end))

    def control_playback(self, channel: int, control: int, speed: int = 0, position: float | None = None) -> int:
        return self.command(0x9202, bytes([channel, control, speed]) + bcd_time(position))

    def close(self) -> None:
        self.stop()


class MediaPort:
    """Takes media connections (or datagrams) and puts together what they bring."""

    def __init__(self, is_datagram: bool = False, sim_bytes: int = 6, reads: bool = True) -> None:
        self.is_datagram = is_datagram
        self.sim_bytes = sim_bytes
        self.reads = reads
        self.streams: list[Media] = []
        self.peers: list[socket.socket] = []
        self.sources: list[tuple[str, int]] = []
        """Where datagrams came from; one for each stream."""
        self.ended = 0
        self.opened_at: list[float] = []
        self.errors: list[str] = []
        self._marks = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if is_datagram else socket.SOCK_STREAM)
        if is_datagram:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        if not is_datagram:
            self._socket.listen()
        threading.Thread(target=self._datagrams if is_datagram else self._accept, daemon=True).start()

    def _datagrams(self) -> None:
        # A port that is free again may be the next stream's.
        sources: dict[tuple[str, int], Media] = {}
        while True:
            try:
                data, source = self._socket.recvfrom(65536)
            except OSError:
                return
            if not data:
                self._marks += 1
                continue
            try:
                packet, end = packet_at(data, 0, self.sim_bytes)
                if packet is None or end != len(data) or len(data) > 984:
                    raise BadFrame(f"a datagram of {len(data)} bytes is not one packet")
            except BadFrame as error:
                self.errors.append(str(error))
                continue
            if source not in sources or packet.sequence == packet.timestamp == 0:
                sources[source] = Media(self.sim_bytes)
                self.opened_at.append(time.monotonic())
                self.sources.append(source)
                self.streams.append(sources[source])
            sources[source].take(packet, time.monotonic())

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.opened_at.append(time.monotonic())
            self.peers.append(peer)
            self.streams.append(Media(self.sim_bytes))
            if self.reads:
                threading.Thread(target=self._read, args=(peer, self.streams[-1]), daemon=True).start()

    def _read(self, peer: socket.socket, media: Media) -> None:
        buffer = b""
        try:
            while data := peer.recv(1 << 18):
                now = time.monotonic()
                buffer += data
                position = 0
                while True:
                    packet, position = packet_at(buffer, position, self.sim_bytes)
                    if packet is None:
                        break
                    media.take(packet, now)
                buffer = buffer[position:]
        except OSError:
            pass
        except BadFrame as error:
            self.errors.append(str(error))
        if buffer:
            self.errors.append(f"{len(buffer)} bytes at the end are no packet")
        self.ended += 1
        peer.close()

    def wait_for_stream(self, number: int = 0, frames: int = 1, seconds: float = 15) -> Media:
        wait_until(lambda: len(self.streams) > number and len(self.streams[number].frames) >= frames,
                   f"{frames} pictures on media connection {number}; {self.errors}", seconds)
        return self.streams[number]

    def catch_up(self) -> None:
        """Until all datagrams are read that came before: a mark of our own, an empty one, stands behind them."""
        marks = self._marks
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        wait_until(lambda: self._marks > marks, "all datagrams read")

    def say(self, sim: str, channel: int, payload_type: int, pieces: list[bytes], interval: float, number: int = -1) -> None:
        """Talks to the device on a media connection, in time."""
        started = time.monotonic()
        for index, piece in enumerate(pieces):
            delay = started + index * interval - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            packet = audio_packet(
                sim, self.sim_bytes, channel, index, int(index * interval * 1000), payload_type, piece)
            if self.is_datagram:
                self._socket.sendto(packet, self.sources[number])
            else:
                self.peers[number].sendall(packet)

    def cut(self, number: int = -1) -> None:
        """Resets a connection."""
        self.peers[number].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.finish(number)

    def finish(self, number: int = -1) -> None:
        try:
            self.peers[number].shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.peers[number].close()

    def check(self) -> None:
        assert not self.errors, self.errors
        for media in self.streams:
            assert not media.mistakes, media.mistakes[:10]
            assert self.is_datagram or not media.lost

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        for peer in self.peers:
            peer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A small fleet platform: takes any terminal and opens its first channel.")
    parser.add_argument("--port", type=int, default=7611)
    arguments = parser.parse_args()
    platform = FleetPlatform(arguments.port)
    print(f"platform: waiting for terminals at 127.0.0.1:{platform.port}", flush=True)
    told: queue.SimpleQueue[str] = queue.SimpleQueue()

    def serve() -> None:
        seen = 0
        port: MediaPort | None = None
        while True:
            if platform.logins > seen:
                seen = platform.logins
                terminal = platform.terminal()
                told.put(f"terminal {terminal.phone} is logged in; opening channel 1")
                port = MediaPort(sim_bytes=10 if terminal.is_2019 else 6)
                told.put(f"0x9101 answered with result {platform.open_live(port, 1)}")
            if port and port.streams:
                media = port.streams[-1]
                told.put(f"channel 1: {len(media.frames)} pictures, {media.key_frames} key pictures, "
                         f"{len(media.audio)} bytes of sound")
            time.sleep(2)

    threading.Thread(target=serve, daemon=True).start()
    try:
        while True:
            print(f"platform: {told.get()}", flush=True)
    except KeyboardInterrupt:
        platform.close()


if __name__ == "__main__":
    main()
