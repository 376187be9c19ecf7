"""Recording by the real agent: what lies on the disk afterwards, judged by ffmpeg and Chromium."""

import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.agent import Agent, synthetic_channel
from harness.archive import OPEN, Archive
from harness.flv import Tag
from harness.media import decode_messages, file_seconds, probe
from harness.picture_code import PictureCode, missing_pictures, read_codes
from harness.viewers import fetch
from harness.waiting import wait_until
from playwright.sync_api import Page


def small_channel(**changes: Any) -> dict[str, Any]:
    """Cheap to encode, a key frame each half second, recorded all the while."""
    return synthetic_channel(
        **{"video": {"size": "320x180"},
           "main": {"size": "320x180", "bitrate": 400000, "keyFrameInterval": 0.5},
           "recording": {"main": {"mode": "continuous"}}} | changes)


def recording(folder: Path, **changes: Any) -> dict[str, Any]:
    """Into a folder of the test's own."""
    return {"channels": [small_channel()], "recording": {"folder": str(folder), "segmentSeconds": 2}} | changes


def disk_when_ready(agent: Agent) -> dict[str, Any]:
    """The disk's status once it is open; the agent is ready before that."""
    return wait_until(lambda: (disk := agent.status()["recording"]["disk"])["state"] == "ready" and disk,
                      "the recording disk is open")


def is_steady(pictures: list[Tag]) -> bool:
    """25 a second."""
    return {after.timestamp - before.timestamp for before, after in zip(pictures, pictures[1:])} <= {39, 40, 41}


def codes_of(archive: Archive) -> list[PictureCode]:
    return [code for row in archive.rows() for code in read_codes(archive.path(row)) if code]


def test_files_are_ordinary_and_hold_each_picture_once(
        agent: Callable[..., Agent], tmp_path: Path, page: Page) -> None:
    one = agent(recording(tmp_path))
    archive = Archive(tmp_path)
    wait_until(lambda: len(archive.closed()) >= 4, "four files", 30)
    status = one.status()["recording"]
    assert status["disk"]["state"] == "ready"
    assert [(stream["state"], stream["framesLost"]) for stream in status["streams"]] == [("recording", 0)]
    assert "recording" in one.edgectl("status").stdout
    not_encoded = one.overruns()
    assert one.terminate()[0] == 0, one.log()

    rows = archive.audit()
    assert archive.gaps() == []
    for row, after in zip(rows, rows[1:]):
        assert row.end == after.start, "files adjoin to the millisecond"
    for row in rows:
        path = archive.path(row)
        assert decode_messages(path) == ""
        assert abs(file_seconds(path) - (row.end - row.start) / 1000) < 0.1, "sound ends up to a frame later"
        streams = probe(path)
        assert abs(float(streams["video"]["duration"]) - (row.end - row.start) / 1000) < 0.045
        assert streams["audio"]["codec_name"] == "aac"
    codes = codes_of(archive)
    assert missing_pictures(codes) <= not_encoded and len(codes) > 150

    # A plain video element plays it, to its end, and seeks in it.
    path = archive.path(rows[1])
    player = tmp_path / "player.html"
    player.write_text(f'<video src="{path.relative_to(tmp_path)}" muted></video>')
    page.goto(player.as_uri())
    page.wait_for_function("() => document.querySelector('video').readyState >= 4")
    length = page.evaluate("() => document.querySelector('video').duration")
    assert abs(length - file_seconds(path)) < 0.1
    page.evaluate("() => document.querySelector('video').play()")
    page.wait_for_function("() => document.querySelector('video').ended")
    page.evaluate("() => { document.querySelector('video').currentTime = 1; }")
    page.wait_for_function("""() => { const video = document.querySelector('video');
        return !video.seeking && video.readyState >= 2 && Math.abs(video.currentTime - 1) < 0.01; }""")


def test_a_file_cut_anywhere_plays_after_the_next_start(
        agent: Callable[..., Agent], tmp_path: Path, full: bool) -> None:
    """Copies of one unfinished file, cut at arbitrary bytes, as a crash may leave them."""
    configuration = recording(tmp_path)
    configuration["recording"]["segmentSeconds"] = 3600
    one = agent(configuration)
    archive = Archive(tmp_path)
    growing = wait_until(lambda: [row for row in archive.rows() if row.state == OPEN], "a file", 20)[0]
    wait_until(lambda: archive.path(growing).stat().st_size > 250_000, "some seconds in it", 30)
    one.process.kill()
    one.process.wait()
    content = archive.path(growing).read_bytes()
    day = archive.path(growing).parent
    chance = random.Random(20261121)
    lengths = sorted(chance.randrange(len(content)) for _ in range(200 if full else 15))
    for number, length in enumerate(lengths):
        (day / f"000000-main-{number:08x}.mp4").write_bytes(content[:length])

    two = agent(configuration, folder=one.folder, port=one.port)
    recovery = disk_when_ready(two)["recovery"]
    assert two.terminate()[0] == 0
    assert not recovery["wasClean"] and recovery["closed"] == 1
    archive.audit()
    whole = read_codes(archive.path(growing))
    counts = []
    for number, length in enumerate(lengths):
        path = day / f"000000-main-{number:08x}.mp4"
        if not path.exists():
            assert not counts, "only what has no whole fragment goes"
            continue
        assert decode_messages(path) == ""
        codes = read_codes(path)
        assert codes == whole[:len(codes)]
        counts.append(len(codes))
    assert recovery["adopted"] == len(counts) and recovery["removed"] == len(lengths) - len(counts)
    assert counts == sorted(counts) and len(set(counts)) > 4


def test_nothing_is_recorded_unless_it_is_configured(agent: Callable[..., Agent], tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    one = agent({"recording": {"folder": str(folder)}})
    assert "recording" not in one.status()
    assert one.edgectl("record", "start").returncode == 1
    assert "Recordings" not in one.edgectl("status").stdout
    assert one.terminate()[0] == 0
    assert not folder.exists()


def test_recording_is_switched_by_a_reload(agent: Callable[..., Agent], tmp_path: Path) -> None:
    """And the channel's viewers notice nothing."""
    off = recording(tmp_path, channels=[small_channel(recording={"main": {"mode": "off"}})])
    one = agent(off)
    archive = Archive(tmp_path)
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        one.write_configuration(recording(tmp_path))
        one.signal(signal.SIGHUP)
        wait_until(lambda: len(archive.closed()) >= 1, "a file", 20)
        one.write_configuration(off)
        one.signal(signal.SIGHUP)
        wait_until(lambda: one.status()["recording"]["streams"] == [], "nothing is recorded any more")
        pictures = [tag for tag in viewer.read_seconds(1) if tag.is_picture]
        assert is_steady(pictures) or one.overruns()
    assert archive.audit()
    assert missing_pictures(codes_of(archive)) <= one.overruns()


def test_both_streams_and_the_metrics(agent: Callable[..., Agent], tmp_path: Path) -> None:
    channel = small_channel(
        sub={"size": "160x90", "frameRate": 25, "preset": "ultrafast", "bitrate": 100000, "keyFrameInterval": 0.5},
        recording={"main": {"mode": "continuous"}, "sub": {"mode": "command", "preRoll": 1}})
    one = agent(recording(tmp_path, channels=[channel]))
    archive = Archive(tmp_path)
    disk_when_ready(one)
    states = {stream["stream"]: stream["state"] for stream in one.status()["recording"]["streams"]}
    assert states["sub"] == "buffering"
    wait_until(lambda: archive.closed(), "a file of the main stream", 20)
    assert one.edgectl("record", "start", "--stream", "sub").returncode == 0
    wait_until(lambda: [row for row in archive.closed() if row.stream == 1], "a file of the sub stream", 20)
    text = fetch(f"{one.url}/metrics")[2].decode()
    metrics = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    for stream in ("main", "sub"):
        labels = f'{{channel="0",stream="{stream}"}}'
        assert metrics[f"edge_agent_recording_active{labels}"] == "1"
        for name in ("frames", "media_bytes", "file_bytes"):
            assert int(metrics[f"edge_agent_recording_{name}_total{labels}"]) > 0
    assert metrics['edge_agent_recording_disk_state{state="ready"}'] == "1"
    assert one.terminate()[0] == 0
    archive.audit()


def test_a_disk_that_goes_and_comes_back(agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Live goes on, nothing is written in the disk's place, and recording resumes by itself."""
    folder = tmp_path / "disk"
    one = agent(recording(folder))
    archive = Archive(folder)
    wait_until(lambda: archive.closed(), "a file", 20)
    away = tmp_path / "away"
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        folder.rename(away)
        folder.mkdir()
        wait_until(lambda: one.status()["recording"]["disk"]["state"] == "missing", "it is noticed")
        assert one.status()["recording"]["streams"][0]["state"] == "diskAway"
        assert "not there" in one.edgectl("status").stdout
        pictures = [tag for tag in viewer.read_seconds(2) if tag.is_picture]
        assert is_steady(pictures) or one.overruns()
        assert list(folder.iterdir()) == [], "nothing is written in its place"
        folder.rmdir()
        away.rename(folder)
        wait_until(lambda: one.status()["recording"]["streams"][0]["state"] == "recording", "it goes on", 15)
    closed = len(archive.closed())
    wait_until(lambda: len(archive.closed()) > closed, "another file", 20)
    assert one.terminate()[0] == 0
    archive.audit()
    assert [cause for _, _, cause in archive.gaps()] == ["diskAway"]
    assert all(decode_messages(archive.path(row)) == "" for row in archive.rows())
    lines = [line for line in one.log().splitlines() if "nothing is recorded" in line]
    assert len(lines) == 1, "one line for the change, not one for each attempt"


def test_a_small_disk_is_never_full(agent: Callable[..., Agent], tmp_path: Path, full: bool, noisy_video: Path) -> None:
    """A file system of its own, filled several times over."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    megabytes = 200 if full else 16
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(tmp_path)])
    if mount.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        channel = synthetic_channel(
            video={"source": "file", "file": str(noisy_video), "size": "640x360"}, overlay=False,
            main={"size": "640x360", "bitrate": None, "quality": 4, "keyFrameInterval": 0.5},
            recording={"main": {"mode": "continuous"}})
        configuration = recording(tmp_path, channels=[channel])
        configuration["recording"] |= {"segmentSeconds": 1, "requiresMount": True}
        one = agent(configuration)
        archive = Archive(tmp_path)
        with one.viewer() as viewer:
            viewer.read_until(lambda tag: tag.is_key_picture)

            def rounds() -> bool:
                viewer.read_seconds(0.2)
                recording = one.status()["recording"]
                assert recording["disk"]["state"] == "ready"
                assert recording["streams"][0]["framesLost"] == 0
                assert shutil.disk_usage(tmp_path).free > 1 << 20
                return recording["streams"][0]["fileBytes"] > 2 * (megabytes << 20)
            wait_until(rounds, "the disk filled twice over", 900, 0)
            assert [other["framesDropped"] for other in one.viewers()] == [0]
        status = one.status()["recording"]
        assert status["disk"]["deletedSegments"] > 0
        assert one.terminate()[0] == 0
        rows = archive.audit()
        assert rows[0].id > 1, "the oldest has gone"
        assert [row.id for row in rows] == list(range(rows[0].id, rows[-1].id + 1)), "and nothing else"
        assert sum(row.size for row in rows) > (megabytes - 8) * 0.5 * (1 << 20), "and not more than needed"
        assert decode_messages(archive.path(rows[0])) == "" and archive.gaps() == []
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
