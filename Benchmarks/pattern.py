"""The synthetic camera's picture and microphone's sound for a peer, in real time through pipes.

Bars, a moving box, the flash, and the code with counter and capture time. Each picture is drawn before its time, so the
peer is charged for none of the drawing; the agent's own camera draws after the capture time.
"""

import fcntl
import os
import threading
import time

import numpy as np
from harness import picture_code

BARS = [(180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114)]


class PatternFeeder:
    def __init__(self, width: int, height: int, frame_rate: int, sound_rate: int | None) -> None:
        self.width, self.height, self.frame_rate, self.sound_rate = width, height, frame_rate, sound_rate
        self.video_output, self._video_input = self._pipe()
        self.sound_output, self._sound_input = self._pipe() if sound_rate else (-1, -1)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._feed_video, daemon=True)]
        if sound_rate:
            self._threads.append(threading.Thread(target=self._feed_sound, daemon=True))
        planes = [np.empty((height, width), np.uint8), *(np.empty((height // 2, width // 2), np.uint8) for _ in "uv")]
        for index, bar in enumerate(BARS):
            for plane, value in zip(planes, bar):
                columns = plane.shape[1]
                plane[:, index * columns // len(BARS):(index + 1) * columns // len(BARS)] = value
        self._luma, self._chroma = planes[0], planes[1].tobytes() + planes[2].tobytes()

    @staticmethod
    def _pipe() -> tuple[int, int]:
        output, source = os.pipe()
        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, 1 << 20)
        return output, source

    def start(self) -> None:
        """Once the peer has the ends it reads."""
        os.close(self.video_output)
        if self.sound_rate:
            os.close(self.sound_output)
        self._start = time.monotonic_ns() // 1_000_000_000 * 1_000_000_000 + 1_000_000_000
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(5)

    def _picture(self, counter: int, nanoseconds: int) -> bytes:
        luma = self._luma.copy()
        side = self.height // 6
        path = self.width - side
        phase = nanoseconds // 1_000_000 % 8000
        x = (phase if phase < 4000 else 8000 - phase) * path // 4000
        luma[(self.height - side) // 2:(self.height + side) // 2, x:x + side] = 235
        picture_code.stamp(luma, counter, nanoseconds // 1000)
        return luma.tobytes() + self._chroma

    def _wait(self, nanoseconds: int) -> None:
        rest = nanoseconds - time.monotonic_ns()
        if rest > 0:
            time.sleep(rest / 1e9)

    def _feed_video(self) -> None:
        counter = 0
        try:
            while not self._stopped.is_set():
                due = self._start + counter * 1_000_000_000 // self.frame_rate
                picture = memoryview(self._picture(counter, due))
                self._wait(due)
                while picture:
                    picture = picture[os.write(self._video_input, picture):]
                counter += 1
        except OSError:
            pass
        finally:
            os.close(self._video_input)

    def _feed_sound(self) -> None:
        rate, position = self.sound_rate or 1, 0
        count = rate // 50
        try:
            while not self._stopped.is_set():
                seconds = (self._start / 1e9) % 1 + (position + np.arange(count)) / rate
                within = seconds % 1
                samples = np.where(within < 0.005, 23000 * np.sin(2 * np.pi * 2000 * within),
                                   1600 * np.sin(2 * np.pi * 440 * within)).astype("<i2").tobytes()
                position += count
                self._wait(self._start + position * 1_000_000_000 // rate)
                os.write(self._sound_input, samples)
        except OSError:
            pass
        finally:
            os.close(self._sound_input)
