"""Those who talk through the device's speaker, and a speaker that writes down what it plays.

The speaker is ALSA's own `file` plug-in in front of its `null` one: the agent plays through ALSA as it does on a board,
and what it played is a WAV."""

import base64
import json
import os
import socket
import subprocess
import time
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .waiting import wait_until

SPEAKER_RATE = 16000


class Speaker:
    """Give `environment` and `configuration` to an agent; `heard` what it played, once the agent has closed it."""

    def __init__(self, folder: Path, **talk: Any) -> None:
        self.path = folder / "heard.wav"
        file = folder / "asound.conf"
        file.write_text(
            "</usr/share/alsa/alsa.conf>\n"
            f'pcm.wavfile {{ type file slave.pcm {{ type null }} file "{self.path}" format "wav" }}\n')
        self.environment = {"ALSA_CONFIG_PATH": str(file)}
        self.configuration = {"talk": {"speaker": "wavfile", **talk}}

    def heard(self) -> np.ndarray:
        """All samples so far; the header says how many only when the file is closed."""
        data = self.path.read_bytes()[44:]
        return np.frombuffer(data[:len(data) // 2 * 2], "<i2").astype(np.float64)


def tones(frequencies: Iterable[float], seconds: float, rate: int, amplitude: float = 9000) -> np.ndarray:
    """One tone after the other, without a break or a click between them."""
    hertz = np.repeat(np.fromiter(frequencies, float), round(seconds * rate))
    return (amplitude * np.sin(2 * np.pi * np.cumsum(hertz) / rate)).astype("<i2")


def write_wav(path: Path, samples: np.ndarray, rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return path


def encode_flv(wav: Path, flv: Path, rate: int, channels: int = 1) -> Path:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", str(wav), "-c:a", "aac", "-b:a", "64k", "-ar", str(rate), "-ac",
         str(channels), "-flvflags", "no_duration_filesize", str(flv)], check=True, timeout=60)
    return flv


def tone_lengths(samples: np.ndarray, frequencies: Iterable[float], rate: int = SPEAKER_RATE) -> list[float]:
    """How long each tone is heard, in seconds: windows of 10 ms in which most of the energy is that tone's."""
    width = rate // 50
    step = rate // 100
    starts = range(0, len(samples) - width, step)
    window = np.hanning(width)
    frames = np.stack([samples[start:start + width] * window for start in starts])
    energy = (frames ** 2).sum(axis=1) * (window ** 2).sum() / 2
    loud = np.abs(frames).max(axis=1) > 1000
    lengths = []
    for hertz in frequencies:
        carrier = np.exp(-2j * np.pi * hertz * np.arange(width) / rate)
        share = np.abs(frames @ carrier) ** 2 / np.maximum(energy, 1)
        lengths.append(float(np.count_nonzero(loud & (share > 0.75)) * step / rate))
    return lengths


def longest_gap(samples: np.ndarray, rate: int = SPEAKER_RATE) -> float:
    """The longest silence between the first and the last sound, in seconds."""
    loud = np.flatnonzero(np.abs(samples) > 500)
    return float(np.diff(loud).max() / rate) if len(loud) > 1 else 0.0


class Talker:
    """`POST /voice` on a plain socket, in chunks. After `begin` the speaker is open."""

    def __init__(self, port: int, target: str = "/voice?channel=0", visitor: int | None = None,
                 headers: dict[str, str] | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"POST {target} HTTP/1.1", "Host: device", "Transfer-Encoding: chunked"]
        if visitor is not None:
            lines.append(f"X-Visitor: {visitor}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        self.file = self.socket.makefile("rb")
        self.status, self.headers = 0, {}

    def begin(self) -> "Talker":
        self.read_head()
        assert self.status == 200, (self.status, self.file.read())
        return self

    def read_head(self) -> int:
        self.status = int(self.file.readline().split()[1])
        while line := self.file.readline().strip().decode():
            name, value = line.split(":", 1)
            self.headers[name.lower()] = value.strip()
        return self.status

    def send(self, data: bytes) -> None:
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def speak(self, samples: np.ndarray, rate: int, piece: float = 0.02, stall_after: float | None = None,
              stall: float = 0.3) -> None:
        """As fast as it is heard. Nothing is sent for `stall` seconds at `stall_after`, and then all that is due."""
        count = round(piece * rate)
        begin = time.monotonic()
        for start in range(0, len(samples), count):
            due = begin + start / rate
            if stall_after is not None and stall_after <= start / rate < stall_after + stall:
                due = begin + stall_after + stall
            time.sleep(max(0.0, due - time.monotonic()))
            self.send(samples[start:start + count].tobytes())

    def speak_tags(self, flv: bytes, loses: Iterable[int] = ()) -> None:
        """An FLV file, its tags at the times they bear; those whose number is in `loses` get lost."""
        lost = set(loses)
        self.send(flv[:13])
        begin, position, number = time.monotonic(), 13, 0
        while position + 11 <= len(flv):
            size = int.from_bytes(flv[position + 1:position + 4])
            at = int.from_bytes(flv[position + 4:position + 7]) / 1000
            time.sleep(max(0.0, begin + at - time.monotonic()))
            if number not in lost:
                self.send(flv[position:position + size + 15])
            position += size + 15
            number += 1

    def finish(self) -> dict[str, Any]:
        """Ends the body; the answer says how it went."""
        self.socket.sendall(b"0\r\n\r\n")
        return self.report()

    def report(self) -> dict[str, Any]:
        size = int(self.file.readline(), 16)
        body = self.file.read(size)
        self.close()
        return json.loads(body)

    def refusal(self) -> dict[str, Any]:
        self.read_head()
        body = json.loads(self.file.read(int(self.headers["content-length"])))
        self.close()
        return body["error"]

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class WebSocketTalker:
    """The same over a WebSocket: binary messages, and the agent's text messages."""

    def __init__(self, port: int, target: str = "/voice?channel=0") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: device\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        else:
            head += bytes([0x80 | 126]) + len(payload).to_bytes(2)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def receive(self) -> tuple[int, bytes]:
        opcode, length = self.file.read(2)
        if length == 126:
            length = int.from_bytes(self.file.read(2))
        return opcode & 15, self.file.read(length)

    def speak(self, data: bytes, rate: int, piece: int = 641) -> None:
        """In pieces of an odd number of bytes."""
        begin = time.monotonic()
        for start in range(0, len(data), piece):
            time.sleep(max(0.0, begin + start / 2 / rate - time.monotonic()))
            self.send(2, data[start:start + piece])

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def wait_until_free(agent: Any, seconds: float = 5) -> dict[str, Any]:
    return wait_until(lambda: "talk" not in (report := agent.status()["talkback"]) and report, "nobody talks", seconds)
