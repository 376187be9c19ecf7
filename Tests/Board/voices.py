"""Sounds for the board to hear and to speak, and what can be measured of them."""

import base64
import io
import wave

import numpy

RATE = 16000


def voice(seed: int, seconds: float, amplitude: float = 6000, pitch: float = 110) -> numpy.ndarray:
    """Something like a voice: pulses and noise through resonances that wander, in syllables. With another seed the same
    speaker says something else; somebody else has another pitch, in hertz."""
    random = numpy.random.default_rng(seed)
    count = int(seconds * RATE)
    time = numpy.arange(count) / RATE
    phase = numpy.cumsum(pitch * (1 + 0.27 * numpy.sin(2 * numpy.pi * 0.7 * time + seed))) / RATE
    source = numpy.where(phase % 1 < 0.1, 1, -0.11) + 0.25 * random.uniform(-1, 1, count)
    sound = numpy.zeros(count)
    for centre, swing, speed, radius, gain in ((500, 250, 1.3, 0.96, 1.0), (1500, 600, 0.9, 0.95, 0.7)):
        hertz = centre + swing * numpy.sin(2 * numpy.pi * speed * time + seed)
        first = 2 * radius * numpy.cos(2 * numpy.pi * hertz / RATE)
        a = b = 0.0
        for index in range(count):
            a, b = source[index] + first[index] * a - radius * radius * b, a
            sound[index] += gain * a
    sound *= numpy.maximum(0, numpy.sin(2 * numpy.pi * 3.1 * time + seed) + 0.35)
    return (sound / numpy.abs(sound).max() * amplitude).astype("<i2")


def tones(frequencies: list[float], seconds: float, amplitude: float = 9000) -> numpy.ndarray:
    hertz = numpy.repeat(numpy.array(frequencies, float), int(seconds * RATE))
    return (amplitude * numpy.sin(2 * numpy.pi * numpy.cumsum(hertz) / RATE)).astype("<i2")


def wav(samples: numpy.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


PIECE = 60_000
"""Bytes."""


def send(board, data: bytes, path: str):
    """A file onto the board, through its shell, in pieces that fit into one command."""
    board.run(f": >{path}")
    for start in range(0, len(data), PIECE):
        text = base64.encodebytes(data[start:start + PIECE]).decode()
        board.run(f"base64 -d >>{path} <<'end'\n{text}end", timeout=60)


def fetch(board, path: str) -> numpy.ndarray:
    """Raw samples of a file on the board."""
    raw = base64.b64decode(board.run(f"base64 {path}", timeout=60))
    return numpy.frombuffer(raw[:len(raw) // 2 * 2], "<i2").astype(float)


def tone_lengths(samples: numpy.ndarray, frequencies: list[float]) -> list[float]:
    """How long each tone is heard, in seconds: windows of 20 ms in which most of the energy is that tone's."""
    width, step = RATE // 50, RATE // 100
    window = numpy.hanning(width)
    frames = numpy.stack([samples[start:start + width] * window for start in range(0, len(samples) - width, step)])
    energy = (frames ** 2).sum(axis=1) * (window ** 2).sum() / 2
    loud = numpy.abs(frames).max(axis=1) > 1000
    lengths = []
    for hertz in frequencies:
        carrier = numpy.exp(-2j * numpy.pi * hertz * numpy.arange(width) / RATE)
        share = numpy.abs(frames @ carrier) ** 2 / numpy.maximum(energy, 1)
        lengths.append(float(numpy.count_nonzero(loud & (share > 0.75)) * step / RATE))
    return lengths


def longest_gap(samples: numpy.ndarray) -> float:
    """The longest silence between the first and the last sound, in seconds."""
    loud = numpy.flatnonzero(numpy.abs(samples) > 500)
    return float(numpy.diff(loud).max() / RATE) if len(loud) > 1 else 0.0


def onset(samples: numpy.ndarray) -> int:
    """The number of the first sample that is sound."""
    loud = numpy.flatnonzero(numpy.abs(samples) > 500)
    assert len(loud), "nothing is heard"
    return int(loud[0])


def decibels(samples: numpy.ndarray, over: numpy.ndarray) -> float:
    return float(10 * numpy.log10(max((samples ** 2).mean(), 1e-12) / max((over ** 2).mean(), 1e-12)))


def alike(part: numpy.ndarray, whole: numpy.ndarray) -> list[tuple[float, float]]:
    """How alike each second of a part is to where it lies in `whole`, 0 to 1, and where that is, in seconds.

    Seconds are looked for one by one, since a player that runs dry delays what follows, and their tenths may lie 2 ms
    before or after: the agent plays by up to 0.3 % faster or slower to keep sound and clock together, which nobody hears,
    but which leaves nothing alike over a whole second."""
    return [_alike(part[start:start + RATE], whole) for start in range(0, len(part) - RATE + 1, RATE)]


def _alike(second: numpy.ndarray, whole: numpy.ndarray) -> tuple[float, float]:
    length, reach = RATE // 10, RATE // 500
    weights, sums = 0.0, numpy.zeros(len(whole) - len(second) + 1)
    for start in range(0, len(second), length):
        piece = second[start:start + length]
        likeness = numpy.pad(_likeness(piece, whole), reach, constant_values=-1)
        widest = numpy.lib.stride_tricks.sliding_window_view(likeness, 2 * reach + 1).max(axis=1)
        weight = numpy.sqrt((piece ** 2).sum())
        weights, sums = weights + weight, sums + weight * widest[start:start + len(sums)]
    place = int(sums.argmax())
    return round(float(sums[place] / weights), 2), round(place / RATE, 3)


def _likeness(part: numpy.ndarray, whole: numpy.ndarray) -> numpy.ndarray:
    """How alike a part is to `whole` at each place, -1 to 1; 0 where there is silence."""
    size = 1 << (len(whole) + len(part)).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(whole, size) * numpy.conj(numpy.fft.rfft(part, size)), size)
    product = product[:len(whole) - len(part) + 1]
    squares = numpy.concatenate([[0], numpy.cumsum(whole ** 2)])
    energy = squares[len(part):] - squares[:-len(part)]
    likeness = product / numpy.sqrt(numpy.maximum(energy * (part ** 2).sum(), 1e-9))
    return numpy.where(energy > len(part), likeness, 0)
