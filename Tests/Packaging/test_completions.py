"""The shells' completions that the package holds."""

import subprocess
from pathlib import Path

import pytest

SHARE = "usr/share"


@pytest.mark.parametrize(
    ("program", "word", "completed"),
    [("edgectl", "sna", "snapshot"), ("edgectl", "fil", "files"), ("edge-agent", "dev", "devices")],
)
def test_bash_completes_commands(package_root: Path, program: str, word: str, completed: str):
    file = package_root / SHARE / "bash-completion/completions" / program
    script = (
        'source "$1"; function=$(complete -p "$2" | sed "s/.*-F \\([^ ]*\\).*/\\1/"); '
        'COMP_WORDS=("$2" "$3") COMP_CWORD=1 COMP_LINE="$2 $3" COMP_POINT=${#COMP_LINE}; '
        '"$function" "$2" "$3" "$2" 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    answer = subprocess.run(
        ["bash", "-c", script, "bash", file, program, word], capture_output=True, text=True, timeout=30
    )
    assert [line.strip() for line in answer.stdout.splitlines()] == [completed], answer.stderr


@pytest.mark.parametrize("program", ["edgectl", "edge-agent"])
def test_other_shells_have_theirs(package_root: Path, program: str):
    zsh = package_root / SHARE / "zsh/vendor-completions" / f"_{program}"
    assert zsh.read_text().startswith(f"#compdef {program}\n")
    fish = package_root / SHARE / "fish/vendor_completions.d" / f"{program}.fish"
    assert f"complete -c '{program}'" in fish.read_text()
