"""Recordings found, played, sought and downloaded. Tests with a point in their name show that point of the request
grammar's conformance list."""

import datetime
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import flv, media, picture_code
from harness.agent import Agent, synthetic_channel
from harness.recordings import File, Recordings
from harness.viewers import HTTPViewer, StreamEnded, ViewerRefused, _Connection, fetch
from harness.waiting import wait_until

SEGMENT = 10
"""Seconds of a file."""

RECORDED = {
    "channels": [synthetic_channel(recording={"main": {"mode": "continuous"}})],
    "recording": {"segmentSeconds": SEGMENT},
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One agent that records all the while; three files are closed."""
    folder = tmp_path_factory.mktemp("recorded")
    agent = Agent({**RECORDED, "recording": {**RECORDED["recording"], "folder": str(folder)}})
    try:
        Recordings(agent).wait_for_files(3)
        yield agent
    except BaseException:
        print(agent.log()[-20000:])
        raise
    finally:
        agent.remove()


def drain(viewer: HTTPViewer) -> list[flv.Tag]:
    """All tags up to the end of the response."""
    tags = []
    try:
        for tag in viewer.tags():
            tags.append(tag)
    except StreamEnded:
        return tags
    raise AssertionError("unreachable")


def arrivals(viewer: HTTPViewer, seconds: float) -> list[flv.Tag]:
    """What comes within a time."""
    viewer.connection.socket.settimeout(0.1)
    tags, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            tags.append(viewer.tag())
        except TimeoutError:
            continue
    viewer.connection.socket.settimeout(15)
    return [tag for tag in tags if tag.is_picture or tag.is_sound]


# Queries.

def test_point_7_index_and_file_list_agree(recorded: Agent) -> None:
    recordings = Recordings(recorded)
    files = recordings.wait_for_files(3)
    start, end = files[0].start, files[-1].end
    index = recordings.command("get_record_index", start_time=start, end_time=end)["video_list"]
    listed = recordings.command("get_file_list", start_time=start, end_time=end, file_type=0)["file_list"]
    assert [(one["start_time"], one["end_time"]) for one in index] == [
        (one["start_time"], one["end_time"]) for one in listed]
    for one in index:
        assert set(one) == {"type", "start_time", "end_time"}
        assert isinstance(one["type"], int) and isinstance(one["start_time"], str)
    folder = Path(recorded.configuration["recording"]["folder"])
    for one, file in zip(listed, files):
        assert one["file_type"] == "0" and isinstance(one["file_size"], str)
        (path,) = folder.glob(f"*/{one['file_name']}")
        assert path.stat().st_size == int(one["file_size"]) == file.bytes
    assert all(b.start - a.end in (0, 1) for a, b in zip(files, files[1:])), "files adjoin"
    assert recordings.command("get_file_list", start_time=start, end_time=end, file_type=1) == {"file_list": []}
    assert recordings.command("get_record_index", start_time=1, end_time=100) == {"video_list": []}


def test_point_6_days_of_a_month(recorded: Agent) -> None:
    recordings = Recordings(recorded)
    days = {datetime.datetime.fromtimestamp(second) for file in recordings.files() for second in (file.start, file.end)}
    now = datetime.datetime.now()
    mask = sum({1 << (day.day - 1) for day in days if day.month == now.month})
    assert recordings.command("get_month_record", time=now.strftime("%Y%m")) == {"video_list": str(mask)}
    assert recordings.command("get_month_record", time="200002") == {"video_list": "0"}


@pytest.mark.parametrize("text, status", [
    ("action=inner_define&cmd=no_such_thing", "406"), ("action=inner_define", "404"), ("", "404"),
    ("action=inner_define&channel=9&cmd=get_month_record&time=202611", "404"),
    ("action=inner_define&cmd=get_month_record&time=2026", "404"),
    ("action=inner_define&cmd=get_record_index&start_time=9&end_time=5", "404"),
    ("action=inner_define&cmd=playback_pause&_visitor=4711", "404"),
])
def test_wrong_commands_are_answered(recorded: Agent, text: str, status: str) -> None:
    for method, address, body in (("GET", f"/command?{text}", b""), ("POST", "/command", text.encode())):
        if method == "POST" and not body:
            continue
        answer = fetch(recorded.url + address, method=method, body=body)
        assert answer[0] == 200 and answer[2] == b'{"status":"%s"}' % status.encode()


# Playback.

def pictures(tags: list[flv.Tag]) -> list[flv.Tag]:
    return [tag for tag in tags if tag.is_picture]


def test_point_8_playback_to_the_end_across_files(recorded: Agent, tmp_path: Path) -> None:
    recordings = Recordings(recorded, visitor=1)
    first, second = recordings.wait_for_files(3)[:2]
    started = time.monotonic()
    with recordings.play(first.start, second.end - 1) as viewer:
        tags = drain(viewer)
    assert viewer.headers["content-type"] == "video/x-flv"
    elapsed = tags[-1].arrival - started
    span = (tags[-1].timestamp - tags[0].timestamp) / 1000
    assert span > 1.5 * SEGMENT and elapsed > span - 1, "paced in real time, half a second ahead"
    assert pictures(tags)[0].is_key_picture and pictures(tags)[0].timestamp == 0
    assert len([tag for tag in tags if tag.is_video_setup]) == 1, "one stream, not one for each file"
    flv.write_file(tmp_path / "played.flv", tags)
    assert media.decode_messages(tmp_path / "played.flv") == ""
    codes = picture_code.read_codes(tmp_path / "played.flv")
    assert picture_code.missing_pictures(codes) == 0, "each picture once, across the cut"
    times = [tag.timestamp for tag in pictures(tags)]
    assert all(20 <= b - a <= 60 for a, b in zip(times, times[1:])), "time stamps go on across the cut"


def test_playback_begins_with_a_key_picture_anywhere(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=2)
    for file in recordings.wait_for_files(3)[:3]:
        for offset in (0, 3):
            with recordings.play(file.start + offset, file.end) as viewer:
                tags = viewer.read_until(lambda tag: tag.is_picture)
                assert tags[-1].is_key_picture and tags[-1].timestamp == 0
                assert any(tag.is_video_setup for tag in tags)


def test_point_8_wrong_ranges_are_refused(recorded: Agent) -> None:
    recordings = Recordings(recorded)
    file = recordings.wait_for_files(3)[0]
    for start, end in ((file.start, file.start + 4), (file.end, file.start), (1000, 2000)):
        with pytest.raises(ViewerRefused) as refusal:
            recordings.play(start, end)
        assert refusal.value.status == 404
    for query in ("", "&start_time=&end_time=", f"&start_time={file.start}", "&start_time=x&end_time=y",
                  f"&start_time={file.start}&end_time={file.end}&type=77",):
        status, _, _ = fetch(f"{recorded.url}/ipc.flv?action=playback&channel=0{query}")
        assert status == 404, query
    status, _, _ = fetch(f"{recorded.url}/ipc.flv?action=playback&channel=5&start_time={file.start}&end_time={file.end}")
    assert status == 404
    with recordings.play(file.start, file.end) as viewer:
        viewer.read_until(lambda tag: tag.is_picture)


def test_point_9_pause_seek_and_progress(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=3)
    files = recordings.wait_for_files(3)
    start, end = files[0].start, files[2].end
    with recordings.play(start, end) as viewer:
        viewer.read_until(lambda tag: tag.is_picture and tag.timestamp >= 1000)
        assert recordings.command("playback_pause") == {"status": "0"}
        # What was on its way arrives.
        arrivals(viewer, 0.5)
        position = recordings.position()
        assert arrivals(viewer, 3) == [], "nothing comes while it is paused"
        assert recordings.position() == position
        assert recordings.command("playback_seek", progress=4000) == {"status": "0"}
        assert arrivals(viewer, 1) == [] and recordings.position() == 4, "paused still"
        assert recordings.command("playback_resume") == {"status": "0"}
        last = viewer.read_until(lambda tag: tag.is_picture)[-1]
        assert last.is_key_picture
        for parameters, target in (
            ({"progress": 15000}, 15), ({"time": start + 6}, 6), ({"time": "12}"}, 12), ({"progress": 0}, 0),
        ):
            assert recordings.command("playback_seek", **parameters) == {"status": "0"}
            assert abs(recordings.position() - target) <= 2.5, parameters
            tags = viewer.read_until(lambda tag: tag.is_key_picture)
            tags += viewer.read_until(lambda tag: tag.is_picture and tag.timestamp > tags[-1].timestamp + 200)
            times = [tag.timestamp for tag in pictures(tags)]
            assert all(a < b for a, b in zip([last.timestamp, *times], times)), "time stamps go on"
            last = tags[-1]
        assert recordings.command("playback_seek") == {"status": "404"}
        # The end of the range ends the response, also after a seek.
        assert recordings.command("playback_seek", progress=(end - start - 3) * 1000) == {"status": "0"}
        drain(viewer)
    wait_until(lambda: recordings.command("playback_progress") == {"status": "404"}, "no playback, no progress")


def test_point_10_a_seek_before_the_first_frame(recorded: Agent, tmp_path: Path) -> None:
    recordings = Recordings(recorded, visitor=4)
    files = recordings.wait_for_files(3)
    with recordings.play(files[0].start, files[2].end) as viewer:
        assert recordings.command("playback_seek", progress=SEGMENT * 1000 + 5000) == {"status": "0"}
        assert abs(recordings.position() - SEGMENT - 5) < 2.5
        tags = viewer.read_seconds(3)
    assert pictures(tags)[0].is_key_picture


def test_point_16_two_visitors_at_different_places(recorded: Agent) -> None:
    one, other = Recordings(recorded, visitor=5), Recordings(recorded, visitor=6)
    files = one.wait_for_files(3)
    start, end = files[0].start, files[2].end
    with one.play(start, end) as first, other.play(start, end) as second:
        assert other.command("playback_seek", progress=2 * SEGMENT * 1000) == {"status": "0"}
        first.read_seconds(2)
        second.read_until(lambda tag: tag.is_picture)
        assert one.command("playback_pause") == {"status": "0"}
        arrivals(first, 0.5)
        held = one.position()
        second.read_seconds(2)
        assert arrivals(first, 0.5) == []
        assert one.position() == held < SEGMENT / 2
        assert other.position() > 2 * SEGMENT
        assert Recordings(recorded, visitor=7).command("playback_pause") == {"status": "404"}
        assert {viewer["activity"] for viewer in recorded.viewers()} == {"playback"}


def test_a_new_playback_takes_the_old_ones_place(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=8)
    files = recordings.wait_for_files(3)
    with recordings.play(files[0].start, files[2].end) as old:
        old.read_until(lambda tag: tag.is_picture)
        with recordings.play(files[1].start, files[2].end) as new:
            drain(old)
            new.read_until(lambda tag: tag.is_picture)
            assert recordings.position() < SEGMENT


def test_playback_over_a_websocket(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=9)
    file = recordings.wait_for_files(3)[0]
    with recordings.play_websocket(file.start, file.end, visitor=9) as viewer:
        tags = viewer.read_seconds(2)
        assert pictures(tags)[0].is_key_picture
        assert recordings.position() > 0.5, "the same visitor, over another transport"


def test_playback_follows_what_is_being_recorded(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=10)
    recordings.wait_for_files(3)
    now = int(time.time())
    with recordings.play(now - 6, now + 30) as viewer:
        tags = viewer.read_seconds(2 * SEGMENT)
    times = [tag.timestamp for tag in pictures(tags)]
    assert max(b - a for a, b in zip(times, times[1:])) <= 60


def test_only_key_pictures(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=11)
    files = recordings.wait_for_files(3)
    with recordings.play(files[0].start, files[2].end) as viewer:
        viewer.read_until(lambda tag: tag.is_picture)
        assert recordings.command("playback_ff", speed=1) == {"status": "0"}
        arrivals(viewer, 0.5)
        tags = arrivals(viewer, 3)
        assert tags and all(tag.is_key_picture for tag in tags)
        assert recordings.command("playback_ff", speed=0) == {"status": "0"}
        assert any(not tag.is_key_picture for tag in arrivals(viewer, 2))


# Downloads.

def content(agent: Agent, file: File) -> bytes:
    (path,) = Path(agent.configuration["recording"]["folder"]).glob(f"*/{file.name}")
    return path.read_bytes()


def test_point_13_download_whole_and_in_pieces(recorded: Agent, tmp_path: Path) -> None:
    recordings = Recordings(recorded, visitor=20)
    file = recordings.wait_for_files(3)[0]
    wanted = content(recorded, file)
    status, headers, body = recordings.download(file.name)
    assert status == 200 and body == wanted and len(body) == file.bytes
    assert headers["content-type"] == "application/octet-stream"
    (tmp_path / "downloaded.mp4").write_bytes(body)
    assert media.decode_messages(tmp_path / "downloaded.mp4") == ""
    for offset in (1, 4096, len(wanted) // 2 + 1, len(wanted) - 1):
        status, _, body = recordings.download(file.name, offset)
        assert status == 200 and body == wanted[offset:], offset
    status, _, body = recordings.download(file.name, len(wanted))
    assert status == 200 and body == b""
    for offset in (len(wanted) + 1, "x", -1, 2**63, 10**30):
        assert recordings.download(file.name, offset)[0] == 404, offset


def test_point_13_hostile_names(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=21)
    file = recordings.wait_for_files(3)[0]
    names = [
        "", "/etc/passwd", "../../../etc/passwd", "..", ".", "/", file.name + "/..", "../channel-0/" + file.name,
        "channel-0/" + file.name, "/" + file.name, file.name + "\0", file.name + "\0.mp4", file.name.replace("/", "//"),
        file.name.replace("/", "/./"), "a" * 200, "%2e%2e/" + file.name, file.name.upper(), "index.sqlite",
        file.name[:-4], "2026112\u0661/140500-main-1f0c39ab.mp4", "' OR 1=1 --",
    ]
    for name in names:
        status, _, body = recordings.download(name)
        assert status == 404 and len(body) < 1000, name
    for raw in ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%252e%252e/x", "..%2f" + file.name, "%00", "%"):
        status, _, _ = fetch(f"{recorded.url}/ipc.flv?action=download&channel=0&file_name={raw}&offset=0")
        assert status == 404, raw
    status, _, _ = fetch(f"{recorded.url}/ipc.flv?action=download&channel=1&file_name={file.name}")
    assert status == 404, "another channel's"
    encoded = file.name.replace("/", "%2F").replace("-", "%2d")
    status, _, body = fetch(f"{recorded.url}/ipc.flv?action=download&channel=0&file_name={encoded}")
    assert status == 200 and len(body) == file.bytes, "decoded once"


def slow_download(recordings: Recordings, name: str) -> _Connection:
    """One that takes its head and then nothing."""
    return _Connection(recordings.stream_url("download", file_name=name), recordings.headers, 4096, 15)


def test_point_13_a_second_download_cancels_the_first(agent: Callable[..., Agent], tmp_path: Path) -> None:
    channel = synthetic_channel(recording={"main": {"mode": "continuous"}}, main={"bitrate": 8_000_000})
    one = agent({"channels": [channel], "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path)}})
    recordings = Recordings(one, visitor=22)
    file = recordings.wait_for_files(1)[0]
    first = slow_download(recordings, file.name)
    wait_until(lambda: [viewer["activity"] for viewer in one.viewers()] == ["download"], "the first download")
    status, _, body = recordings.download(file.name)
    assert status == 200 and len(body) == file.bytes
    # The first one breaks off; what it has is the file's beginning.
    assert len(first.rest_of_body()) < file.bytes
    # One that breaks off by itself frees its place.
    third = slow_download(recordings, file.name)
    third.socket.close()
    wait_until(lambda: not one.viewers(), "all downloads gone")
    # A file that is deleted while it is read is read to its end.
    last = slow_download(recordings, file.name)
    assert one.edgectl("files", "delete", file.name).returncode == 0
    wait_until(lambda: file.name not in [other.name for other in recordings.files()], "the file gone from the list")
    assert recordings.download(file.name)[0] == 404
    assert len(last.rest_of_body()) == file.bytes


def test_twenty_downloads_while_recording_and_live_lose_no_frame(agent: Callable[..., Agent], tmp_path: Path) -> None:
    one = agent({**RECORDED, "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path / "recorded")}})
    file = Recordings(one).wait_for_files(1)[0]
    wanted = content(one, file)
    before = Recordings(one).files()[-1]
    failures: list[str] = []
    ends = time.monotonic() + 12

    def load(visitor: int) -> None:
        while time.monotonic() < ends:
            status, _, body = Recordings(one, visitor=visitor).download(file.name)
            if status != 200 or body != wanted:
                failures.append(f"visitor {visitor}: {status}, {len(body)} bytes")
                return

    threads = [threading.Thread(target=load, args=(100 + number,)) for number in range(20)]
    with one.viewer() as viewer:
        tags = viewer.read_until(lambda tag: tag.is_picture)
        for thread in threads:
            thread.start()
        tags += viewer.read_seconds(10)
        (live,) = [other for other in one.viewers() if other["activity"] == "live"]
        assert live["framesDropped"] == 0
        flv.write_file(tmp_path / "live.flv", tags)
    for thread in threads:
        thread.join()
    assert not failures
    assert media.decode_messages(tmp_path / "live.flv") == ""
    overruns = one.overruns()
    assert picture_code.missing_pictures(picture_code.read_codes(tmp_path / "live.flv")) <= overruns
    # What was recorded meanwhile has every picture as well.
    closed = wait_until(
        lambda: [other for other in Recordings(one).files()[:-1] if other.start >= before.start][:2], "files", 40)
    codes = []
    for other in closed:
        (path,) = (tmp_path / "recorded").glob(f"*/{other.name}")
        codes += picture_code.read_codes(path)
    assert picture_code.missing_pictures(codes) <= one.overruns()


# The field engineer's way.

def test_edgectl_files_and_record(agent: Callable[..., Agent], tmp_path: Path) -> None:
    channel = synthetic_channel(recording={"main": {"mode": "command"}})
    one = agent({"channels": [channel], "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path / "recorded")}})
    recordings = Recordings(one)
    recordings.wait_for_disk()
    assert "No recorded files" in one.edgectl("files", "list").stdout
    assert "recorded until record stop" in one.edgectl("record", "start").stdout
    wait_until(lambda: one.edgectl("files", "list").stdout.count("recording") == 1, "a file that grows", 20)
    recordings.wait_for_files(1)
    stopped = one.edgectl("record", "stop")
    assert stopped.returncode == 0 and "not recorded on command" in stopped.stdout
    wait_until(lambda: "recording" not in one.edgectl("files", "list").stdout, "nothing grows any more")
    files = recordings.files()
    listed = one.edgectl("files", "list", "--all")
    assert all(file.name in listed.stdout for file in files) and "commanded" in listed.stdout
    name = files[0].name
    assert "protected" in one.edgectl("files", "protect", name).stdout
    assert "protected" not in one.edgectl("files", "protect", name, "--off").stdout
    got = one.edgectl("files", "get", name, "--output", str(tmp_path / "got.mp4"))
    assert got.returncode == 0 and (tmp_path / "got.mp4").read_bytes() == content(one, files[0])
    assert one.edgectl("files", "delete", name).returncode == 0
    missing = one.edgectl("files", "get", name, "--output", str(tmp_path / "none.mp4"))
    assert missing.returncode == 1 and re.search("no recording", missing.stderr)
    assert one.edgectl("record", "start", "--channel", "7").returncode == 1
    assert one.edgectl("record", "start", "--seconds", "0").returncode == 64
