"""Keeps what libFuzzer says about a target in which it found nothing: FILE TARGET LOG."""

import json
import re
import sys
import time
from pathlib import Path

file, target, log = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text(errors="replace")
kept = json.loads(file.read_text()) if file.exists() else {}
covered = re.findall(r" cov: (\d+) ", log)
kept[target] = {
    "inputs": int(re.search(r"^stat::number_of_executed_units: *(\d+)", log, re.MULTILINE)[1]),
    "edges": int(covered[-1]) if covered else 0,
    "date": time.strftime("%Y-%m-%d"),
}
file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
