"""Keeps what libFuzzer says about a target in which it found nothing: FILE TARGET SEEN LOG, where SEEN are the inputs that
it saw before, and the log's are added to. FILE TARGET only tells. Prints how many inputs the target has seen."""

import json
import re
import sys
import time
from pathlib import Path

file, target = Path(sys.argv[1]), sys.argv[2]
kept = json.loads(file.read_text()) if file.exists() else {}
if len(sys.argv) > 3:
    seen, log = int(sys.argv[3]), Path(sys.argv[4]).read_text(errors="replace")
    covered = re.findall(r" cov: (\d+) ", log)
    kept[target] = {
        "inputs": seen + int(re.search(r"^stat::number_of_executed_units: *(\d+)", log, re.MULTILINE)[1]),
        "edges": int(covered[-1]) if covered else 0,
        "date": time.strftime("%Y-%m-%d"),
    }
    file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
print(kept.get(target, {}).get("inputs", 0))
