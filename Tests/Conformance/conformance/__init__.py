"""A viewer that goes through the conformance list of the request grammar with a device; see __main__.py."""

import sys
from pathlib import Path

# The readers and viewers of the end-to-end tests, which share no code with the agent.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "EndToEnd"))
