"""What measurements have in common: figures, ratios and goals, and what a process has spent."""

import os
import statistics
import threading
from pathlib import Path
from typing import Any


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "p99": round(percentile(values, 0.99), 3),
            "most": round(max(values), 3), "count": len(values)}


class Result:
    """One ratio with what it must not exceed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, ours: float, peer: float | None, goal: float | None, unit: str) -> None:
        ratio = None if peer is None else round(ours / peer, 3)
        judged = ours if peer is None else ratio
        self.rows.append({"name": name, "agent": round(ours, 3), "peer": None if peer is None else round(peer, 3),
                          "unit": unit, "ratio": ratio, "goal": goal,
                          "reached": None if goal is None else bool(judged <= goal)})

    def show(self) -> None:
        print(f"\n  {'':<46}{'agent':>11}{'peer':>11}  {'unit':<9}{'ratio':>7}  goal")
        for row in self.rows:
            peer = "" if row["peer"] is None else f"{row['peer']:.3f}"
            ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
            goal = "" if row["goal"] is None else f"≤ {row['goal']:g}  {'reached' if row['reached'] else 'MISSED'}"
            print(f"  {row['name']:<46}{row['agent']:>11.3f}{peer:>11}  {row['unit']:<9}{ratio:>7}  {goal}")


def cpu_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds by thread name, from the scheduler's own count."""
    spent: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
        spent[name] = spent.get(name, 0) + seconds
    return spent


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pause(seconds: float) -> None:
    """The length of a measurement, not a way to wait for something."""
    threading.Event().wait(seconds)
