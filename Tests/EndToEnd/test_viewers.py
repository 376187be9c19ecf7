"""What a viewer gets over HTTP-FLV and WebSocket, and what it is told when it gets nothing."""

import contextlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from harness import flv, media, picture_code
from harness.agent import synthetic_channel
from harness.viewers import ViewerRefused, fetch, fetch_json
from harness.waiting import wait_until

WITH_SUB = {"sub": {"size": "640x360", "frameRate": 25, "preset": "ultrafast", "bitrate": 500000}}


def check_beginning(tags: list[flv.Tag]) -> None:
    """Metadata, both set-ups, and a key picture, all at time 0 (and nothing of sound before the pictures' set-up)."""
    assert tags[0].kind == flv.SCRIPT
    setups = [i for i, tag in enumerate(tags) if tag.is_video_setup]
    first = next(i for i, tag in enumerate(tags) if tag.is_picture)
    assert setups and setups[0] < first
    assert next(i for i, tag in enumerate(tags) if tag.is_audio_setup) < first
    assert tags[first].is_key_picture and 5 in tags[first].nal_unit_types
    assert tags[first].timestamp == 0
    metadata = tags[0].metadata
    assert metadata["videocodecid"] == 7 and metadata["audiocodecid"] == 10
    assert metadata["hasVideo"] is True and metadata["hasAudio"] is True


def check_order(tags: list[flv.Tag]) -> None:
    """Times rise within each track, and a key picture is what its flag says."""
    for is_kind in (lambda tag: tag.is_picture, lambda tag: tag.is_sound):
        times = [tag.timestamp for tag in tags if is_kind(tag)]
        assert all(a < b for a, b in zip(times, times[1:]))
    assert all(tag.is_key_picture == (5 in tag.nal_unit_types) for tag in tags if tag.is_picture)


def check_probe(path: Path, width: int, height: int, rate: int = 16000) -> None:
    streams = media.probe(path)
    assert streams["video"]["codec_name"] == "h264"
    assert (streams["video"]["width"], streams["video"]["height"]) == (width, height)
    assert streams["video"]["has_b_frames"] == 0
    assert streams["audio"]["codec_name"] == "aac"
    assert int(streams["audio"]["sample_rate"]) == rate
    assert streams["audio"]["channels"] == 1


@pytest.mark.parametrize("transport", ["http", "websocket"])
def test_stream(agent, tmp_path: Path, full: bool, transport: str) -> None:
    one = agent()
    viewer = one.viewer() if transport == "http" else one.websocket()
    with viewer:
        tags = viewer.save(tmp_path / "live.flv", 60 if full else 12)
        report, overruns = one.viewers(), one.overruns()
    check_beginning(tags)
    check_order(tags)
    assert tags[0].metadata["width"] == 1280 and tags[0].metadata["height"] == 720
    assert tags[0].metadata["framerate"] == 25
    check_probe(tmp_path / "live.flv", 1280, 720)
    assert media.decode_messages(tmp_path / "live.flv") == ""
    # Each picture once; only what an overloaded encoder let go, and counted, may be missing.
    assert picture_code.missing_pictures(picture_code.read_codes(tmp_path / "live.flv")) <= overruns
    assert report[0]["transport"] == transport and report[0]["channel"] == 0 and report[0]["stream"] == "main"
    assert report[0]["framesDropped"] == 0
    keys = [tag.timestamp for tag in tags if tag.is_key_picture]
    assert all(b - a == pytest.approx(2000, abs=2) for a, b in zip(keys, keys[1:]))


def test_http_answer_is_what_players_expect(agent) -> None:
    with agent().viewer() as viewer:
        assert viewer.headers["content-type"] == "video/x-flv"
        assert "no-cache" in viewer.headers["cache-control"] and "no-store" in viewer.headers["cache-control"]
        viewer.read_until(lambda tag: tag.is_key_picture)
        assert viewer.reader.has_audio and viewer.reader.has_video


def test_websocket_frames_hold_one_tag_each(agent) -> None:
    with agent().websocket() as viewer:
        tags = viewer.read_seconds(3)
        # The first message holds the header, the metadata and the set-ups.
        head = [tag for tag in tags if not tag.is_picture and not tag.is_sound]
        assert viewer.frames[0] == 13 + sum(15 + len(tag.body) for tag in head)
        frames = [15 + len(tag.body) for tag in tags if tag.is_picture or tag.is_sound]
        assert viewer.frames[1:1 + len(frames)] == frames


def test_websocket_answers_ping_and_close(agent) -> None:
    one = agent()
    with one.websocket() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        viewer.send_frame(9, b"are you there")
        viewer.read_seconds(0.5)
        viewer.send_frame(8, b"\x03\xe8")
        with pytest.raises(AssertionError, match="1000|closed"):
            viewer.read_until(lambda _: False)
    wait_until(lambda: one.viewers() == [], "the viewer is gone")


def test_late_viewer_starts_at_a_key_picture(agent, tmp_path: Path) -> None:
    one = agent()
    with one.viewer() as first:
        # In the middle of a group of pictures.
        first.read_until(lambda tag: tag.is_key_picture)
        first.read_until(lambda tag: tag.is_picture and not tag.is_key_picture and tag.timestamp % 2000 >= 1000)
        with one.viewer() as late:
            tags = late.save(tmp_path / "late.flv", 3)
    check_beginning(tags)
    assert media.decode_messages(tmp_path / "late.flv") == ""
    assert picture_code.missing_pictures(picture_code.read_codes(tmp_path / "late.flv")) <= one.overruns()


def test_qualities(agent, tmp_path: Path) -> None:
    one = agent({"channels": [synthetic_channel(**WITH_SUB)]})
    sizes = {"high": (1280, 720), "super": (1280, 720), "": (1280, 720), "standard": (640, 360)}
    for quality, (width, height) in sizes.items():
        with one.viewer(quality=quality) as viewer:
            viewer.save(tmp_path / "live.flv", 1)
        check_probe(tmp_path / "live.flv", width, height)
    assert all(code for code in picture_code.read_codes(tmp_path / "live.flv"))


def test_channel_without_sound_and_channel_without_pictures(agent, tmp_path: Path) -> None:
    one = agent({"channels": [
        synthetic_channel(0, audio={"source": "none", "rate": None, "channels": None, "bitrate": None}),
        synthetic_channel(1, video={"source": "none", "size": None, "frameRate": None})]})
    with one.viewer(0) as viewer:
        tags = viewer.save(tmp_path / "video.flv", 3)
        assert viewer.reader.has_video and not viewer.reader.has_audio
    assert not any(tag.kind == flv.AUDIO for tag in tags)
    assert tags[0].metadata["hasAudio"] is False
    assert media.decode_messages(tmp_path / "video.flv") == ""
    with one.viewer(1) as viewer:
        tags = viewer.save(tmp_path / "audio.flv", 3)
        assert viewer.reader.has_audio and not viewer.reader.has_video
    assert not any(tag.kind == flv.VIDEO for tag in tags)
    assert media.decode_messages(tmp_path / "audio.flv") == ""
    listed = json.loads(fetch(f"{one.url}/channels.json")[2])
    assert [(c["hasVideo"], c["hasAudio"]) for c in listed] == [(True, False), (False, True)]


def test_what_is_not_there(agent) -> None:
    one = agent()
    for url in (one.live_url(channel=7), one.live_url(quality="best"), f"{one.url}/nothing",
                one.live_url(quality="standard")):
        status, headers, body = fetch(url)
        assert status == 404, url
        assert headers["content-type"].startswith("application/json")
        answer = json.loads(body)
        assert answer["error"]["code"] and answer["error"]["message"]
    with pytest.raises(ViewerRefused) as refusal:
        one.websocket(channel=7)
    assert refusal.value.status == 404
    assert json.loads(refusal.value.body)["error"]["message"]


def test_pages_of_other_sites(agent) -> None:
    """May play where the configuration says so, and can read refusals too."""
    one = agent({"server": {"allowedOrigins": ["https://example.org"]}})
    friend, stranger = {"Origin": "https://example.org"}, {"Origin": "https://example.com"}
    for viewer in (one.viewer(headers=friend), one.websocket(headers=friend)):
        with viewer:
            viewer.read_until(lambda tag: tag.is_key_picture)
    with one.viewer(headers=friend) as viewer:
        assert viewer.headers["access-control-allow-origin"] in ("*", "https://example.org")
    for viewer in (one.viewer, one.websocket):
        with pytest.raises(ViewerRefused) as refusal:
            viewer(headers=stranger)
        assert refusal.value.status == 403 and json.loads(refusal.value.body)["error"]["message"]
    status, headers, _ = fetch(one.live_url(channel=7), headers=friend)
    assert status == 404 and headers["access-control-allow-origin"] in ("*", "https://example.org")
    everybody = agent({"server": {"allowedOrigins": ["*"]}})
    with everybody.viewer(headers=stranger) as viewer:
        assert viewer.headers["access-control-allow-origin"] in ("*", "https://example.com")


def test_viewer_limit(agent) -> None:
    one = agent({"server": {"viewerLimit": 2}})
    with one.viewer() as first, one.websocket() as second:
        first.read_until(lambda tag: tag.is_key_picture)
        second.read_until(lambda tag: tag.is_key_picture)
        for refused in (one.viewer, one.websocket):
            with pytest.raises(ViewerRefused) as refusal:
                refused()
            assert refusal.value.status == 503
            answer = json.loads(refusal.value.body)
            assert "2" in answer["error"]["message"]
        first.read_seconds(0.5)
    wait_until(lambda: one.viewers() == [], "both are gone")
    with one.viewer() as third:
        third.read_until(lambda tag: tag.is_key_picture)


def test_methods(agent) -> None:
    one = agent()
    status, headers, body = fetch(one.live_url(), method="HEAD")
    assert status == 200 and headers["content-type"] == "video/x-flv" and body == b""
    status, headers, _ = fetch(one.live_url(), method="OPTIONS", headers={
        "Origin": "https://example.org", "Access-Control-Request-Method": "GET"})
    assert status == 204 and "GET" in headers["access-control-allow-methods"]
    status, _, body = fetch(one.live_url(), method="DELETE")
    assert status == 405 and json.loads(body)["error"]["message"]


def test_page_health_and_metrics(agent) -> None:
    one = agent()
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "javascript"),
                       ("/player.js", "javascript")):
        status, headers, body = fetch(one.url + path)
        assert status == 200 and kind in headers["content-type"] and body
        # Nothing is loaded from outside the device.
        assert b"https://" not in body and b"//cdn" not in body
    assert fetch(f"{one.url}/healthz")[0] == 200
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        status, _, body = fetch(f"{one.url}/metrics")
    assert status == 200
    lines = [line for line in body.decode().splitlines() if line and not line.startswith("#")]
    assert lines and all(float(line.rsplit(" ", 1)[1]) >= 0 for line in lines)
    assert any("viewers" in line and line.endswith(" 1") for line in lines)
    status, listed = fetch_json(f"{one.url}/channels.json")
    assert listed == [{"channel": 0, "name": "Camera 0", "hasVideo": True, "hasAudio": True, "qualities": ["high"]}]


def test_control_is_not_on_the_network(agent) -> None:
    one = agent()
    assert fetch(f"{one.url}/api/v1/status")[0] == 404
    assert fetch(f"{one.url}/api/v1/pushes", method="POST", body=b"{}")[0] in (404, 405)


def test_status_counts(agent) -> None:
    one = agent()
    with one.viewer() as viewer:
        viewer.read_seconds(2)
        status = one.status()
    channel = status["channels"][0]
    assert channel["camera"]["state"] == channel["microphone"]["state"] == "running"
    stream = channel["streams"][0]
    assert stream["encoding"] and stream["subscribers"] == 1
    assert (stream["width"], stream["height"]) == (1280, 720)
    assert stream["videoFrames"] >= 50 and stream["audioFrames"] >= 25 and stream["keyFrames"] >= 1
    assert stream["frameRate"] == pytest.approx(25, abs=2)
    assert status["viewers"][0]["framesSent"] > 50 and status["viewers"][0]["bytesSent"] > 10000
    shown = one.edgectl("status", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["pid"] == one.pid
    assert "Camera 0" in one.edgectl("status").stdout


def test_snapshot(agent, tmp_path: Path) -> None:
    """Also where nobody watches, and on its first asking."""
    one = agent({"channels": [synthetic_channel(**WITH_SUB)]})
    for stream, size in (("main", ["1280", "720"]), ("sub", ["640", "360"])):
        status, body = one.request("GET", f"/channels/0/snapshot?stream={stream}")
        assert status == 200, body
        assert body[:3] == b"\xff\xd8\xff" and body[-2:] == b"\xff\xd9"
        (tmp_path / "picture.jpg").write_bytes(body)
        result = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0",
                                 str(tmp_path / "picture.jpg")], capture_output=True, text=True, timeout=20)
        assert result.stdout.strip().split(",") == size and not result.stderr
    assert one.request("GET", "/channels/9/snapshot?stream=main")[0] == 404


def test_hundred_viewers_come_and_go(agent) -> None:
    one = agent({"server": {"viewerLimit": 16}})
    with one.viewer() as steady:
        steady.read_until(lambda tag: tag.is_key_picture)
        for _ in range(10):
            viewers = [one.viewer() for _ in range(10)]
            for viewer in viewers:
                viewer.read_until(lambda tag: tag.is_key_picture)
            for viewer in viewers:
                viewer.close()
            wait_until(lambda: len(one.viewers()) == 1, "they are gone")
        assert [v["framesDropped"] for v in one.viewers()] == [0]
        assert len(list(Path(f"/proc/{one.pid}/fd").iterdir())) < 60


def test_newcomers_are_turned_away_before_files_run_out(agent) -> None:
    """A hundred files in all: those who watch go on, who comes is told, and there is room again when some have left."""
    one = agent({"server": {"viewerLimit": 200}}, prefix=["prlimit", "--nofile=100:100"])

    def metric() -> int:
        text = fetch(f"{one.url}/metrics")[2].decode()
        return int(re.search(r"^edge_agent_newcomers_turned_away_total (\d+)", text, re.MULTILINE)[1])

    def is_let_in() -> bool:
        try:
            with one.viewer() as viewer:
                return viewer.tag() is not None
        except ViewerRefused:
            return False

    with contextlib.ExitStack() as stack:
        watching = []
        with pytest.raises(ViewerRefused) as refused:
            while True:
                watching.append(stack.enter_context(one.viewer()))
        assert refused.value.status == 503
        assert json.loads(refused.value.body)["error"]["code"] == "tooFewResources"
        assert len(watching) > 20
        process = one.status()["process"]
        assert 85 <= process["openFiles"] < process["maximumFiles"] == 100
        assert metric() == process["turnedAway"] == 1
        assert "newcomers are turned away" in one.log()
        last = [viewer.tag().timestamp for viewer in watching]
        for viewer, before in zip(watching, last):
            while viewer.tag().timestamp <= before:
                pass
        for viewer in watching[:20]:
            viewer.close()
        wait_until(is_let_in, "somebody new is let in")
        assert one.viewers()
