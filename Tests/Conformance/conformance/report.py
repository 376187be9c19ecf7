"""What was looked at, and what came of it."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field


class Skipped(Exception):
    """The device lacks what this point is about."""


@dataclass(frozen=True)
class Result:
    name: str
    title: str
    outcome: str
    """passed, failed or skipped."""
    detail: str
    seconds: float

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.name:<11} {self.outcome:<8} {self.seconds:6.1f} s  {self.title}{detail}"


@dataclass
class Report:
    say: Callable[[str], None] = print
    results: list[Result] = field(default_factory=list)

    def run(self, name: str, title: str, check: Callable[[], str | None]) -> None:
        """`check` may return a remark."""
        started = time.monotonic()
        try:
            outcome, detail = "passed", check() or ""
        except Skipped as reason:
            outcome, detail = "skipped", str(reason)
        except Exception as error:  # noqa: BLE001 - each point stands for itself
            place = traceback.extract_tb(error.__traceback__)
            own = next((one for one in reversed(place) if "/conformance/" in one.filename and one.name != "check"),
                       place[-1])
            outcome, detail = "failed", f"{type(error).__name__}: {error} ({own.name}, line {own.lineno}: {own.line})"
        self.results.append(Result(name, title, outcome, detail, time.monotonic() - started))
        self.say(str(self.results[-1]))

    def count(self, outcome: str) -> int:
        return sum(result.outcome == outcome for result in self.results)


def check(condition: object, *about: object) -> None:
    """Not `assert`, which python -O leaves out."""
    if not condition:
        raise AssertionError(" ".join(map(str, about)) or "not as it must be")
