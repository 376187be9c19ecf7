"""Recordings as a viewer gets at them: commands, playback, downloads, over plain HTTP."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .agent import Agent, synthetic_channel
from .viewers import HTTPViewer, WebSocketViewer, fetch
from .waiting import wait_until

SEGMENT = 10
"""Seconds of a file."""

RECORDED: dict[str, Any] = {
    "channels": [synthetic_channel(recording={"main": {"mode": "continuous"}})],
    "recording": {"segmentSeconds": SEGMENT},
}


@dataclass(frozen=True)
class File:
    name: str
    bytes: int
    start: int
    end: int


class Recordings:
    """What one visitor does with an agent's recordings. `visitor` None names none."""

    def __init__(self, agent: Agent, visitor: int | None = None, channel: int = 0) -> None:
        self.agent = agent
        self.channel = channel
        self.headers = {} if visitor is None else {"X-Visitor": str(visitor)}

    def command(self, cmd: str, **parameters: Any) -> dict[str, Any]:
        query = urlencode({"action": "inner_define", "channel": self.channel, "cmd": cmd, **parameters})
        status, headers, body = fetch(f"{self.agent.url}/command?{query}", headers=self.headers)
        assert status == 200 and headers["content-type"] == "application/json", (status, body)
        return json.loads(body)

    def files(self, start: int | None = None, end: int | None = None) -> list[File]:
        now = int(time.time())
        reply = self.command("get_file_list", start_time=start or now - 86400, end_time=end or now + 60, file_type=0)
        return [File(one["file_name"], int(one["file_size"]), int(one["start_time"]), int(one["end_time"]))
                for one in reply["file_list"]]

    def wait_for_files(self, count: int, seconds: float = 60) -> list[File]:
        """So many that are closed; what is being written comes last and is left out."""
        self.wait_for_disk()
        return wait_until(lambda: len(files := self.files()) > count and files[:-1], f"{count} recorded files", seconds,
                          0.2)

    def path(self, file: File) -> Path:
        """Where it lies."""
        (path,) = Path(self.agent.configuration["recording"]["folder"]).glob(f"*/{file.name}")
        return path

    def wait_for_disk(self) -> None:
        """It is put in order first, after a start."""
        wait_until(lambda: "video_list" in self.command("get_month_record", time="200001"), "the disk", 20)

    def position(self) -> float:
        """Seconds from the beginning of the range that is played."""
        reply = self.command("playback_progress")
        assert reply["status"] == "0", reply
        return int(reply["progress"]) / 1000

    def stream_url(self, action: str, **parameters: Any) -> str:
        return f"{self.agent.url}/ipc.flv?{urlencode({'action': action, 'channel': self.channel, **parameters})}"

    def play(self, start: int, end: int, **arguments: Any) -> HTTPViewer:
        return HTTPViewer(self.stream_url("playback", start_time=start, end_time=end), headers=self.headers,
                          **arguments)

    def play_websocket(self, start: int, end: int, visitor: int) -> WebSocketViewer:
        return WebSocketViewer(self.stream_url("playback", start_time=start, end_time=end, _visitor=visitor))

    def download(self, name: str, offset: Any = None, **arguments: Any) -> tuple[int, dict[str, str], bytes]:
        place = {} if offset is None else {"offset": offset}
        return fetch(self.stream_url("download", file_name=name, **place), headers=self.headers, timeout=60,
                     **arguments)
