"""The agent on real device nodes: the kernel's vivid as the camera, its loopback sound card as the microphone.

The tests follow one another on one board, as a day in the field would.
"""

import json

import numpy
import pytest

from board import wait_until
from recording import Recorder, Recording, peak_frequency

RATE = 16000
TONE = 440
WIDTH, HEIGHT = 640, 360
# Emulation is many times slower than a board is: these bound a failure, they measure nothing.
PATIENCE = 90

# vivid's colour bars against the grey picture that says "No signal".
COLOURFUL = 40
GREY = 8


def status(board) -> dict:
    return json.loads(board.run("edgectl status --json"))


def camera(board) -> dict:
    return status(board)["channels"][0]["camera"]


def push(board) -> dict:
    pushes = status(board)["pushes"]
    assert len(pushes) == 1, pushes
    return pushes[0]


@pytest.fixture(scope="module")
def agent(board, service):
    """The agent on the board with the board's own configuration, hearing a tone."""
    board.start(
        f"speaker-test -D plughw:CARD=Loopback,DEV=0 -c 1 -r {RATE} -F S16_LE -t sine -f {TONE}", "tone.log")
    board.start_agent(service)
    return board.agent_pid()


@pytest.fixture(scope="module")
def opened(board, agent):
    """A push to the media service on the host, opened on command without a target: the configured one."""
    return json.loads(board.run("edgectl push open --json", timeout=PATIENCE))


def recorder_that_receives(service, path) -> Recorder:
    recorder = Recorder(service.address("board"), path)
    wait_until("the stream arrives at a reader", lambda: recorder.size() > 10_000, PATIENCE)
    return recorder


def test_devices_are_found(board):
    """`edge-agent devices` names the camera by its stable path with its formats, and the microphone."""
    text = board.run("edge-agent devices", timeout=PATIENCE)
    assert "/dev/v4l/by-path/platform-vivid.0-video-index0" in text
    assert "NV12" in text and f"{WIDTH}x{HEIGHT}" in text
    assert "plughw:CARD=Loopback,DEV=1" in text


def test_push_arrives_at_the_media_service(board, service, opened, tmp_path):
    assert opened["state"] == "publishing", opened
    recorder = recorder_that_receives(service, tmp_path / "push.flv")
    wait_until("ten seconds of it", lambda: span(recorder) > 10, PATIENCE, interval=1)
    recording = recorder.stop()

    streams = recording.streams()
    video, audio = streams["video"], streams["audio"]
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", WIDTH, HEIGHT)
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("aac", str(RATE), 1)
    assert recording.decoding_errors() == ""
    assert recording.starts_with_key_frame()

    assert recording.colourfulness().min() > COLOURFUL, "not all pictures show the camera"
    pictures = recording.pictures().astype(int)
    assert abs(pictures[len(pictures) // 2] - pictures[0]).mean() > 5, "the picture does not move"

    sound = recording.sound(RATE)
    frequency, purity = peak_frequency(sound[RATE:5 * RATE], RATE)
    assert abs(frequency - TONE) < 3, f"the tone arrives at {frequency} Hz"
    assert purity > 0.5, f"only {purity:.2f} of the sound is the tone"

    check_controls(board)
    report = status(board)["channels"][0]
    assert report["camera"]["state"] == "running", report
    assert report["microphone"]["state"] == "running", report


def check_controls(board):
    """The camera is set as the board's configuration says."""
    text = board.run("v4l2-ctl -d /dev/video0 -C brightness,horizontal_movement")
    # A menu's value is followed by its name.
    assert [line.split()[1] for line in text.splitlines()] == ["132", "4"], text


def span(recorder) -> float:
    """Seconds of pictures written so far."""
    try:
        times = Recording(recorder.path).times("video")
    except AssertionError:
        return 0
    return float(times[-1] - times[0]) if len(times) > 1 else 0


def lose_and_find(board, service, path, lose: str, find: str):
    """Takes the camera away and gives it back, and checks what the agent and a reader of its stream see."""
    before = push(board)
    assert camera(board)["state"] == "running"
    reconnects = camera(board)["reconnects"]
    recorder = recorder_that_receives(service, path)

    board.run(lose)
    lost = wait_until(
        "the agent reports the camera as lost",
        lambda: (report := camera(board))["state"] in ("lost", "absent", "opening") and report, PATIENCE)
    assert lost["detail"], "the agent does not say what is wrong"
    grown = recorder.size()
    wait_until("the stream goes on without the camera", lambda: recorder.size() > grown + 10_000, PATIENCE)
    during = push(board)
    assert (during["id"], during["state"], during["attempts"]) == (before["id"], "publishing", before["attempts"])
    wait_until("pictures that say so arrive", lambda: during_outage(recorder), PATIENCE, interval=1)

    board.run(find)
    wait_until("the camera runs again", lambda: camera(board)["state"] == "running", PATIENCE)
    assert camera(board)["reconnects"] > reconnects
    check_controls(board)
    after = push(board)
    assert (after["id"], after["state"], after["attempts"]) == (before["id"], "publishing", before["attempts"])
    wait_until("its pictures arrive again", lambda: after_outage(recorder), PATIENCE, interval=1)
    assert recorder.is_running, "the reader's connection ended"
    recording = recorder.stop()

    assert recording.decoding_errors() == ""
    assert set(phases(recording)) == {"camera", "none"}
    assert phases(recording)[0] == "camera" and phases(recording)[-1] == "camera"
    times = recording.times("video")
    assert (times[1:] > times[:-1]).all(), "time does not go forward"
    assert numpy.diff(recording.times("audio")).max() < 0.2, "there is a hole in the sound"
    frequency, _ = peak_frequency(recording.sound(RATE), RATE)
    assert abs(frequency - TONE) < 3, "the tone did not go on"


def phases(recording) -> list[str]:
    """What the pictures show, one after the other: the camera, or none."""
    found = []
    for value in recording.colourfulness():
        kind = "camera" if value > COLOURFUL else "none" if value < GREY else None
        if kind and (not found or found[-1] != kind):
            found.append(kind)
    return found


def during_outage(recorder) -> bool:
    return phases(Recording(recorder.path))[-1:] == ["none"]


def after_outage(recorder) -> bool:
    return phases(Recording(recorder.path))[-2:] == ["none", "camera"]


def test_disconnected_camera_comes_back(board, service, opened, tmp_path):
    """vivid's "disconnect" makes its node fail as a pulled plug does, until its last user has closed it."""
    lose_and_find(
        board, service, tmp_path / "disconnect.flv",
        # One more user keeps the camera away until the test lets it come back.
        lose="sleep 100000 </dev/video0 >/dev/null 2>&1 & echo $! >/tmp/holder; "
             "v4l2-ctl -d /dev/video0 -c disconnect=1",
        find="kill $(cat /tmp/holder)",
    )


def test_removed_camera_comes_back(board, service, opened, tmp_path):
    """The driver is taken off the device, so the node itself goes away and another one comes."""
    driver = "/sys/bus/platform/drivers/vivid"
    lose_and_find(
        board, service, tmp_path / "remove.flv",
        lose=f"echo vivid.0 >{driver}/unbind; test ! -e /dev/video0",
        find=f"echo vivid.0 >{driver}/bind; test -e /dev/video0",
    )


def test_an_overrun_leaves_silence_of_its_length(board, service, opened, agent, tmp_path):
    """The agent is stopped for longer than the sound driver's buffer lasts: capture starts again by itself, and what
    was lost is silence, neither more nor less."""
    def microphone():
        return status(board)["channels"][0]["microphone"]

    before = microphone()
    recorder = recorder_that_receives(service, tmp_path / "overrun.flv")
    board.run(f"kill -STOP {agent}; sleep 2; kill -CONT {agent}")
    wait_until("the overrun is counted", lambda: microphone()["overruns"] > before["overruns"], PATIENCE)
    length = span(recorder)
    wait_until("the stream goes on", lambda: span(recorder) > length + 4, PATIENCE, interval=1)
    after = microphone()
    assert after["state"] == "running"
    recording = recorder.stop()

    assert recording.decoding_errors() == ""
    assert numpy.diff(recording.times("audio")).max() < 0.2, "there is a hole in the sound"
    sound = recording.sound(RATE)
    frequency, purity = peak_frequency(sound[-2 * RATE:], RATE)
    assert abs(frequency - TONE) < 3 and purity > 0.5, "the tone did not come back"
    # In steps of 20 ms. The emulated card may be silent a while longer after a restart than what the agent put in.
    loudness = numpy.abs(sound[:len(sound) // 320 * 320]).reshape(-1, 320).max(axis=1)
    quiet = "".join("q" if value < 0.01 else "-" for value in loudness).split("-")
    filled = (after["silenceMilliseconds"] - before["silenceMilliseconds"]) / 1000
    assert filled > 1
    assert sum(map(len, quiet)) * 0.02 > filled - 0.1
    # Sound and pictures end together: the hole has neither shortened nor lengthened the sound.
    assert abs(recording.times("audio")[-1] - recording.times("video")[-1]) < 0.6


def test_closing_the_push_ends_the_stream(board, service, opened):
    closed = json.loads(board.run(f"edgectl push close {opened['id']} --json", timeout=PATIENCE))
    assert closed["state"] == "closed" and closed["cause"]["code"] == "requested", closed
    assert status(board)["pushes"] == [] or push(board)["state"] == "closed"


def test_agent_stops_on_request(board, agent):
    board.run(f"kill -TERM {agent}")
    wait_until("the agent ends", lambda: board.execute(f"kill -0 {agent}")[0] != 0, PATIENCE)
