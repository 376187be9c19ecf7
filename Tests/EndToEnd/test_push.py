"""Pushes on command: to nginx's RTMP module, by HTTP POST, and to services with bad manners."""

import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from harness import flv, media, picture_code
from harness.agent import Agent, free_port, noisy_channel, synthetic_channel
from harness.rtmp import Player, close_after_pictures, never_read, read_message
from harness.viewers import Collector
from harness.waiting import wait_until

SMALL = {"channels": [synthetic_channel(video={"size": "640x360"}, main={"size": "640x360", "bitrate": 500000})]}


def play_seconds(player: Player, seconds: float) -> list[flv.Tag]:
    """Everything up to `seconds` of media time after the first picture."""
    tags = [player.tag()]
    while not any(tag.is_picture for tag in tags):
        tags.append(player.tag())
    start = tags[-1].timestamp
    while tags[-1].timestamp - start < seconds * 1000:
        tags.append(player.tag())
    return tags


def check_pictures(one: Agent, tags: list[flv.Tag], path: Path) -> None:
    """Decodes without a message; no picture is there twice, and none is missing but what an overloaded encoder let go."""
    flv.write_file(path, tags)
    assert media.decode_messages(path) == ""
    assert picture_code.missing_pictures(picture_code.read_codes(path)) <= one.overruns()


def test_push_to_nginx(agent, media_service, tmp_path: Path, full: bool) -> None:
    service = media_service()
    one = agent()
    push = one.open_push(service.url("secretkey"))
    # Accepted, and the first key frame is sent.
    assert push["state"] == "publishing" and push["framesSent"] >= 1
    assert "secretkey" not in push["target"]
    streams = media.probe(service.url("secretkey"))
    assert streams["video"]["codec_name"] == "h264" and streams["audio"]["codec_name"] == "aac"
    assert (streams["video"]["width"], streams["video"]["height"]) == (1280, 720)
    assert streams["video"]["avg_frame_rate"] == "25/1"
    assert (streams["audio"]["sample_rate"], streams["audio"]["channels"]) == ("16000", 1)
    assert media.decode_messages(service.url("secretkey"), 60 if full else 15) == ""
    late = service.play("secretkey")
    tags = play_seconds(late, 5)
    late.close()
    assert next(tag for tag in tags if tag.is_picture).is_key_picture
    check_pictures(one, tags, tmp_path / "late.flv")
    assert one.push(push["id"])["framesDropped"] == 0
    closed = one.close_push(push["id"])
    assert closed["state"] == "closed" and closed["cause"]["code"] == "requested"
    wait_until(lambda: service.publishers() == [], "the service knows")
    assert [p for p in one.pushes() if p["state"] != "closed"] == []


@pytest.mark.parametrize("data_type", ["video", "audio"])
def test_push_of_one_track(agent, media_service, tmp_path: Path, data_type: str) -> None:
    service = media_service()
    one = agent(SMALL)
    one.open_push(service.url(), dataType=data_type)
    other = "audio" if data_type == "video" else "video"
    streams = media.probe(service.url())
    assert data_type in streams and other not in streams


def test_push_by_post(agent, post_receiver, tmp_path: Path, full: bool) -> None:
    one = agent()
    push = one.open_push(post_receiver.url)
    assert push["state"] == "publishing"
    first = push["framesSent"]
    wait_until(lambda: one.push(push["id"])["framesSent"] > first + (60 if full else 12) * 40, "frames", 90)
    closed = one.close_push(push["id"])
    assert closed["cause"]["code"] == "requested"
    # The end of the body is a proper one.
    assert post_receiver.finish() == ""
    streams = media.probe(post_receiver.path)
    assert streams["video"]["width"] == 1280 and streams["audio"]["sample_rate"] == "16000"
    assert media.decode_messages(post_receiver.path) == ""
    codes = picture_code.read_codes(post_receiver.path)
    assert len(codes) > 250 and picture_code.missing_pictures(codes) <= one.overruns()


def test_second_open_joins_the_first(agent, media_service) -> None:
    service = media_service()
    one = agent(SMALL)
    body = {"channel": 0, "codeStream": "main", "dataType": "av", "async": False, "target": service.url()}
    status, first = one.request("POST", "/pushes", body)
    assert status == 201
    status, second = one.request("POST", "/pushes", body)
    assert status == 200 and second["id"] == first["id"]
    status, third = one.request("POST", "/pushes", {**body, "target": service.url("other")})
    assert status == 201 and third["id"] != first["id"]
    assert {p["id"] for p in one.pushes() if p["state"] == "publishing"} == {first["id"], third["id"]}


def test_command_line(agent, media_service) -> None:
    service = media_service()
    one = agent({**SMALL, "push": {"defaultTarget": service.url("device-{channel}-{stream}")}})
    opened = one.edgectl("push", "open", "--json")
    assert opened.returncode == 0, opened.stderr
    push = json.loads(opened.stdout)
    assert service.publishers() == ["device-0-main"]
    listed = json.loads(one.edgectl("push", "list", "--json").stdout)
    assert [p["id"] for p in listed] == [push["id"]]
    assert push["id"] in one.edgectl("push", "list").stdout
    closed = one.edgectl("push", "close", push["id"])
    assert closed.returncode == 0, closed.stderr
    wait_until(lambda: service.publishers() == [], "the stream ended")
    failed = one.edgectl("push", "open", f"rtmp://127.0.0.1:{free_port()}/live/a")
    assert failed.returncode != 0 and "unreachable" in failed.stderr


def test_command_line_without_an_agent(tmp_path: Path, agent) -> None:
    one = agent(SMALL)
    one.stop()
    result = one.edgectl("status")
    assert result.returncode != 0
    assert one.control_socket in result.stderr


def test_unreachable(agent) -> None:
    one = agent(SMALL)
    target = f"rtmp://127.0.0.1:{free_port()}/live/a"
    status, answer = one.request("POST", "/pushes", {"channel": 0, "codeStream": "main", "dataType": "av",
                                                     "async": False, "target": target})
    assert status in (502, 504) and answer["error"]["code"] == "unreachable", answer
    assert [p for p in one.pushes() if p["state"] != "closed"] == []


def test_unreachable_later_reached(agent, media_service) -> None:
    one = agent(SMALL)
    port = free_port()
    events = one.events()
    push = one.open_push(f"rtmp://127.0.0.1:{port}/live/camera", **{"async": True})
    assert push["state"] in ("connecting", "waiting")
    waiting = one.wait_for_push(push["id"], "waiting")
    assert waiting["cause"]["code"] == "unreachable" and waiting["retryInSeconds"] >= 0
    service = media_service(port=port)
    one.wait_for_push(push["id"], "publishing", 40)
    assert service.publishers() == ["camera"]
    one.close_push(push["id"])
    closed = events.wait_for("push.closed")
    assert closed["push"]["cause"]["code"] == "requested"
    names = [name for name, _ in events.all if name.startswith("push.")]
    assert names[0] == "push.opened" and names[-2:] == ["push.publishing", "push.closed"]
    # However many attempts there were, the waiting is told once.
    assert names.count("push.waiting") == 1
    events.close()


def test_refused_by_hook(agent, media_service, publish_hook) -> None:
    service = media_service(on_publish=publish_hook.url)
    one = agent(SMALL)
    status, answer = one.request("POST", "/pushes", {
        "channel": 0, "codeStream": "main", "dataType": "av", "async": False, "target": service.url()})
    assert status == 502 and answer["error"]["code"] == "refused", answer
    push = one.open_push(service.url("other"), **{"async": True})
    waiting = one.wait_for_push(push["id"], "waiting")
    assert waiting["cause"]["code"] == "refused"
    publish_hook.status = 200
    one.wait_for_push(push["id"], "publishing", 60)
    assert 2 <= len(publish_hook.requests) < 12


@pytest.mark.parametrize("code", ["NetStream.Publish.Unauthorized", "NetStream.Publish.BadAuth",
                                  "NetStream.Publish.Denied"])
def test_refused_by_status(agent, odd_service, code: str) -> None:
    service = odd_service(answer=lambda _: code)
    one = agent(SMALL)
    status, answer = one.request("POST", "/pushes", {
        "channel": 0, "codeStream": "main", "dataType": "av", "async": False, "target": service.url()})
    assert status == 502 and answer["error"]["code"] == "refused", answer
    assert code in answer["error"]["message"] or "as told" in answer["error"]["message"]


def test_name_still_held_is_waited_out(agent, odd_service) -> None:
    """A service that has not noticed that the old connection is gone answers BadName for a while."""
    service = odd_service(answer=lambda i: "NetStream.Publish.BadName" if i < 2 else "NetStream.Publish.Start")
    one = agent(SMALL)
    push = one.open_push(service.url(), **{"async": True})
    one.wait_for_push(push["id"], "waiting")
    one.wait_for_push(push["id"], "publishing", 60)
    assert len(service.publishers) == 3
    wait_until(lambda: any(t.kind == flv.VIDEO and t.is_key_picture for t in service.publishers[2].tags), "a key picture")


def test_service_killed_and_started_again(agent, media_service, tmp_path: Path) -> None:
    service = media_service()
    one = agent(SMALL)
    push = one.open_push(service.url(), **{"async": True})
    one.wait_for_push(push["id"], "publishing")
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        service.kill()
        lost = one.wait_for_push(push["id"], "waiting")
        assert lost["cause"]["code"] in ("networkLost", "service", "unreachable")
        service.start()
        one.wait_for_push(push["id"], "publishing", 40)
        player = service.play()
        tags = play_seconds(player, 3)
        player.close()
        check_pictures(one, tags, tmp_path / "after.flv")
        # The viewer has noticed nothing.
        seen = [tag for tag in viewer.read_seconds(1) if tag.is_picture]
        assert {b.timestamp - a.timestamp for a, b in zip(seen, seen[1:])} <= {39, 40, 41}
    assert one.push(push["id"])["attempts"] >= 2


def test_sync_push_that_was_accepted_is_taken_up_again(agent, media_service) -> None:
    service = media_service()
    one = agent(SMALL)
    push = one.open_push(service.url())
    service.kill()
    one.wait_for_push(push["id"], "waiting")
    service.start()
    one.wait_for_push(push["id"], "publishing", 40)


def test_service_closes_in_mid_stream(agent, odd_service) -> None:
    service = odd_service(behaviour=close_after_pictures(30))
    one = agent(SMALL)
    push = one.open_push(service.url(), **{"async": True})
    waiting = one.wait_for_push(push["id"], "waiting")
    assert waiting["cause"]["code"] == "service"
    wait_until(lambda: len(service.publishers) >= 2 and service.publishers[1].tags, "the next connection", 40)
    again = service.publishers[1]
    wait_until(lambda: any(t.kind == flv.VIDEO and t.is_picture for t in again.tags), "pictures again")
    pictures = [tag for tag in again.tags if tag.kind == flv.VIDEO]
    assert pictures[0].is_video_setup and pictures[1].is_key_picture


def test_service_that_never_reads(agent, odd_service, noisy_video: Path) -> None:
    """Frames are dropped, the agent grows by its limit at most, and the link is given up and tried again."""
    service = odd_service(behaviour=never_read)
    service.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    one = agent({"channels": [noisy_channel(noisy_video, 4000000)]})
    push = one.open_push(service.url(), **{"async": True})
    one.wait_for_push(push["id"], "publishing")
    viewer = Collector(one.viewer())
    wait_until(lambda: len(viewer.tags) > 40, "a viewer's pictures")
    before = one.resident_bytes()
    lost = one.wait_for_push(push["id"], "waiting", 60)
    assert lost["cause"]["code"] == "networkLost", lost
    assert one.resident_bytes() - before < (8 << 20) + (4 << 20)
    seen = [tag for tag in viewer.finish() if tag.is_picture]
    assert len(seen) > 200 and {b.timestamp - a.timestamp for a, b in zip(seen, seen[1:])} <= {39, 40, 41}
    wait_until(lambda: len(service.publishers) >= 2, "it is tried again", 40)


def test_no_data_from_the_device(agent, media_service) -> None:
    """A camera that is not there shows its "no signal" picture, so a push goes on."""
    service = media_service()
    one = agent({"channels": [synthetic_channel(video={"source": "v4l2", "device": "/dev/video99"})]})
    one.open_push(service.url())
    assert one.status()["channels"][0]["camera"]["state"] == "absent"
    assert media.probe(service.url())["video"]["width"] == 1280


def test_pushes_outlive_the_agent(agent, media_service) -> None:
    service = media_service()
    one = agent(SMALL)
    kept = one.open_push(service.url("kept"))
    gone = one.open_push(service.url("gone"))
    one.close_push(gone["id"])
    one.terminate()
    wait_until(lambda: service.publishers() == [], "the agent has left")
    two = agent(SMALL, folder=one.folder, port=one.port)
    wait_until(lambda: service.publishers() == ["kept"], "the push is back", 20)
    pushes = [p for p in two.pushes() if p["state"] != "closed"]
    assert [p["target"] for p in pushes] == [kept["target"]]
    # After a crash as well.
    two.process.kill()
    two.process.wait()
    three = agent(SMALL, folder=one.folder, port=one.port)
    wait_until(lambda: [p["state"] for p in three.pushes()] == ["publishing"], "the push is back", 40)
    three.close_push(three.pushes()[0]["id"])
    three.terminate()
    four = agent(SMALL, folder=one.folder, port=one.port)
    assert four.pushes() == []


def test_shutdown_is_told(agent, media_service) -> None:
    service = media_service()
    one = agent(SMALL)
    events = one.events()
    one.open_push(service.url())
    one.signal(signal.SIGTERM)
    assert events.wait_for("push.closed")["push"]["cause"]["code"] == "shutdown"
    one.process.wait(5)
    events.close()


@pytest.mark.parametrize("edge", [0xFFFFFF, 0x7FFFFFFF])
def test_time_stamps_across_the_edge(agent, media_service, tmp_path: Path, full: bool, edge: int) -> None:
    """No gap and no step backwards where the field of 24 bits ends, and none on the way to the end of 31."""
    service = media_service()
    one = agent(SMALL)
    start = edge - (10_000 if edge == 0xFFFFFF else 25_000)
    player = service.play()
    one.open_push(service.url(), startTimestamp=start)
    tags = play_seconds(player, 18)
    player.close()
    media_tags = [tag for tag in tags if tag.is_picture or tag.is_sound]
    pictures = [tag for tag in media_tags if tag.is_picture]
    sounds = [tag for tag in media_tags if tag.is_sound]
    assert start <= pictures[0].timestamp < start + 2000
    assert {b.timestamp - a.timestamp for a, b in zip(pictures, pictures[1:])} <= {39, 40, 41}
    assert {b.timestamp - a.timestamp for a, b in zip(sounds, sounds[1:])} <= set(range(60, 69))
    assert all(tag.timestamp <= 0x7FFFFFFF for tag in media_tags)
    if edge == 0xFFFFFF:
        assert pictures[-1].timestamp > edge + 5000
    check_pictures(one, tags, tmp_path / "edge.flv")


def test_user_and_password_and_query_reach_the_service(agent, odd_service) -> None:
    service = odd_service()
    one = agent(SMALL)
    push = one.open_push(f"rtmp://127.0.0.1:{service.port}/app/instance/key?token=abc&x=1")
    publisher = service.publishers[0]
    assert publisher.connect["app"] == "app/instance"
    assert publisher.connect["tcUrl"] == f"rtmp://127.0.0.1:{service.port}/app/instance"
    assert publisher.stream_name == "key?token=abc&x=1"
    assert "token" not in json.dumps(one.pushes()) and "abc" not in one.log()
    wait_until(lambda: any(t.kind == flv.VIDEO and t.is_key_picture for t in publisher.tags), "a key picture")
    kinds = [t for t in publisher.tags]
    assert kinds[0].kind == flv.SCRIPT and "width" in kinds[0].metadata
    one.close_push(push["id"])
    assert publisher.ended.wait(5)
    names = [values[0] for values in publisher.commands]
    assert "FCUnpublish" in names and "deleteStream" in names


def test_slow_link_drops_to_key_frames(agent, odd_service, tmp_path: Path, noisy_video: Path) -> None:
    """A service that reads at a third of what is sent gets fewer pictures, all of them whole and decodable."""

    def slowly(publisher) -> None:
        budget, started = 0.0, time.monotonic()
        while not publisher.release.is_set():
            read_message(publisher)
            budget += len(publisher.tags[-1].body) if publisher.tags else 0
            ahead = budget / 100_000 - (time.monotonic() - started)
            if ahead > 0:
                publisher.release.wait(ahead)

    service = odd_service(behaviour=slowly)
    service.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    one = agent({"channels": [noisy_channel(noisy_video, 3000000, main={"keyFrameInterval": 1})]})
    push = one.open_push(service.url())
    wait_until(lambda: one.push(push["id"])["framesDropped"] > 25, "frames are dropped", 60)
    publisher = service.publishers[0]
    dropped_at = len(publisher.tags)
    wait_until(lambda: sum(t.kind == flv.VIDEO and t.is_key_picture for t in publisher.tags[dropped_at:]) >= 3,
               "three more key pictures", 60)
    tags = [tag for tag in publisher.tags if tag.kind != flv.SCRIPT]
    one.close_push(push["id"])
    assert one.status()["channels"][0]["streams"][0]["overruns"] == 0
    flv.write_file(tmp_path / "slow.flv", tags)
    assert media.decode_messages(tmp_path / "slow.flv") == ""
    codes = picture_code.read_codes(tmp_path / "slow.flv")
    pictures = [tag for tag in tags if tag.is_picture]
    # Wherever pictures are missing, the next one is a key picture.
    for (a, b), tag in zip(zip(codes, codes[1:]), pictures[1:]):
        assert b.counter == (a.counter + 1) % 100 or tag.is_key_picture


def test_slow_link_lowers_the_bitrate(agent, odd_service, noisy_video: Path) -> None:
    """Where it is configured, the encoder follows a link that carries less, and comes back when it carries more."""
    fast = threading.Event()

    def slowly(publisher) -> None:
        budget, started = 0.0, time.monotonic()
        while not publisher.release.is_set():
            read_message(publisher)
            budget += len(publisher.tags[-1].body) if publisher.tags else 0
            # A third of what the encoder makes: on a busy machine it makes less than it is told to.
            ahead = budget / 60_000 - (time.monotonic() - started)
            if ahead > 0 and not fast.is_set():
                publisher.release.wait(ahead)

    service = odd_service(behaviour=slowly)
    service.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    one = agent({"channels": [noisy_channel(noisy_video, 1500000, main={"keyFrameInterval": 1})],
                 "push": {"adaptBitrate": True}})

    def target() -> int:
        return one.status()["channels"][0]["streams"][0]["targetBitrate"]

    push = one.open_push(service.url())
    wait_until(lambda: target() < 900_000, "the encoder is told to make less", 60)
    lowest = target()
    fast.set()
    wait_until(lambda: target() > lowest, "the encoder may make more again", 60)
    assert one.push(push["id"])["state"] == "publishing"
    one.close_push(push["id"])
    # The ceiling goes with the push that asked for it.
    with one.viewer():
        wait_until(lambda: target() == 1500000, "the configured bitrate", 30)
