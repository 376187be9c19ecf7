"""A long run of the real agent under random load, with its invariants watched all the time; `Scripts/soak` starts it.

The seed decides what each worker does and in which order, so a run can be repeated; how the workers' deeds fall together
in time is the machine's."""

import argparse
import json
import shutil
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from deeds import DEEDS, Worker  # noqa: E402
from invariants import Invariants  # noqa: E402
from world import World  # noqa: E402

#: All deeds rest so often, and the agent has to come to rest as well.
ROUND_SECONDS = 120
#: How long it may take for that.
REST_SECONDS = 60


class Pause:
    """Lets workers work, or has them finish what they do and wait."""

    def __init__(self) -> None:
        self.working = threading.Event()
        self.ended = threading.Event()

    def wait(self) -> bool:
        """False at the end."""
        while not self.ended.is_set():
            if self.working.wait(0.2):
                return not self.ended.is_set()
        return False


def work(worker: Worker, pause: Pause) -> None:
    while pause.wait():
        worker.busy = True
        worker.do()
        worker.busy = False


def run(arguments: argparse.Namespace) -> int:
    world = World(step_clock=arguments.step_clock)
    invariants = Invariants(world)
    workers = [Worker(world, arguments.seed * 1000 + number, arguments.pace) for number in range(arguments.workers)]
    pause = Pause()
    threads = [threading.Thread(target=work, args=(worker, pause), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    # One round warms up: libraries are loaded, buffers have grown, the disk is full.
    end = began + arguments.minutes * 60
    rounds = 0
    try:
        while time.monotonic() < end and not invariants.broken:
            pause.working.set()
            until = min(time.monotonic() + arguments.round, end)
            while time.monotonic() < until and not invariants.broken:
                invariants.look()
                time.sleep(2)
            pause.working.clear()
            deadline = time.monotonic() + REST_SECONDS
            while any(worker.busy for worker in workers) and time.monotonic() < deadline:
                time.sleep(0.1)
            world.restore()
            invariants.rest(REST_SECONDS)
            rounds += 1
            events = sum(worker.events for worker in workers)
            print(f"{(time.monotonic() - began) / 60:6.1f} min  {events} events  {invariants.line()}", flush=True)
    finally:
        pause.ended.set()
        pause.working.set()
    counts = {name: sum(worker.counts.get(name, 0) for worker in workers) for name in DEEDS}
    report = {
        "minutes": round((time.monotonic() - began) / 60, 1), "seed": arguments.seed, "rounds": rounds,
        "events": sum(worker.events for worker in workers), "deeds": counts,
        "complaints": [text for worker in workers for text in worker.complaints], **invariants.report(),
    }
    status, seconds = world.end()
    report["exitStatus"], report["stopSeconds"] = status, round(seconds, 2)
    if status != 0 or seconds > 3:
        invariants.broken.append(f"the agent ended with status {status} after {seconds:.1f} s")
    report["broken"] = invariants.broken + report["complaints"]
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.report:
        Path(arguments.report).write_text(text + "\n")
    if report["broken"]:
        print(f"log of the agent: {world.keep_log()}", file=sys.stderr)
        return 1
    shutil.rmtree(world.folder)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--pace", type=float, default=1.0, help="how long deeds take, as a factor")
    parser.add_argument("--round", type=float, default=ROUND_SECONDS, help="seconds from one rest to the next")
    parser.add_argument("--step-clock", action="store_true", help="step the wall clock too")
    parser.add_argument("--report", help="where the report is kept, as JSON")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
