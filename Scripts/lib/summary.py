"""Prints one closing line from the reports of several test runners.

Arguments: NAME=REPORT.xml, JUnit files as pytest and `swift test` write them. A report that is missing counts as one
failure: its runner did not come to an end. Ends with status 1 where anything failed, or where nothing was tested.
"""

import sys
import xml.etree.ElementTree as ElementTree


def counts(path: str) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of one report."""
    root = ElementTree.parse(path).getroot()
    passed = failed = skipped = 0
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    total = [0, 0, 0]
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        try:
            result = counts(path)
        except (OSError, ElementTree.ParseError):
            print(f"{name}: no report, so the run did not come to its end")
            result = (0, 1, 0)
        else:
            print(f"{name}: {result[0]} passed, {result[1]} failed, {result[2]} skipped")
        total = [sum(pair) for pair in zip(total, result)]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 0 if total[1] == 0 and total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
