"""Recorded files downloaded, by viewers and by edgectl. Tests with a point in their name show that point of the request
grammar's conformance list."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from harness import flv, media, picture_code
from harness.agent import Agent, noisy_channel, synthetic_channel
from harness.recordings import RECORDED, SEGMENT, File, Recordings
from harness.viewers import Connection, fetch
from harness.waiting import wait_until


def content(agent: Agent, file: File) -> bytes:
    return Recordings(agent).path(file).read_bytes()


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


def test_a_browser_goes_on_where_it_was_cut_off(recorded: Agent) -> None:
    recordings = Recordings(recorded, visitor=23)
    file = recordings.wait_for_files(3)[0]
    wanted = content(recorded, file)
    tag = recordings.download(file.name)[1]["etag"]

    def part(text: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        address = recordings.stream_url("download", file_name=file.name)
        return fetch(address, headers={**recordings.headers, "Range": text, **headers})

    status, headers, body = part("bytes=1000-")
    assert status == 206 and body == wanted[1000:]
    assert headers["content-range"] == f"bytes 1000-{len(wanted) - 1}/{len(wanted)}"
    assert part("bytes=10-19")[2] == wanted[10:20] and part("bytes=-10")[2] == wanted[-10:]
    assert part("bytes=1000-", **{"If-Range": tag})[0] == 206
    assert part("bytes=1000-", **{"If-Range": '"another"'})[::2] == (200, wanted)
    assert part("bytes=1-2,5-6")[::2] == (200, wanted), "several at once are not told apart"
    assert part(f"bytes={len(wanted)}-")[0] == 416


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


def slow_download(recordings: Recordings, name: str) -> Connection:
    """One that takes its head and then nothing."""
    return Connection(recordings.stream_url("download", file_name=name), recordings.headers, 4096, 15)


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


def test_a_download_takes_its_visitors_place_on_a_full_device(agent: Callable[..., Agent], tmp_path: Path) -> None:
    channel = synthetic_channel(recording={"main": {"mode": "continuous"}}, main={"bitrate": 8_000_000})
    one = agent({"channels": [channel], "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path / "recorded")},
                 "server": {"viewerLimit": 1}})
    recordings = Recordings(one, visitor=1)
    file = recordings.wait_for_files(1)[0]
    first = slow_download(recordings, file.name)
    wait_until(one.viewers, "the first download")
    assert Recordings(one, visitor=2).download(file.name)[0] == 503
    got = one.edgectl("files", "get", file.name, "--output", str(tmp_path / "got.mp4"))
    assert got.returncode == 0 and (tmp_path / "got.mp4").read_bytes() == content(one, file), "whoever commands gets in"
    assert recordings.download(file.name)[2] == content(one, file)
    assert len(first.rest_of_body()) < file.bytes


def test_stalled_downloads_are_sent_away(agent: Callable[..., Agent], noisy_video: Path, tmp_path: Path) -> None:
    channel = noisy_channel(noisy_video, 4_000_000, recording={"main": {"mode": "continuous"}})
    one = agent({"channels": [channel], "recording": {"segmentSeconds": SEGMENT, "folder": str(tmp_path)},
                 "server": {"stallSeconds": 3}})
    file = Recordings(one).wait_for_files(1)[0]
    before = one.resident_bytes()
    stalled = [slow_download(Recordings(one, visitor=100 + number), file.name) for number in range(20)]
    wait_until(lambda: len(one.viewers()) == len(stalled), "all of them")
    # The bytes are the kernel's; a connection costs no more than itself.
    assert one.resident_bytes() - before < 4 << 20
    wait_until(lambda: not one.viewers(), "nobody left", 30)
    for connection in stalled:
        assert len(connection.rest_of_body()) < file.bytes
    assert Recordings(one).download(file.name)[2] == content(one, file)


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
        codes += picture_code.read_codes(Recordings(one).path(other))
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
    order = json.loads(one.edgectl("record", "start", "--seconds", "3600", "--json").stdout)
    assert order["isCommanded"] and abs(order["until"] / 1000 - time.time() - 3600) < 60
    stopped = one.edgectl("record", "stop")
    assert stopped.returncode == 0 and "not recorded on command" in stopped.stdout
    wait_until(lambda: "recording" not in one.edgectl("files", "list").stdout, "nothing grows any more")
    files = recordings.files()
    listed = one.edgectl("files", "list", "--all")
    assert all(file.name in listed.stdout for file in files) and "commanded" in listed.stdout
    name = files[0].name
    listed = json.loads(one.edgectl("files", "list", "--json").stdout)
    (report,) = [other for other in listed if other["name"] == name]
    assert report["bytes"] == files[0].bytes and report["kind"] == "commanded" and not report["isGrowing"]
    assert report["start"] // 1000 == files[0].start and report["end"] // 1000 == files[0].end
    assert one.edgectl("files", "list", "--to", "2020-01-01").stdout.strip() == "No recorded files"
    assert one.edgectl("files", "list", "--from", "yesterday").returncode == 64
    assert "protected" in one.edgectl("files", "protect", name).stdout
    assert json.loads(one.edgectl("files", "protect", name, "--json").stdout)["isProtected"]
    assert "protected" not in one.edgectl("files", "protect", name, "--off").stdout
    got = one.edgectl("files", "get", name, "--output", str(tmp_path / "got.mp4"))
    assert got.returncode == 0 and (tmp_path / "got.mp4").read_bytes() == content(one, files[0])
    assert json.loads(one.edgectl("files", "delete", name, "--json").stdout)["name"] == name
    missing = one.edgectl("files", "get", name, "--output", str(tmp_path / "none.mp4"))
    assert missing.returncode == 1 and "no recording" in missing.stderr and not (tmp_path / "none.mp4").exists()
    for hostile in ("../../etc/passwd", "/etc/passwd", name + "/x", "a b"):
        assert one.edgectl("files", "get", hostile).returncode == 64
    assert one.edgectl("files", "delete", "20200101/000000-main-00000000.mp4").returncode == 1
    assert one.edgectl("record", "start", "--channel", "7").returncode == 1
    assert one.edgectl("record", "start", "--seconds", "0").returncode == 64
