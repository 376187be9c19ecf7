"""QEMU's own control channel: what happened to the machine, and what happens to it next."""

import json
import socket
import threading
import time
from pathlib import Path


class QMPError(Exception):
    """What QEMU refused."""


class QMP:
    """Connects when made. Events are collected from then on, each with the time.monotonic() of its arrival."""

    TIMEOUT = 30

    def __init__(self, path: Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(self.TIMEOUT)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")
        self._changed = threading.Condition()
        self._events: list[tuple[float, dict]] = []
        self._answers: list[dict] = []
        self._ended = False
        self._lines.readline()
        self._socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()
        self.execute("qmp_capabilities")

    def _read(self):
        try:
            for line in self._lines:
                message = json.loads(line)
                with self._changed:
                    if "event" in message:
                        self._events.append((time.monotonic(), message))
                    else:
                        self._answers.append(message)
                    self._changed.notify_all()
        except (OSError, ValueError):
            pass
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def execute(self, command: str, **arguments) -> dict:
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._ended, self.TIMEOUT)
            if not self._answers:
                raise QMPError(f"QEMU did not answer to {command}")
            answer = self._answers.pop(0)
        if "error" in answer:
            raise QMPError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def count(self, event: str) -> int:
        """How often it happened so far, for `wait_for`."""
        with self._changed:
            return len(self._named(event))

    def wait_for(self, event: str, after: int, timeout: float) -> dict:
        """The event that follows the first `after` ones of its name."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._named(event)) > after or self._ended, timeout):
                raise QMPError(f"no {event} within {timeout:g} s")
            if len(self._named(event)) <= after:
                raise QMPError(f"QEMU ended before {event}")
            return self._named(event)[after]

    def _named(self, event: str) -> list[dict]:
        return [message for _, message in self._events if message["event"] == event]

    def close(self):
        self._socket.close()
