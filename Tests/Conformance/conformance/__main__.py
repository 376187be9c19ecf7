"""Goes through the request grammar's conformance list with a device, as a viewer would.

Each of the 17 points of the specification's section 11.3 is named with what came of it, then each of its examples. A point
that the device lacks the means for (a second channel, recordings, a speaker, a head that turns) is skipped and says so.
Others must not watch meanwhile, since viewers are counted. It talks, turns the head, and switches privacy mode on and
off again.
"""

import argparse
import sys
from collections.abc import Callable

from . import device  # noqa: F401 - finds the readers
from .examples import Examples
from .device import Visitor
from .points import Points
from .report import Report


def run_points(
        url: str, visitor: Callable[[str], Visitor], report: Report, after: Callable[[], None] = lambda: None) -> Report:
    """The points alone, by visitors of another kind; `after` each."""
    for number, title, check in Points(url, visitor).all():
        report.run(f"point {number}", title, check)
        after()
    return report


def run(url: str, only: set[str] | None = None, report: Report | None = None) -> Report:
    report = report or Report()
    for number, title, check in Points(url).all():
        if not only or str(number) in only:
            report.run(f"point {number}", title, check)
    for section, title, check in Examples(url).all():
        if not only or section in only:
            report.run(f"§{section}", title, check)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the device's address, such as http://192.168.1.20:8080")
    parser.add_argument("only", nargs="*", help="points (5) and sections (3.2); default: all")
    options = parser.parse_args()
    report = run(options.url, set(options.only))
    print(f"{report.count('passed')} passed, {report.count('failed')} failed, {report.count('skipped')} skipped")
    return 1 if report.count("failed") else 0


if __name__ == "__main__":
    sys.exit(main())
