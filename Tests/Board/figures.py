"""What a full run measured, kept in Benchmarks/ with the date and the versions."""

import datetime
import json
import os
import platform
from pathlib import Path

from board import REPOSITORY


class Figures:
    def __init__(self):
        self._sections: dict[str, dict] = {}

    def section(self, name: str) -> dict:
        """Becomes Benchmarks/NAME.json."""
        return self._sections.setdefault(name, {})

    def text(self) -> str:
        return json.dumps(self._sections, indent=1)

    def save(self, versions: dict):
        for name, section in self._sections.items():
            path = REPOSITORY / "Benchmarks" / f"{name}.json"
            # A run of some tests leaves the figures of the others.
            content = json.loads(path.read_text()) if path.exists() else {}
            content |= {"machine": {**self._machine(), **versions}, **section}
            path.write_text(json.dumps(content, indent=1) + "\n")

    @staticmethod
    def _machine() -> dict:
        model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.machine())
        return {
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
        }
