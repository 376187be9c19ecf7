"""What ffmpeg's tools say about a file or stream."""

import json
import subprocess
from pathlib import Path
from typing import Any


def probe(source: Path | str) -> dict[str, dict[str, Any]]:
    """ffprobe's view: `video` and `audio`, whichever are there."""
    result = subprocess.run(
        ["ffprobe", "-v", "error", "-rw_timeout", "15000000", "-show_streams", "-of", "json", str(source)]
        if str(source).startswith(("rtmp:", "http:")) else
        ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(source)],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return {stream["codec_type"]: stream for stream in json.loads(result.stdout)["streams"]}


def file_seconds(source: Path) -> float:
    """How long ffprobe believes a file to be."""
    result = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(source)],
        capture_output=True, text=True, timeout=60, check=True)
    return float(result.stdout)


def decode_messages(source: Path | str, seconds: float | None = None) -> str:
    """What a strict decode of all of it complains about: nothing, if all is well."""
    limit = ["-t", str(seconds)] if seconds else []
    result = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-i", str(source), *limit, "-map", "0", "-f", "null", "-"],
        capture_output=True, text=True, timeout=(seconds or 600) + 120)
    return result.stderr + (f"exit status {result.returncode}" if result.returncode else "")
