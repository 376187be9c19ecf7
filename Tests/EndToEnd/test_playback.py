"""Recordings found, played and sought. Tests with a point in their name show that point of the request
grammar's conformance list."""

import datetime
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import flv, media, picture_code
from harness.agent import Agent, noisy_channel, synthetic_channel
from harness.recordings import RECORDED, SEGMENT, Recordings
from harness.viewers import HTTPViewer, StreamEnded, ViewerRefused, fetch
from harness.waiting import wait_until

STALLED = 20
STALLED_BYTES = 4 << 20
"""What one may cost: 1 MiB that is read ahead, and the last batch, as files and again as memory that is not given back."""


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
    for one, file in zip(listed, files):
        assert one["file_type"] == "0" and isinstance(one["file_size"], str)
        assert recordings.path(file).stat().st_size == int(one["file_size"]) == file.bytes
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


def test_commands_of_other_web_sites_are_refused(recorded: Agent) -> None:
    address = f"{recorded.url}/command?action=inner_define&cmd=get_month_record&time=202611"
    assert fetch(address, headers={"Origin": "https://example.org"})[0] == 403
    assert fetch(address, headers={"Origin": recorded.url})[0] == 200


# Playback.

def counters(path: Path) -> list[int]:
    """Of the pictures in a file, in order."""
    return [code.counter for code in picture_code.read_codes(path)]


def pictures(tags: list[flv.Tag]) -> list[flv.Tag]:
    return [tag for tag in tags if tag.is_picture]


def test_point_8_playback_to_the_end_across_files(recorded: Agent, tmp_path: Path) -> None:
    recordings = Recordings(recorded, visitor=1)
    first, second = recordings.wait_for_files(3)[:2]
    started = time.monotonic()
    with recordings.play(first.start, second.end - 1) as viewer:
        tags = drain(viewer)
    assert viewer.headers["content-type"] == "video/x-flv" and viewer.has_ended
    assert media.decode_messages(recordings.stream_url(
        "playback", start_time=first.start, end_time=first.end)) == "", "no player misses anything at the end"
    elapsed = tags[-1].arrival - started
    span = (tags[-1].timestamp - tags[0].timestamp) / 1000
    assert span > 1.5 * SEGMENT and elapsed > span - 1, "paced in real time, half a second ahead"
    assert pictures(tags)[0].is_key_picture and pictures(tags)[0].timestamp == 0
    assert len([tag for tag in tags if tag.is_video_setup]) == 1, "one stream, not one for each file"
    flv.write_file(tmp_path / "played.flv", tags)
    assert media.decode_messages(tmp_path / "played.flv") == ""
    codes = picture_code.read_codes(tmp_path / "played.flv")
    kept = [counter for file in (first, second) for counter in counters(recordings.path(file))]
    played = [code.counter for code in codes]
    assert played == kept[:len(played)] and len(played) > len(kept) * 0.9, "each picture once, across the cut"
    delays = [tag.timestamp - code.capture_time / 1000 for tag, code in zip(pictures(tags), codes, strict=True)]
    assert max(delays) - min(delays) < 5, "time stamps go on across the cut as the capture did"


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
            asked = time.monotonic()
            assert recordings.command("playback_seek", **parameters) == {"status": "0"}
            assert -2.5 <= recordings.position() - target <= 2.5 + time.monotonic() - asked, parameters
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
        asked = time.monotonic()
        assert recordings.command("playback_seek", progress=SEGMENT * 1000 + 5000) == {"status": "0"}
        assert -2.5 <= recordings.position() - SEGMENT - 5 <= 2.5 + time.monotonic() - asked
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
        assert one.position() == held < 2 * SEGMENT < other.position()
        assert Recordings(recorded, visitor=7).command("playback_pause") == {"status": "404"}
        assert {viewer["activity"] for viewer in recorded.viewers()} == {"playback"}


def test_point_16_two_channels_by_one_visitor(agent: Callable[..., Agent], tmp_path: Path) -> None:
    channels = [synthetic_channel(number, recording={"main": {"mode": "continuous"}}, video={"size": "320x180"},
                                  main={"size": "320x180"}) for number in (1, 2)]
    one = agent({"channels": channels, "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path)}})
    first, second = (Recordings(one, visitor=1, channel=number) for number in (1, 2))
    files = [recordings.wait_for_files(1)[0] for recordings in (first, second)]
    assert files[0].name != files[1].name and first.download(files[1].name)[0] == 404, "each channel has its own"
    with first.play(files[0].start, files[0].end) as a, second.play(files[1].start, files[1].end) as b:
        assert second.command("playback_pause") == {"status": "0"}
        a.read_until(lambda tag: tag.is_picture and tag.timestamp > 2000)
        assert first.position() > second.position() == second.position()
        assert {viewer["channel"] for viewer in one.viewers()} == {1, 2}
        assert second.command("playback_resume") == {"status": "0"}
        b.read_until(lambda tag: tag.is_picture and tag.timestamp > 1000)


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


def test_playback_follows_what_is_being_recorded(recorded: Agent, tmp_path: Path) -> None:
    recordings = Recordings(recorded, visitor=10)
    recordings.wait_for_files(3)
    now = int(time.time())
    with recordings.play(now - 6, now + 30) as viewer:
        viewer.save(tmp_path / "played.flv", 2 * SEGMENT)
    played = counters(tmp_path / "played.flv")
    files = wait_until(lambda: (files := recordings.files(now - 6)[:-1]) and files[-1].end > now + 2 * SEGMENT and files,
                       "what was played in closed files", 3 * SEGMENT)
    kept = [counter for file in files for counter in counters(recordings.path(file))]
    first = kept.index(played[0])
    assert played == kept[first:first + len(played)], "each picture once, as it is in the files"


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


def test_a_new_playback_takes_the_old_ones_place_on_a_full_device(
        agent: Callable[..., Agent], tmp_path: Path) -> None:
    one = agent({**RECORDED, "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path)},
                 "server": {"viewerLimit": 1}})
    recordings, stranger = Recordings(one, visitor=1), Recordings(one, visitor=2)
    file = recordings.wait_for_files(1)[0]
    with recordings.play(file.start, file.end) as old:
        with pytest.raises(ViewerRefused) as refusal:
            stranger.play(file.start, file.end)
        assert refusal.value.status == 503
        old.read_until(lambda tag: tag.is_picture)
        with recordings.play(file.start, file.end) as new:
            new.read_until(lambda tag: tag.is_picture)
            assert recordings.download(file.name)[0] == 200, "a visitor takes one place, whatever it does"
            assert stranger.download(file.name)[0] == 503
            # Commands need no place.
            assert stranger.files() and stranger.command("playback_pause") == {"status": "404"}


def test_stalled_playbacks_harm_nobody(agent: Callable[..., Agent], noisy_video: Path, tmp_path: Path) -> None:
    channel = noisy_channel(noisy_video, 4_000_000, recording={"main": {"mode": "continuous"}})
    one = agent({"channels": [channel], "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path)},
                 "server": {"stallSeconds": 5}})
    file = Recordings(one).wait_for_files(2)[0]
    with one.viewer() as live:
        live.read_until(lambda tag: tag.is_picture)
        before = one.resident_bytes()
        stalled = [Recordings(one, visitor=100 + number).play(file.start, file.start + 600, receive_buffer=4096)
                   for number in range(STALLED)]
        most = 0
        # They are sent away; until then what waits for each is bounded.
        ends = time.monotonic() + 60
        while {viewer["activity"] for viewer in one.viewers()} != {"live"}:
            assert time.monotonic() < ends, one.viewers()
            live.read_seconds(0.2)
            most = max(most, one.resident_bytes())
        (report,) = one.viewers()
        assert report["framesDropped"] == 0
        print(f"the agent grew by {(most - before) / 1e6:.2f} MB for {STALLED} stalled playbacks")
        assert most - before <= STALLED * STALLED_BYTES
    for viewer in stalled:
        viewer.close()
    files = Recordings(one).files()
    assert all(b.start - a.end in (0, 1) for a, b in zip(files, files[1:])), "recording went on"
