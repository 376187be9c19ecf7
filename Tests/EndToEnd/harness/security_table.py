"""The table of Documentation/Security.md: every operation, the right it takes, and a request for it."""

import re
from dataclasses import dataclass

from .agent import REPOSITORY


@dataclass(frozen=True)
class Row:
    operation: str
    right: str
    """`nothing`, `any`, or the name of one."""
    method: str
    target: str
    has_websocket: bool
    label: str | None
    """The same as a data channel's label; None where links do not have it."""
    has_broker: bool

    def __str__(self) -> str:
        return self.operation.replace(" ", "-")


def rows() -> list[Row]:
    text = (REPOSITORY / "Documentation" / "Security.md").read_text()
    section = text.split("\n## Every operation\n")[1].split("\n## ")[0]
    found = []
    for line in section.splitlines():
        match = re.fullmatch(r"\| `([^`]+)` \| (\S+) \| `(\S+) ([^`]+)` \|(.*)\|", line)
        if match:
            operation, right, method, target, also = match.groups()
            named = re.search(r"link `([^`]+)`", also)
            label = None
            if named:
                label = named.group(1)
            elif "link" in also:
                kind, rest = ("COMMAND", target.split("?")[1]) if "/command" in target else ("GET", target[1:])
                label = f"{kind} {rest}"
            found.append(Row(operation, right, method, target, "WebSocket" in also, label, "broker" in also))
    return found
