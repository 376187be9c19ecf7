"""Side-by-side measurements: the agent and a peer doing the same job, on the same machine, in the same run.

Each measurement prints its figures and ratios; all go to a JSON file. What each means: Documentation/Testing.md.
"""

import argparse
import datetime
import json
import os
import platform
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from harness import flv, picture_code  # noqa: E402
from harness.agent import PROGRAMS, Agent, free_port, synthetic_channel  # noqa: E402
from harness.media_service import MediaService  # noqa: E402
from harness.recordings import Recordings  # noqa: E402
from harness.viewers import Collector  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from figures import Result, cpu_by_thread, pause, resident, summary  # noqa: E402
from pattern import PatternFeeder  # noqa: E402
from peer import PARTS as PEER_PARTS, bench_peer  # noqa: E402
from recording import bench_recording  # noqa: E402

TOOLS = REPOSITORY / ".build" / "benchmarks"
X264 = {"preset": "veryfast", "tune": "zerolatency", "profile": "main", "threads": 1}
SEGMENT_SECONDS, DOWNLOADS = 60, 200
COMMAND_VIEWERS = 50
BITRATE, FRAME_RATE, KEY_FRAME_SECONDS = 2_000_000, 25, 2
FFMPEG_VIDEO = ["-c:v", "libx264", "-preset", X264["preset"], "-tune", X264["tune"], "-profile:v", X264["profile"],
                "-threads", "1", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M", "-bf", "0",
                "-g", str(FRAME_RATE * KEY_FRAME_SECONDS)]
FFMPEG_AUDIO = ["-c:a", "aac", "-b:a", "32k"]


def build_tools() -> None:
    TOOLS.mkdir(parents=True, exist_ok=True)
    for name in ("measure", "floor", "load", "path"):
        source, program = Path(__file__).parent / f"{name}.c", TOOLS / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-Wall", "-o", program, source], check=True)


# encode -------------------------------------------------------------------------------------------------------------

def measure(command: list[Any]) -> dict[str, float]:
    """CPU seconds, peak memory and wall time of a whole process."""
    with tempfile.TemporaryFile() as errors:
        result = subprocess.run([str(TOOLS / "measure"), *map(str, command)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=errors, check=True)
        figures = json.loads(result.stdout)
        if figures["status"] != 0:
            errors.seek(0)
            raise SystemExit(f"{command[0]} ended with {figures['status']}: {errors.read().decode()[-2000:]}")
    figures["cpu"] = figures["user"] + figures["system"]
    return figures


def source_files(folder: Path, seconds: int) -> tuple[Path, Path]:
    """720p25 with motion all over and some noise, and a sound that is not a pure tone."""
    video, audio = folder / f"source-{seconds}.y4m", folder / f"source-{seconds}.wav"
    if not video.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                        f"testsrc2=size=1280x720:rate={FRAME_RATE},noise=alls=3:allf=t,format=yuv420p", "-t",
                        str(seconds), "-strict", "-1", str(video)], check=True)
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                        "sine=frequency=330:beep_factor=4:sample_rate=16000", "-f", "lavfi", "-i",
                        "anoisesrc=amplitude=0.05:sample_rate=16000:seed=1", "-filter_complex",
                        "amix=inputs=2", "-ac", "1", "-c:a", "pcm_s16le", "-t", str(seconds), str(audio)], check=True)
    return video, audio


def quality(output: Path, source: Path) -> dict[str, float]:
    """That both did the same job: size, pictures, and PSNR against the source."""
    tags = flv.read_file(output)
    pictures = [tag for tag in tags if tag.is_picture]
    result = subprocess.run(["ffmpeg", "-v", "info", "-nostdin", "-i", str(output), "-i", str(source), "-filter_complex",
                             "[0:v]setpts=N[a];[1:v]setpts=N[b];[a][b]psnr", "-an", "-f", "null", "-"],
                            capture_output=True, text=True, check=True)
    psnr = result.stderr.rsplit("average:", 1)[1].split()[0]
    return {"pictures": len(pictures), "soundFrames": sum(tag.is_sound for tag in tags),
            "keyPictures": sum(tag.is_key_picture for tag in pictures),
            "videoBitrate": round(sum(len(tag.body) for tag in pictures) * 8 * FRAME_RATE / len(pictures)),
            "psnr": float(psnr)}


def bench_encode(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-encode-", dir=options.scratch))
    try:
        video, audio = source_files(folder, options.encode_seconds)
        commands = {
            "agent": [PROGRAMS / "edge-agent", "encode", "--video", video, "--audio", audio, "--output",
                      folder / "agent.flv", "--preset", X264["preset"], "--tune", X264["tune"], "--profile",
                      X264["profile"], "--threads", 1, "--bitrate", BITRATE, "--key-frame-interval", KEY_FRAME_SECONDS,
                      "--audio-bitrate", 32000],
            "ffmpeg": ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", video, "-i", audio, *FFMPEG_VIDEO,
                       *FFMPEG_AUDIO, "-f", "flv", folder / "ffmpeg.flv"],
        }
        runs: dict[str, list[dict[str, float]]] = {"agent": [], "ffmpeg": []}
        for name in commands:  # Once to warm up the file cache; not counted.
            measure(commands[name])
        for _ in range(options.rounds):
            for name, command in commands.items():
                runs[name].append(measure(command))
        median = {name: {key: statistics.median(run[key] for run in runs[name]) for key in ("cpu", "peakKiB", "wall")}
                  for name in runs}
        job = {name: quality(folder / f"{name}.flv", video) for name in runs}
        result = Result()
        result.add("encode: CPU of the whole process", median["agent"]["cpu"], median["ffmpeg"]["cpu"], 1.0, "s")
        result.add("encode: peak memory", median["agent"]["peakKiB"] / 1024, median["ffmpeg"]["peakKiB"] / 1024, 0.8,
                   "MiB")
        return result, {"runs": runs, "job": job, "seconds": options.encode_seconds}
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


# fanout -------------------------------------------------------------------------------------------------------------

def is_network(name: str) -> bool:
    return name.startswith("NIO-ELT")


class Load:
    def __init__(self, port: int, count: int, path: str) -> None:
        self.count = count
        self.process = subprocess.Popen([TOOLS / "load", str(port), str(count), path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], 30)[0]:
            raise SystemExit("the viewers get nothing")
        return self.process.stdout.readline().strip()

    def bytes(self) -> int:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = json.loads(self._line())
        if answer["open"] != self.count:
            raise SystemExit(f"{self.count - answer['open']} viewers were cut off: this measurement is void")
        return answer["bytes"]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def deliver(pid: int, port: int, viewers: int, path: str, seconds: float) -> dict[str, Any]:
    """Costs of a server with so many viewers, over so many seconds."""
    load = Load(port, viewers, path)
    pause(2)  # What a new viewer is given at once is not the steady state.
    before, bytes_before = cpu_by_thread(pid), load.bytes()
    pause(seconds)
    after, bytes_after = cpu_by_thread(pid), load.bytes()
    memory = resident(pid)
    load.close()
    spent = {name: after[name] - before.get(name, 0) for name in after}
    gigabytes = (bytes_after - bytes_before) / 1e9
    return {"viewers": viewers, "gigabytes": gigabytes, "threads": {n: round(s, 4) for n, s in spent.items() if s > 0},
            "network": sum(s for n, s in spent.items() if is_network(n)), "whole": sum(spent.values()),
            "memory": memory}


def bench_fanout(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-fanout-", dir=options.scratch))
    video, _ = source_files(folder, 8)
    agent = Agent({"channels": [synthetic_channel(video={"source": "file", "file": str(video)}, overlay=False,
                                                  main={"preset": "veryfast", "bitrate": BITRATE})],
                   "server": {"viewerLimit": max(options.viewers) + 8}})
    floor = None
    try:
        # One viewer stays throughout, so that the encoder runs during the floor's turns too: the same machine for both.
        steady = Load(agent.port, 1, "/ipc.flv?action=live&channel=0&quality=high")
        with agent.viewer() as viewer:
            viewer.save(folder / "stream.flv", 20)
        port = free_port()
        floor = subprocess.Popen([TOOLS / "floor", str(port), folder / "stream.flv"], stdout=subprocess.PIPE)
        assert floor.stdout and floor.stdout.readline() == b"ready\n"
        turns: list[dict[str, Any]] = []
        memory_with_one = resident(agent.pid)
        alone = cpu_by_thread(agent.pid)
        started = time.monotonic()
        pause(min(options.fanout_seconds, 10))
        elapsed = time.monotonic() - started
        one_viewer = sum(cpu_by_thread(agent.pid).values()) - sum(alone.values())
        rate = one_viewer / elapsed
        for _ in range(options.fanout_rounds):
            for viewers in options.viewers:
                path = "/ipc.flv?action=live&channel=0&quality=high"
                theirs = deliver(floor.pid, port, viewers, "/", options.fanout_seconds)
                wait_until(lambda: len(agent.viewers()) == 1, "one viewer left", 20)
                ours = deliver(agent.pid, agent.port, viewers, path, options.fanout_seconds)
                wait_until(lambda: len(agent.viewers()) == 1, "one viewer left", 20)
                turns.append({"viewers": viewers, "floor": theirs, "agent": ours})
        dropped = sum(viewer["framesDropped"] for viewer in agent.viewers())
        steady.close()
        result = Result()
        for viewers in options.viewers:
            own = [turn for turn in turns if turn["viewers"] == viewers]
            # The steady viewer's share of the agent's network CPU is part of the delivery, but its bytes were counted
            # by another program.
            ours = statistics.median(
                turn["agent"]["network"] / (turn["agent"]["gigabytes"] * (viewers + 1) / viewers) for turn in own)
            theirs = statistics.median(turn["floor"]["whole"] / turn["floor"]["gigabytes"] for turn in own)
            result.add(f"fanout: CPU per GB, {viewers} viewers", ours, theirs, 1.3 if viewers == 500 else None, "s/GB")
        for viewers in options.viewers:
            if viewers >= 100:
                most = max(turn["agent"]["memory"] for turn in turns if turn["viewers"] == viewers)
                result.add(f"fanout: memory per viewer, {viewers} viewers", (most - memory_with_one) / viewers / 1000,
                           None, 100, "KB")
        return result, {"turns": turns, "memoryWithOneViewer": memory_with_one, "agentWithOneViewerCPUPerSecond": round(rate, 4), "dropped": dropped,
                        "seconds": options.fanout_seconds}
    finally:
        if floor:
            floor.kill()
            floor.wait()
        agent.remove()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


# latency ------------------------------------------------------------------------------------------------------------

def delays(tags: list[flv.Tag], folder: Path, name: str, skip_seconds: float = 2) -> list[float]:
    """Milliseconds from the capture time in each picture to the arrival of its last byte."""
    first = next(i for i, tag in enumerate(tags) if tag.is_key_picture)
    path = folder / f"{name}.flv"
    flv.write_file(path, tags[:0] + [t for t in tags[:first] if t.is_video_setup][-1:]
                   + [t for t in tags[first:] if t.kind == flv.VIDEO])
    pictures = [tag for tag in tags[first:] if tag.is_picture]
    codes = picture_code.read_codes(path)
    if len(codes) != len(pictures):
        raise SystemExit(f"{name}: {len(codes)} decoded pictures of {len(pictures)}")
    begin = pictures[0].arrival + skip_seconds
    return [tag.arrival * 1000 - code.capture_time / 1000 for tag, code in zip(pictures, codes) if tag.arrival > begin]


def agent_latency(service: MediaService, folder: Path, seconds: float, sound: bool) -> dict[str, list[float]]:
    audio: dict[str, Any] = {} if sound else {"audio": {"source": "none", "rate": None, "channels": None,
                                                        "bitrate": None}}
    agent = Agent({"channels": [synthetic_channel(main={"preset": "veryfast"}, overlay=False, **audio)]})
    try:
        name = f"agent{sound}"
        agent.open_push(service.url(name), dataType="av" if sound else "video")
        player, viewer = Collector(service.play(name)), Collector(agent.viewer())
        pause(seconds)
        behind, local = player.finish(), viewer.finish()
        stream = agent.status()["channels"][0]["streams"][0]
        if stream["overruns"]:
            raise SystemExit(f"{stream['overruns']} pictures were too much for the encoder: this measurement is void")
        return {"viewer": delays(local, folder, "viewer"), "service": delays(behind, folder, "service")}
    finally:
        agent.remove()


def ffmpeg_latency(service: MediaService, folder: Path, seconds: float, sound: bool) -> list[float]:
    feeder = PatternFeeder(1280, 720, FRAME_RATE, sound_rate=16000 if sound else None)
    name = f"ffmpeg{sound}"
    inputs = ["-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer", "-f", "rawvideo", "-pix_fmt",
              "yuv420p", "-s", "1280x720", "-r", str(FRAME_RATE), "-i", f"pipe:{feeder.video_output}"]
    passed = [feeder.video_output]
    if sound:
        inputs += ["-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer", "-f", "s16le", "-ar", "16000",
                   "-ac", "1", "-i", f"pipe:{feeder.sound_output}"]
        passed.append(feeder.sound_output)
    process = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", *inputs, "-flags", "low_delay", *FFMPEG_VIDEO,
         *(FFMPEG_AUDIO if sound else []), "-flush_packets", "1", "-f", "flv", service.url(name)],
        stdin=subprocess.DEVNULL, pass_fds=passed)
    feeder.start()
    try:
        wait_until(lambda: name in service.publishers(), "ffmpeg publishes", 20)
        player = Collector(service.play(name))
        pause(seconds)
        return delays(player.finish(), folder, name)
    finally:
        feeder.stop()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def bench_latency(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="bench-latency-", dir=options.scratch))
    service = MediaService()
    result, details = Result(), {}
    try:
        for sound, label in ((True, "picture and sound"), (False, "picture only")):
            ours: dict[str, list[float]] = {"viewer": [], "service": []}
            theirs: list[float] = []
            for _ in range(options.latency_rounds):
                for key, values in agent_latency(service, folder, options.latency_seconds, sound).items():
                    ours[key] += values
                theirs += ffmpeg_latency(service, folder, options.latency_seconds, sound)
            viewer, behind, peer = summary(ours["viewer"]), summary(ours["service"]), summary(theirs)
            details[label] = {"viewer": viewer, "service": behind, "ffmpeg": peer}
            if sound:
                # At most a frame interval and the encoding time: what encoding takes is in `encode`.
                for key in ("median", "p99"):
                    result.add(f"latency: local viewer, {key}", viewer[key], None, 1000 / FRAME_RATE, "ms")
            for key in ("median", "p99"):
                result.add(f"latency: behind nginx, {label}, {key}", behind[key], peer[key], 1.0, "ms")
        return result, details
    finally:
        service.remove()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


# first-picture ------------------------------------------------------------------------------------------------------

def bench_first_picture(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    agent = Agent({"channels": [synthetic_channel(main={"preset": "veryfast"})]})
    try:
        times = []
        with agent.viewer() as running:
            running.read_seconds(3)
            keep = Collector(running)
            for i in range(options.connections):
                with (agent.viewer() if i % 2 == 0 else agent.websocket()) as viewer:
                    tags = viewer.read_until(lambda tag: tag.is_key_picture)
                    times.append((tags[-1].arrival - viewer.started) * 1000)
                pause(0.037)  # So that connections fall on all phases of the group of pictures.
            keep.finish()
        figures = summary(times)
        result = Result()
        result.add("first-picture: connect to key frame, median", figures["median"], None, None, "ms")
        result.add("first-picture: connect to key frame, p99", figures["p99"], None, 50, "ms")
        return result, figures
    finally:
        agent.remove()


# playback ------------------------------------------------------------------------------------------------------------

def bench_playback(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    channel = synthetic_channel(main={"preset": "veryfast"}, recording={"main": {"mode": "continuous"}})
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        agent = Agent({"channels": [channel], "recording": {"folder": folder, "segmentSeconds": SEGMENT_SECONDS}})
        try:
            recordings = Recordings(agent)
            files = recordings.wait_for_files(2, 3 * SEGMENT_SECONDS + 30)
            times: dict[str, list[float]] = {"in memory": [], "from the disk": []}
            for i in range(options.connections):
                file = files[i % len(files)]
                begin = file.start + i * (file.end - file.start - 6) // options.connections
                place = list(times)[i // 2 % 2]
                if place == "from the disk":
                    forget(recordings.path(file))
                with (recordings.play(begin, file.end) if i % 2 == 0
                      else recordings.play_websocket(begin, file.end, visitor=1)) as playing:
                    tags = playing.read_until(lambda tag: tag.is_key_picture)
                    times[place].append((tags[-1].arrival - playing.started) * 1000)
            before = cpu_by_thread(agent.pid)
            length = sum(len(recordings.download(files[0].name)[2]) for _ in range(DOWNLOADS))
            after = cpu_by_thread(agent.pid)
            spent = {name: after[name] - before.get(name, 0) for name in after if name.startswith(("NIO-ELT", "TP-"))}
            details = {place: summary(some) for place, some in times.items()}
            result = Result()
            for place, figures in details.items():
                result.add(f"playback: first picture, {place}, median", figures["median"], None, None, "ms")
                result.add(f"playback: first picture, {place}, most", figures["most"], None, 200, "ms")
            gigabytes = length / 1e9
            result.add("download: CPU time of a gigabyte", sum(spent.values()) / gigabytes, None, None, "s")
            return result, {**details, "download": {"bytes": length, "secondsByThread": spent}}
        finally:
            agent.remove()


# commands -------------------------------------------------------------------------------------------------------------

def bench_commands(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    agent = Agent({"channels": [synthetic_channel(main={"preset": "veryfast", "bitrate": BITRATE})]})
    text = "/command?action=inner_define&channel=0&cmd=get_device_st&type=live&quality=high"
    load = None
    try:
        load = Load(agent.port, COMMAND_VIEWERS, "/ipc.flv?action=live&channel=0&quality=high")
        wait_until(lambda: len(agent.viewers()) == COMMAND_VIEWERS, f"{COMMAND_VIEWERS} viewers")
        times: dict[str, list[float]] = {"a connection of its own": [], "one connection": []}
        kept = Asker(agent.port)
        for _ in range(options.queries):
            started = time.perf_counter()
            asker = Asker(agent.port)
            asker.ask(text)
            times["a connection of its own"].append((time.perf_counter() - started) * 1000)
            asker.socket.close()
            started = time.perf_counter()
            reply = kept.ask(text)
            times["one connection"].append((time.perf_counter() - started) * 1000)
            assert json.loads(reply) == [{"status": "0", "appConnectNum": str(COMMAND_VIEWERS)}], reply
            pause(0.003)  # So that questions fall on all phases of a picture's delivery.
        delivered = load.bytes()
        assert len(agent.viewers()) == COMMAND_VIEWERS and delivered > 0
        details = {place: summary(some) for place, some in times.items()}
        result = Result()
        for place, figures in details.items():
            result.add(f"get_device_st, {place}, median", figures["median"], None, None, "ms")
            result.add(f"get_device_st, {place}, p99", figures["p99"], None, 5, "ms")
        # Where others compute meanwhile, only a priority above theirs tells what the agent itself takes.
        scheduling = "round-robin" if os.sched_getscheduler(0) == os.SCHED_RR else "normal"
        return result, {**details, "viewers": COMMAND_VIEWERS, "scheduling": scheduling, "load": os.getloadavg()[0]}
    finally:
        if load:
            load.close()
        agent.remove()


class Asker:
    """HTTP with as little as possible of its own."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, target: str) -> bytes:
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(65536)
        head, body = answer.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        return body


def forget(path: Path) -> None:
    """Has the kernel let go of what it keeps of a file."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


BENCHMARKS = {"encode": bench_encode, "fanout": bench_fanout, "latency": bench_latency,
              "first-picture": bench_first_picture, "recording": bench_recording, "playback": bench_playback,
              "commands": bench_commands, "peer": lambda options: bench_peer(options, Load)}


def machine() -> dict[str, Any]:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    versions = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split()
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "cpu": model,
            "cores": os.cpu_count(), "kernel": platform.release(), "ffmpeg": versions[2] if len(versions) > 2 else None,
            "agent": subprocess.run([PROGRAMS / "edge-agent", "--version"], capture_output=True,
                                    text=True).stdout.strip()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=__doc__.split("\n")[0])
    parser.add_argument("benchmarks", nargs="*", choices=[*BENCHMARKS, []], metavar="BENCHMARK",
                        help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Benchmarks" / "results.json")
    parser.add_argument("--scratch", type=Path, default=None, help="folder for sources of some hundred megabytes")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program in `encode`")
    parser.add_argument("--encode-seconds", type=int, default=20)
    parser.add_argument("--viewers", type=lambda text: [int(part) for part in text.split(",")], default=[1, 100, 500])
    parser.add_argument("--fanout-seconds", type=float, default=20)
    parser.add_argument("--fanout-rounds", type=int, default=2)
    parser.add_argument("--latency-seconds", type=float, default=20)
    parser.add_argument("--latency-rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=100, help="of `first-picture` and `playback`")
    parser.add_argument("--recording-seconds", type=int, default=240)
    parser.add_argument("--queries", type=int, default=1000, help="of each kind in `recording` and `commands`")
    parser.add_argument("--peer-parts", type=lambda text: text.split(","), default=list(PEER_PARTS),
                        help=f"of {','.join(PEER_PARTS)}")
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, default=15, help="of each turn of `peer`'s cost")
    parser.add_argument("--peer-delay-seconds", type=float, default=40, help="with each delay and loss")
    parser.add_argument("--peer-connections", type=int, default=100, help="with each delay and loss")
    options = parser.parse_args()
    if not (PROGRAMS / "edge-agent").exists():
        raise SystemExit(f"{PROGRAMS}/edge-agent is not built: swift build -c release")
    build_tools()
    about = machine()
    print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, {about['date']}")
    # A run of some measurements leaves the others' results as they are.
    try:
        report = json.loads(options.output.read_text())
    except (OSError, ValueError):
        report = {}
    missed = 0
    for name in options.benchmarks or list(BENCHMARKS):
        result, details = BENCHMARKS[name](options)
        result.show()
        missed += sum(row["reached"] is False for row in result.rows)
        report[name] = {"machine": about, "results": result.rows, "details": details}
        options.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{options.output}" + (f": {missed} goals missed" if missed else ": all goals reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
