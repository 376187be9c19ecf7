"""Finds the clicks of the synthetic microphone: 5 ms of 2 kHz at each whole second of the monotonic clock."""

import subprocess
from pathlib import Path

import numpy as np

from . import flv
from .flv import Tag

CLICK_SECONDS = 0.005
CLICK_HERTZ = 2000
SAMPLES_A_FRAME = 1024


def decode(path: Path, rate: int) -> np.ndarray:
    """All sound of a file, one channel, as the decoder gives it: 1024 samples for each AAC frame."""
    result = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-vn", "-ac", "1", "-ar", str(rate), "-f", "f32le",
         "pipe:1"], capture_output=True, timeout=600)
    if result.returncode or result.stderr:
        raise AssertionError(f"ffmpeg could not decode the sound of {path}: {result.stderr.decode()}")
    return np.frombuffer(result.stdout, np.float32)


def click_times(path: Path, rate: int) -> list[float]:
    """Media time of each click's beginning, in milliseconds, where a player would let it be heard."""
    return click_times_of(decode(path, rate), [tag for tag in flv.read_file(path) if tag.is_sound], rate)


def click_times_of(samples: np.ndarray, frames: list[Tag], rate: int) -> list[float]:
    if abs(len(samples) - len(frames) * SAMPLES_A_FRAME) > SAMPLES_A_FRAME:
        raise AssertionError(f"{len(samples)} samples out of {len(frames)} AAC frames")
    # The strength of 2 kHz in each window of a click's length: sharp where the codec's pre-echo blurs an amplitude.
    width = round(CLICK_SECONDS * rate)
    carrier = np.exp(-2j * np.pi * CLICK_HERTZ * np.arange(len(samples)) / rate)
    total = np.concatenate([[0], np.cumsum(samples * carrier)])
    strength = np.abs(total[width:] - total[:-width]) / width
    threshold = max(0.1, 0.5 * float(strength.max(initial=0)))
    times = []
    position = 0
    while position < len(strength):
        above = np.flatnonzero(strength[position:position + rate] > threshold)
        if not len(above):
            position += rate
            continue
        start = position + int(above[0])
        best = start + int(np.argmax(strength[start:start + 4 * width]))
        frame = min(best // SAMPLES_A_FRAME, len(frames) - 1)
        times.append(frames[frame].timestamp + (best - frame * SAMPLES_A_FRAME) * 1000 / rate)
        position = best + rate // 2
    return times
