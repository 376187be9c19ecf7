"""JT/T 808 and JT/T 1078 as a platform writes and reads them, from the specification; shares no code with the agent."""

import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
MARKER = b"\x30\x31\x63\x64"
H264, AAC, G711A, G711U = 98, 19, 6, 7
KEY, PREDICTED, BIDIRECTIONAL, AUDIO, PASS_THROUGH = range(5)
WHOLE, FIRST, LAST, MIDDLE = range(4)


def bcd_time(moment: datetime | float | None) -> bytes:
    """Six bytes, UTC+8; None for no bound."""
    if moment is None:
        return bytes(6)
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, CHINA)
    return bytes.fromhex(moment.astimezone(CHINA).strftime("%y%m%d%H%M%S"))


def from_bcd_time(data: bytes) -> datetime:
    return datetime.strptime(data.hex(), "%y%m%d%H%M%S").replace(tzinfo=CHINA)


def escape(content: bytes) -> bytes:
    return b"\x7e" + content.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def checksum(content: bytes) -> int:
    value = 0
    for byte in content:
        value ^= byte
    return value


@dataclass
class Message:
    id: int
    serial: int
    body: bytes
    phone: str
    is_2019: bool
    total: int = 0
    index: int = 0
    time: float = 0.0


class BadFrame(AssertionError):
    pass


def parse(escaped: bytes) -> Message:
    """What stood between two delimiters."""
    content = bytearray()
    position = 0
    while position < len(escaped):
        byte = escaped[position]
        if byte == 0x7D:
            position += 1
            if position >= len(escaped) or escaped[position] not in (1, 2):
                raise BadFrame(f"escape in {escaped.hex()}")
            byte = 0x7C + escaped[position]
        content.append(byte)
        position += 1
    if len(content) < 13 or checksum(content):
        raise BadFrame(f"check sum of {escaped.hex()}")
    data = bytes(content[:-1])
    identifier, properties = struct.unpack(">HH", data[:4])
    is_2019 = bool(properties & 1 << 14)
    if is_2019:
        if data[4] != 1:
            raise BadFrame(f"protocol version {data[4]}")
        phone, rest = data[5:15], data[15:]
    else:
        phone, rest = data[4:10], data[10:]
    (serial,), rest = struct.unpack(">H", rest[:2]), rest[2:]
    total = index = 0
    if properties & 1 << 13:
        (total, index), rest = struct.unpack(">HH", rest[:4]), rest[4:]
    if len(rest) != properties & 0x3FF:
        raise BadFrame(f"length of {escaped.hex()}")
    return Message(identifier, serial, rest, phone.hex(), is_2019, total, index)


def frame(identifier: int, serial: int, phone: str, is_2019: bool, body: bytes, total: int = 0, index: int = 0) -> bytes:
    properties = len(body) | (1 << 14 if is_2019 else 0) | (1 << 13 if total else 0)
    digits = phone.zfill(20 if is_2019 else 12)[-(20 if is_2019 else 12):]
    head = struct.pack(">HH", identifier, properties) + (b"\x01" if is_2019 else b"") + bytes.fromhex(digits)
    head += struct.pack(">H", serial) + (struct.pack(">HH", total, index) if total else b"")
    content = head + body
    return escape(content + bytes([checksum(content)]))


class Splitter:
    def __init__(self) -> None:
        self.buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        self.buffer += data
        parts = self.buffer.split(b"\x7e")
        # Terminals must not share delimiters; what lies between two frames is empty.
        self.buffer = parts[-1] if len(parts) > 1 else self.buffer
        return [part for part in parts[:-1] if part]


@dataclass
class Packet:
    marker: bool
    payload_type: int
    sequence: int
    sim: str
    channel: int
    kind: int
    split: int
    timestamp: int
    since_key: int
    since_frame: int
    data: bytes
    time: float = 0.0

    @property
    def is_video(self) -> bool:
        return self.kind <= BIDIRECTIONAL


def packet_at(data: bytes, position: int, sim_bytes: int) -> tuple[Packet | None, int]:
    """The packet that begins there and where it ends; None where it is not whole yet. Anything else is an error."""
    if len(data) - position < 10 + sim_bytes + 2:
        return None, position
    if data[position:position + 4] != MARKER:
        raise BadFrame(f"no packet at {position}: {data[position:position + 32].hex()}")
    flags, mark, sequence = struct.unpack(">BBH", data[position + 4:position + 8])
    if flags != 0x81:
        raise BadFrame(f"flags {flags:02x}")
    at = position + 8
    sim, at = data[at:at + sim_bytes].hex(), at + sim_bytes
    channel, types, at = data[at], data[at + 1], at + 2
    kind, split = types >> 4, types & 15
    if kind > PASS_THROUGH or split > MIDDLE:
        raise BadFrame(f"types {types:02x}")
    rest = (0 if kind == PASS_THROUGH else 8) + (4 if kind <= BIDIRECTIONAL else 0) + 2
    if len(data) < at + rest:
        return None, position
    timestamp = since_key = since_frame = 0
    if kind != PASS_THROUGH:
        (timestamp,), at = struct.unpack(">Q", data[at:at + 8]), at + 8
    if kind <= BIDIRECTIONAL:
        (since_key, since_frame), at = struct.unpack(">HH", data[at:at + 4]), at + 4
    (length,), at = struct.unpack(">H", data[at:at + 2]), at + 2
    if length > 950:
        raise BadFrame(f"{length} bytes in a packet")
    if len(data) < at + length:
        return None, position
    packet = Packet(bool(mark & 0x80), mark & 0x7F, sequence, sim, channel, kind, split, timestamp, since_key,
                    since_frame, data[at:at + length])
    return packet, at + length


def audio_packet(sim: str, sim_bytes: int, channel: int, sequence: int, timestamp: int, payload_type: int,
                 data: bytes) -> bytes:
    digits = sim.zfill(sim_bytes * 2)[-sim_bytes * 2:]
    return (MARKER + struct.pack(">BBH", 0x81, 0x80 | payload_type, sequence & 0xFFFF) + bytes.fromhex(digits)
            + struct.pack(">BBQH", channel, AUDIO << 4, timestamp, len(data)) + data)


@dataclass
class Media:
    """What one media connection brought, put together again and checked on the way."""

    sim_bytes: int
    video: bytearray = field(default_factory=bytearray)
    audio: bytearray = field(default_factory=bytearray)
    packets: int = 0
    frames: list[tuple[int, int, float]] = field(default_factory=list)
    """Kind, time stamp and arrival of each whole picture."""
    audio_types: set[int] = field(default_factory=set)
    sims: set[str] = field(default_factory=set)
    channels: set[int] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)
    lost: int = 0
    _sequence: int | None = None
    _parts: list[Packet] = field(default_factory=list)
    _last_audio: int = -1
    _last_key: int = -1

    def take(self, packet: Packet, now: float) -> None:
        self.packets += 1
        self.sims.add(packet.sim.lstrip("0"))
        self.channels.add(packet.channel)
        if self._sequence is not None and packet.sequence != self._sequence + 1 & 0xFFFF:
            self.lost += packet.sequence - self._sequence - 1 & 0xFFFF
            self._parts = []
        self._sequence = packet.sequence
        if packet.marker != (packet.split in (WHOLE, LAST)):
            self.mistakes.append(f"mark {packet.marker} with split {packet.split}")
        if packet.kind == AUDIO:
            if packet.timestamp < self._last_audio:
                self.mistakes.append(f"sound at {packet.timestamp} after {self._last_audio}")
            self._last_audio = packet.timestamp
            self.audio_types.add(packet.payload_type)
            self.audio += packet.data
        elif packet.is_video:
            self._video(packet, now)

    def _video(self, packet: Packet, now: float) -> None:
        if packet.payload_type != H264:
            self.mistakes.append(f"payload type {packet.payload_type}")
        if packet.split in (WHOLE, FIRST):
            if self._parts:
                self.mistakes.append("a picture without its end")
            self._parts = []
        elif not self._parts:
            if not self.lost:
                self.mistakes.append("a picture without its beginning")
            return
        if packet.split in (FIRST, MIDDLE) and len(packet.data) != 950:
            self.mistakes.append(f"a piece of {len(packet.data)} bytes")
        self._parts.append(packet)
        if packet.split in (FIRST, MIDDLE):
            return
        parts, self._parts = self._parts, []
        data = b"".join(part.data for part in parts)
        if len({(part.timestamp, part.kind) for part in parts}) != 1:
            self.mistakes.append("pieces of one picture differ")
        if self.frames and packet.timestamp <= self.frames[-1][1]:
            self.mistakes.append(f"a picture at {packet.timestamp} after {self.frames[-1][1]}")
        if not data.startswith(b"\0\0\0\1"):
            self.mistakes.append("no start code of four bytes")
        if packet.kind == KEY:
            self._last_key = packet.timestamp
            types = [unit[0] & 31 for unit in data.split(b"\0\0\0\1") if unit]
            if 7 not in types or 8 not in types or 5 not in types:
                self.mistakes.append(f"a key picture of NAL units {types}")
            if packet.since_key:
                self.mistakes.append("a key picture's own interval")
        elif self._last_key >= 0 and packet.since_key != min(packet.timestamp - self._last_key, 65535):
            self.mistakes.append(f"interval {packet.since_key}, not {packet.timestamp - self._last_key}")
        expected = min(packet.timestamp - self.frames[-1][1], 65535) if self.frames else 0
        if packet.since_frame != expected and not self.lost:
            self.mistakes.append(f"interval {packet.since_frame}, not {expected}")
        self.frames.append((packet.kind, packet.timestamp, now))
        self.video += data

    @property
    def key_frames(self) -> int:
        return sum(1 for kind, _, _ in self.frames if kind == KEY)
