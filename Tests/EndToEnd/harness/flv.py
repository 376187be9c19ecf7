"""A strict FLV reader (Adobe Flash Video File Format Specification 10.1, annex E)."""

import struct
from dataclasses import dataclass
from typing import Any

AUDIO, VIDEO, SCRIPT = 8, 9, 18
MAXIMUM_BODY = 8 << 20


class FLVError(AssertionError):
    pass


@dataclass(slots=True)
class Tag:
    kind: int
    timestamp: int
    """Milliseconds."""
    body: bytes
    arrival: float = 0.0
    """Monotonic time at which the last byte had come, in seconds."""

    @property
    def is_video_setup(self) -> bool:
        return self.kind == VIDEO and self.body[0] & 0x0F == 7 and self.body[1] == 0

    @property
    def is_picture(self) -> bool:
        return self.kind == VIDEO and self.body[0] & 0x0F == 7 and self.body[1] == 1

    @property
    def is_key_picture(self) -> bool:
        return self.is_picture and self.body[0] >> 4 == 1

    @property
    def is_audio_setup(self) -> bool:
        return self.kind == AUDIO and self.body[0] >> 4 == 10 and self.body[1] == 0

    @property
    def is_sound(self) -> bool:
        return self.kind == AUDIO and self.body[0] >> 4 == 10 and self.body[1] == 1

    @property
    def metadata(self) -> dict[str, Any]:
        name, position = read_amf0(self.body, 0)
        if name == "@setDataFrame":
            name, position = read_amf0(self.body, position)
        if name != "onMetaData":
            raise FLVError(f"script tag {name!r} is not onMetaData")
        return read_amf0(self.body, position)[0]

    @property
    def nal_unit_types(self) -> list[int]:
        """Types of the H.264 NAL units of a picture, behind 4-byte lengths."""
        types, position = [], 5
        while position < len(self.body):
            (length,) = struct.unpack_from(">I", self.body, position)
            if length == 0 or position + 4 + length > len(self.body):
                raise FLVError(f"NAL unit of {length} bytes in a body of {len(self.body)}")
            types.append(self.body[position + 4] & 0x1F)
            position += 4 + length
        return types


class Reader:
    """Takes bytes as they come, gives whole tags."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.header: bytes | None = None
        self.has_video = self.has_audio = False

    def feed(self, data: bytes, arrival: float = 0.0) -> list[Tag]:
        self.buffer += data
        tags: list[Tag] = []
        position = 0
        if self.header is None:
            if len(self.buffer) < 13:
                return tags
            if self.buffer[:4] != b"FLV\x01" or self.buffer[5:13] != b"\0\0\0\x09\0\0\0\0":
                raise FLVError(f"not an FLV header: {bytes(self.buffer[:13]).hex(' ')}")
            self.header = bytes(self.buffer[:13])
            self.has_audio = bool(self.header[4] & 4)
            self.has_video = bool(self.header[4] & 1)
            position = 13
        while len(self.buffer) - position >= 11:
            kind = self.buffer[position]
            if kind not in (AUDIO, VIDEO, SCRIPT):
                raise FLVError(f"tag type {kind}")
            length = int.from_bytes(self.buffer[position + 1:position + 4], "big")
            if length > MAXIMUM_BODY:
                raise FLVError(f"tag body of {length} bytes")
            if len(self.buffer) - position < 15 + length:
                break
            low = int.from_bytes(self.buffer[position + 4:position + 7], "big")
            timestamp = self.buffer[position + 7] << 24 | low
            if self.buffer[position + 8:position + 11] != b"\0\0\0":
                raise FLVError("stream id is not 0")
            body = bytes(self.buffer[position + 11:position + 11 + length])
            (previous,) = struct.unpack_from(">I", self.buffer, position + 11 + length)
            if previous != 11 + length:
                raise FLVError(f"PreviousTagSize {previous}, not {11 + length}")
            tags.append(Tag(kind, timestamp, body, arrival))
            position += 15 + length
        del self.buffer[:position]
        return tags


def write_tag(tag: Tag) -> bytes:
    low, high = tag.timestamp & 0xFFFFFF, tag.timestamp >> 24 & 0xFF
    length = len(tag.body)
    return (bytes([tag.kind]) + length.to_bytes(3, "big") + low.to_bytes(3, "big") + bytes([high]) + b"\0\0\0"
            + tag.body + (11 + length).to_bytes(4, "big"))


def write_file(path, tags: list[Tag]) -> None:
    """The tags as a file; time begins at that of the first."""
    kinds = {tag.kind for tag in tags}
    flags = (4 if AUDIO in kinds else 0) | (1 if VIDEO in kinds else 0)
    with open(path, "wb") as file:
        file.write(b"FLV\x01" + bytes([flags]) + b"\0\0\0\x09\0\0\0\0")
        for tag in tags:
            file.write(write_tag(tag))


def read_file(path) -> list[Tag]:
    reader = Reader()
    with open(path, "rb") as file:
        tags = reader.feed(file.read())
    if reader.buffer:
        raise FLVError(f"{len(reader.buffer)} bytes after the last whole tag")
    return tags


def read_amf0(data: bytes, position: int) -> tuple[Any, int]:
    """One AMF0 value and the position behind it (AMF0 specification, section 2)."""
    marker, position = data[position], position + 1
    if marker == 0:
        return struct.unpack_from(">d", data, position)[0], position + 8
    if marker == 1:
        return bool(data[position]), position + 1
    if marker == 2:
        (length,) = struct.unpack_from(">H", data, position)
        return data[position + 2:position + 2 + length].decode(), position + 2 + length
    if marker in (3, 8):
        if marker == 8:
            position += 4
        pairs: dict[str, Any] = {}
        while True:
            (length,) = struct.unpack_from(">H", data, position)
            key = data[position + 2:position + 2 + length].decode()
            position += 2 + length
            if not key and data[position] == 9:
                return pairs, position + 1
            pairs[key], position = read_amf0(data, position)
    if marker in (5, 6):
        return None, position
    if marker == 10:
        (count,) = struct.unpack_from(">I", data, position)
        position += 4
        values = []
        for _ in range(count):
            value, position = read_amf0(data, position)
            values.append(value)
        return values, position
    raise FLVError(f"AMF0 marker {marker}")


def write_amf0(value: Any) -> bytes:
    if value is None:
        return b"\x05"
    if isinstance(value, bool):
        return b"\x01" + bytes([value])
    if isinstance(value, (int, float)):
        return b"\x00" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"\x02" + struct.pack(">H", len(value.encode())) + value.encode()
    if isinstance(value, dict):
        pairs = b"".join(struct.pack(">H", len(key)) + key.encode() + write_amf0(v) for key, v in value.items())
        return b"\x03" + pairs + b"\0\0\x09"
    raise TypeError(f"{value!r}")
