"""Records what a media service sends, and reads pictures and sound back with ffmpeg."""

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy

from board import Process


class Recorder:
    """Writes a stream as it comes, without decoding, until it is stopped."""

    def __init__(self, address: str, path: Path):
        self.path = path
        self.log_path = path.with_suffix(".log")
        with open(self.log_path, "w") as log:
            self.process = Process(
                ["ffmpeg", "-v", "warning", "-y", "-i", address, "-c", "copy", "-flush_packets", "1", "-f", "flv",
                 path],
                stdout=log, stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        return self.process.is_running

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def stop(self) -> "Recording":
        self.process.stop(signal.SIGINT)
        return Recording(self.path)


class Recording:
    def __init__(self, path: Path):
        self.path = path

    def streams(self) -> dict:
        """By kind ("video", "audio"), what ffprobe says of it."""
        text = self._output(["ffprobe", "-v", "error", "-show_streams", "-of", "json", self.path])
        return {stream["codec_type"]: stream for stream in json.loads(text)["streams"]}

    def decoding_errors(self) -> str:
        """What ffmpeg complains about when it decodes everything; empty if nothing."""
        answer = subprocess.run(
            # In milliseconds, as they are in the file: a camera's times do not lie on the grid of its frame rate.
            ["ffmpeg", "-v", "error", "-xerror", "-i", self.path, "-fps_mode", "passthrough",
             "-enc_time_base", "1:1000", "-f", "null", "-"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
        )
        return answer.stderr if answer.stderr or answer.returncode == 0 else f"status {answer.returncode}"

    def times(self, kind: str) -> numpy.ndarray:
        """Presentation times of the packets in seconds."""
        text = self._output([
            "ffprobe", "-v", "error", "-select_streams", kind[0], "-show_entries", "packet=pts_time",
            "-of", "csv=print_section=0", self.path,
        ])
        return numpy.array([float(line.strip(",")) for line in text.decode().split() if line.strip(",")])

    def starts_with_key_frame(self) -> bool:
        text = self._output([
            "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=flags",
            "-read_intervals", "%+#1", "-of", "csv=print_section=0", self.path,
        ])
        return text.decode().strip().startswith("K")

    def pictures(self, width: int = 64, height: int = 36) -> numpy.ndarray:
        """Every decoded picture, scaled down: [picture, row, column, colour]."""
        raw = self._output([
            "ffmpeg", "-v", "error", "-i", self.path, "-an", "-fps_mode", "passthrough",
            "-vf", f"scale={width}:{height}:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
        ])
        return numpy.frombuffer(raw, numpy.uint8).reshape(-1, height, width, 3)

    def colourfulness(self) -> numpy.ndarray:
        """For every picture the mean difference between its strongest and weakest colour, 0 for a grey one."""
        pictures = self.pictures().astype(int)
        return (pictures.max(axis=3) - pictures.min(axis=3)).mean(axis=(1, 2))

    def sound(self, rate: int) -> numpy.ndarray:
        """Decoded samples of one channel, -1 to 1."""
        raw = self._output(
            ["ffmpeg", "-v", "error", "-i", self.path, "-vn", "-ac", "1", "-ar", str(rate), "-f", "s16le", "-"])
        return numpy.frombuffer(raw, numpy.int16) / 32768

    @staticmethod
    def _output(command: list) -> bytes:
        answer = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        if answer.returncode != 0:
            raise AssertionError(f"{command[0]} failed: {answer.stderr.decode(errors='replace')}")
        return answer.stdout


def peak_frequency(samples: numpy.ndarray, rate: int) -> tuple[float, float]:
    """The strongest frequency in hertz, and its part of the whole energy (0 to 1)."""
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples)))) ** 2
    peak = int(spectrum.argmax())
    width = max(int(5 * len(samples) / rate), 2)
    near = spectrum[max(peak - width, 0):peak + width + 1].sum()
    return peak * rate / len(samples), float(near / max(spectrum.sum(), 1e-12))


def stream_arrives(address: str, folder: Path, timeout: float) -> bool:
    """Whether a reader of the service gets pictures within `timeout` seconds. It tries again where it is sent away."""
    deadline = time.monotonic() + timeout
    attempt = 0
    while time.monotonic() < deadline:
        attempt += 1
        recorder = Recorder(address, folder / f"arrives-{attempt}-{time.monotonic_ns()}.flv")
        try:
            while recorder.is_running and time.monotonic() < deadline:
                if recorder.size() > 10_000:
                    return True
                time.sleep(0.2)
        finally:
            recorder.stop()
    return False
