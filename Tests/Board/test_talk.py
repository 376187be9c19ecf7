"""Talking through the board's speaker, which is the loopback card's second pair: what the agent plays there is captured
as it would be heard. The first pair is the microphone, the third one somebody's mouth."""

import json
import re
import subprocess

import numpy
import pytest

from board import wait_until
from recording import Recorder
from voices import RATE, alike, decibels, fetch, longest_gap, onset, send, tone_lengths, tones, voice, wav

PATIENCE = 90
FREQUENCIES = [500, 900, 1700]
CAPTURE = f"-t raw -f S16_LE -c 1 -r {RATE}"
#: How much of what the speaker plays reaches the microphone.
LEAK = 0.4
ATTEMPTS = 4


def status(board) -> dict:
    return json.loads(board.run("edgectl status --json", timeout=PATIENCE))


@pytest.fixture(scope="module")
def agent(board, service):
    # The tone that other tests hear; the room is quiet now.
    board.execute("for pid in $(pidof speaker-test); do kill $pid; done")
    board.start_agent(service)


@pytest.fixture
def ear(board, agent):
    """Captures what the speaker plays, until it is asked for it."""
    pids = []

    def start() -> int:
        pids.append(board.start(f"arecord -D hw:Loopback,1,1 --period-time=20000 {CAPTURE} /tmp/ear.raw", "ear.log"))
        return pids[-1]

    def stop() -> numpy.ndarray:
        board.run(f"kill {pids[-1]}; while kill -0 {pids[-1]} 2>/dev/null; do sleep 0.1; done", timeout=PATIENCE)
        return fetch(board, "/tmp/ear.raw")

    yield start, stop
    for pid in pids:
        board.execute(f"kill {pid}")


def nobody_talks(board):
    wait_until("nobody talks", lambda: "talk" not in status(board)["talkback"], PATIENCE)


@pytest.mark.parametrize("form", ["wav", "flv"])
def test_what_is_said_is_heard(board, ear, form, tmp_path):
    """A WAV as PCM and as FLV with AAC, the latter made by ffmpeg: tones of the right height and length, no gaps."""
    start, stop = ear
    said = tones(FREQUENCIES, 1)
    path = tmp_path / "said.wav"
    path.write_bytes(wav(said))
    if form == "flv":
        flv = tmp_path / "said.flv"
        subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-c:a", "aac", "-b:a", "64k", flv], check=True, timeout=60)
        path = flv
    send(board, path.read_bytes(), f"/tmp/said.{form}")
    start()
    text = board.run(f"edgectl talk /tmp/said.{form}", timeout=PATIENCE)
    board.run("sleep 1")
    heard = stop()
    lengths, gap = tone_lengths(heard, FREQUENCIES), longest_gap(heard)
    print(f"{text.strip()}; tones of {lengths} s, longest gap {1000 * gap:.1f} ms")
    assert all(abs(length - 1) <= 0.08 for length in lengths), lengths
    assert gap <= 0.020


def test_from_mouth_to_ear(board, ear, figures):
    """The mouth is captured like a microphone and sent at once; both captures tell in frames when they began."""
    start, stop = ear
    send(board, wav(numpy.concatenate([numpy.zeros(3 * RATE, "<i2"), tones([700], 1)])), "/tmp/mouth.wav")
    start()
    # A first silence, so that the talk is open before there is anything to be late.
    mouth = board.start(
        f"sh -c '(head -c 640 /dev/zero; sleep 3; arecord -q -D hw:Loopback,1,2 --period-time=20000 {CAPTURE} - | "
        f"tee /tmp/mouth.raw) | edgectl talk - --rate {RATE}'", "mouth.log")
    captures = "/proc/asound/Loopback/pcm1c/sub2/status"
    wait_until("the mouth is open", lambda: board.execute(f"grep -q RUNNING {captures}")[0] == 0, PATIENCE)
    board.start("aplay -q -D hw:Loopback,0,2 /tmp/mouth.wav", "speak.log")
    board.run("sleep 1")
    # Both at the same moment: the time of the last look at the position, and the position.
    pointers = board.run("cat /proc/asound/Loopback/pcm1c/sub1/status /proc/asound/Loopback/pcm1c/sub2/status")
    board.run("sleep 5")
    board.execute("for pid in $(pidof arecord); do kill $pid; done")
    board.run(f"while kill -0 {mouth} 2>/dev/null; do sleep 0.1; done", timeout=PATIENCE)
    times = [float(text) for text in re.findall(r"tstamp\s*:\s*([\d.]+)", pointers)]
    places = [int(text) for text in re.findall(r"hw_ptr\s*:\s*(\d+)", pointers)]
    began = [time - place / RATE for time, place in zip(times, places)]
    heard = began[0] + onset(fetch(board, "/tmp/ear.raw")) / RATE
    spoken = began[1] + onset(fetch(board, "/tmp/mouth.raw")) / RATE
    delay = 1000 * (heard - spoken)
    print(f"from mouth to ear {delay:.0f} ms; {board.run('cat ' + board.log_folder + '/mouth.log').strip()}")
    figures.section("talk")["mouthToEarMilliseconds"] = round(delay)
    # 120 ms of the jitter buffer, 60 of the speaker, 20 to 40 of the capture; 400 is the bound of the first two.
    assert 80 <= delay <= 460
    nobody_talks(board)


def hear_own_speaker(board, own: bool):
    """Moves the microphone to the other end of the speaker's cable, and back; the agent takes that over under way. Few
    pictures are encoded meanwhile: an emulated processor has no time for both, and a speaker that runs dry moves the echo."""
    device = "plughw:CARD=Loopback,DEV=1" + (",SUBDEV=1" if own else "")
    rate = 2 if own else 15
    board.run(
        "for file in /etc/edge-agent/edge-agent.yaml /tmp/agent.yaml; do [ ! -e $file ] || "
        f"sed -i -e '/device: plughw/s/plughw.*/{device}/' -e 's/frameRate: .*/frameRate: {rate}/' $file; done; "
        f"kill -HUP {board.agent_pid()}")
    wait_until(
        "the microphone is there",
        lambda: (microphone := status(board)["channels"][0]["microphone"])["state"] == "running"
        and microphone["device"] == device, PATIENCE)


def record(board, service, path) -> Recorder:
    board.run("edgectl push list --json | grep -q '\"publishing\"' || edgectl push open", timeout=PATIENCE)
    recorder = Recorder(service.address("board"), path)
    wait_until("the stream arrives", lambda: recorder.size() > 10_000, PATIENCE)
    return recorder


def test_the_echo_is_taken_out(board, service, agent, figures, tmp_path):
    """The microphone hears nothing but the speaker, at full strength.

    A speaker that ran dry, or sound that came too late for it, moves the echo, and it is learnt anew: what an emulated
    board does on a busy machine. Then it is tried again.
    """
    far = voice(1, 12)
    send(board, wav(far), "/tmp/far.wav")
    hear_own_speaker(board, True)
    try:
        for attempt in range(ATTEMPTS):
            loss, report = echo_loss(board, service, far, tmp_path / f"echo-{attempt}.flv")
            if loss >= 25 or is_undisturbed(report):
                break
    finally:
        hear_own_speaker(board, False)
    figures.section("talk")["echoDecibels"] = round(loss, 1)
    assert loss >= 25, report
    nobody_talks(board)


def is_undisturbed(report: dict) -> bool:
    talk = report["talk"]
    return not talk["speakerUnderruns"] and not talk["underruns"] and talk["droppedMilliseconds"] < 100


def echo_loss(board, service, far: numpy.ndarray, path) -> tuple[float, dict]:
    """By how many decibels the echo is down from the talk's third second on, and how the talk went."""
    recorder = record(board, service, path)
    board.run("sleep 2")
    talk = board.start("edgectl talk /tmp/far.wav", "far.log")
    board.run("sleep 10")
    report = status(board)["talkback"]
    board.run(f"while kill -0 {talk} 2>/dev/null; do sleep 0.2; done; sleep 2", timeout=PATIENCE)
    heard = recorder.stop().sound(RATE) * 32768
    # Before the filter has learnt the way, the echo is heard; that is where the talk begins.
    begin = onset(heard)
    loss = -decibels(heard[begin + 3 * RATE:begin + 10 * RATE], far[3 * RATE:10 * RATE].astype(float))
    print(f"echo {loss:.1f} dB down; {report}; {board.run('cat ' + board.log_folder + '/far.log').strip()}")
    return loss, report


def test_the_near_voice_stays(board, service, agent, figures, tmp_path):
    """The speaker leaks into the microphone's room, where somebody else speaks as well, and is heard at 0.9. Of one that is
    not heard 0.4 is found in the other voice; of one that is cut, 0.5 to 0.65. Tried again where sound was lost on its way."""
    board.run(
        "cat >/tmp/asound.conf <<'end'\n"
        "</usr/share/alsa/alsa.conf>\n"
        "pcm.room { type dmix ipc_key 7717 slave { pcm \"hw:Loopback,0,0\" rate 16000 channels 1 format S16_LE "
        "period_size 320 buffer_size 3200 } }\n"
        f"pcm.leak {{ type route slave.pcm \"room\" slave.channels 1 ttable.0.0 {LEAK} }}\n"
        "end")
    far, near = voice(1, 12), voice(23, 5, pitch=190)
    send(board, wav(far), "/tmp/far.wav")
    send(board, wav(near), "/tmp/near.wav")
    for attempt in range(ATTEMPTS):
        heard, report, losses = double_talk(board, service, tmp_path / f"double-{attempt}.flv")
        seconds = alike(near.astype(float)[RATE // 2:-RATE // 2], heard)
        likeness = sum(seconds) / len(seconds)
        print(f"near voice {likeness:.2f} alike, by seconds {[round(second, 2) for second in seconds]}; {report}; {losses}")
        if likeness >= 0.8 or is_undisturbed(report) and not losses:
            break
    figures.section("talk")["nearVoiceCorrelation"] = round(likeness, 2)
    assert likeness >= 0.8
    nobody_talks(board)


def double_talk(board, service, path) -> tuple[numpy.ndarray, dict, str]:
    """What is heard of both voices, how the talk went, and what the room's own players and recorders lost."""
    environment = "env ALSA_CONFIG_PATH=/tmp/asound.conf"
    logs = f"{board.log_folder}/leak.log {board.log_folder}/near.log"
    board.run(f"rm -f {logs}")
    leak = board.start(
        f"sh -c '{environment} arecord -q -D hw:Loopback,1,1 --period-time=20000 --buffer-time=400000 {CAPTURE} - | "
        f"{environment} aplay -q -D plug:leak --period-time=20000 --buffer-time=200000 {CAPTURE} -'", "leak.log")
    recorder = record(board, service, path)
    talk = board.start("edgectl talk /tmp/far.wav", "far.log")
    board.run("sleep 5")
    board.start(f"{environment} aplay -q -D plug:room /tmp/near.wav", "near.log")
    board.run("sleep 5")
    report = status(board)
    report = report["talkback"] | {"microphone": report["channels"][0]["microphone"]}
    board.run(f"while kill -0 {talk} 2>/dev/null; do sleep 0.2; done; sleep 2", timeout=PATIENCE)
    losses = board.execute(f"grep -hi 'run!!!' {logs}")[1].strip()
    board.execute(f"for pid in $(pidof arecord); do kill $pid; done; kill {leak}")
    return recorder.stop().sound(RATE) * 32768, report, losses
