"""Reads back the machine-readable code of the synthetic camera from decoded pictures.

The picture's lowest twelfth is two rows of 48 cells, white for 1. Row 0: a 32-bit frame counter and a CRC-16 of what
both rows say; row 1: the capture time, 48 bits of microseconds of the monotonic clock. A region at the right edge
flashes for the first 80 ms of each second of that clock.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CELLS = 48
FLASH_MICROSECONDS = 80_000
DECODER_ROWS = 8


class UnreadableCode(AssertionError):
    pass


@dataclass(slots=True, frozen=True)
class PictureCode:
    counter: int
    capture_time: int
    """Microseconds of CLOCK_MONOTONIC."""
    flash: bool
    """What the picture shows, not what the time says it should."""

    @property
    def flash_expected(self) -> bool:
        return self.capture_time % 1_000_000 < FLASH_MICROSECONDS


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


def code_bits(counter: int, capture_time: int) -> np.ndarray:
    """The two rows as 0 and 1."""
    data = counter.to_bytes(4, "big") + capture_time.to_bytes(6, "big")
    rows = data[:4] + crc16(data).to_bytes(2, "big") + data[4:]
    return np.unpackbits(np.frombuffer(rows, np.uint8)).reshape(2, CELLS)


def stamp(luma: np.ndarray, counter: int, capture_time: int) -> None:
    """Draws code and flash into a luma plane, as the synthetic camera does."""
    height, width = luma.shape
    bits = code_bits(counter, capture_time)
    columns = np.arange(width) * CELLS // width
    top, middle = height - 2 * height // 24, height - height // 24
    luma[top:middle] = np.where(bits[0, columns], 235, 16)
    luma[middle:] = np.where(bits[1, columns], 235, 16)
    luma[height // 3:2 * height // 3, 5 * width // 6:] = 235 if capture_time % 1_000_000 < FLASH_MICROSECONDS else 16


def write_noisy_file(path: Path, width: int, height: int, pictures: int, frame_rate: int = 25) -> None:
    """A Y4M file with the code on pictures so restless that any bitrate is used up; the counter is the picture's."""
    noise = np.random.default_rng(1)
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{frame_rate}:1 Ip A1:1 C420jpeg\n".encode())
        for counter in range(pictures):
            luma = noise.integers(60, 180, (height // 4, width // 4), np.uint8).repeat(4, 0).repeat(4, 1)
            stamp(luma, counter, counter * 1_000_000 // frame_rate)
            file.write(b"FRAME\n" + luma.tobytes() + bytes([128]) * (width * height // 2))


def parse(strip: np.ndarray) -> tuple[int, int]:
    """Counter and capture time out of a picture's lowest twelfth."""
    height, width = strip.shape
    cell, row = width / CELLS, height / 2
    bits = np.empty((2, CELLS), np.uint8)
    for y in range(2):
        centre = (y + 0.5) * row
        lines = strip[int(centre - row / 4):max(int(centre + row / 4), int(centre - row / 4) + 1)].mean(axis=0)
        for x in range(CELLS):
            left = int((x + 0.5) * cell - cell / 4)
            bits[y, x] = lines[left:max(int((x + 0.5) * cell + cell / 4), left + 1)].mean() > 128
    data = np.packbits(bits).tobytes()
    counter, check, time = data[:4], data[4:6], data[6:]
    if crc16(counter + time) != int.from_bytes(check, "big"):
        raise UnreadableCode(f"check sum of {data.hex(' ')}")
    return int.from_bytes(counter, "big"), int.from_bytes(time, "big")


def picture_size(path: Path) -> tuple[int, int]:
    answer = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0",
         str(path)], capture_output=True, text=True, check=True, timeout=60).stdout.split()[0].split(",")
    return int(answer[0]), int(answer[1])


def missing_pictures(codes: list[PictureCode]) -> int:
    """How many are not there. One that comes twice or goes back is an error."""
    steps = [after.counter - before.counter for before, after in zip(codes, codes[1:])]
    assert all(step > 0 for step in steps), f"a picture came twice: {steps}"
    return sum(step - 1 for step in steps)


def read_codes(path: Path, strict: bool = True) -> list[PictureCode | None]:
    """The codes of all pictures of a file, one for each picture, in order.

    A picture whose code cannot be read is an error, or None where not `strict`.
    """
    width, height = picture_size(path)
    strip = 2 * (height // 24)
    graph = (f"[0:v]split[a][b];[a]crop={width}:{strip}:0:{height - strip}:exact=1,format=gray[c];"
             f"[b]crop={width // 12}:{height // 6}:{width * 7 // 8}:{height * 5 // 12},"
             f"scale={width}:{DECODER_ROWS}:flags=area,format=gray[d];[c][d]vstack")
    process = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-an", "-filter_complex", graph, "-fps_mode",
         "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    codes: list[PictureCode | None] = []
    size = width * (strip + DECODER_ROWS)
    while True:
        data = process.stdout.read(size)
        if len(data) < size:
            break
        picture = np.frombuffer(data, np.uint8).reshape(strip + DECODER_ROWS, width)
        try:
            counter, time = parse(picture[:strip])
            codes.append(PictureCode(counter, time, bool(picture[strip:].mean() > 128)))
        except UnreadableCode as error:
            if strict:
                process.kill()
                raise UnreadableCode(f"picture {len(codes)} of {path}: {error}") from None
            codes.append(None)
    message = process.stderr.read().decode()
    if process.wait(30) or message:
        raise AssertionError(f"ffmpeg could not decode {path}: {message}")
    return codes
