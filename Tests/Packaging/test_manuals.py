"""The manual pages name every command and option that the programs have, with its default, and no others."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY

PAGES = {"edge-agent": "edge-agent.8", "edgectl": "edgectl.1"}
# Told once for all commands.
COMMON = {"help", "version", "json", "socket"}


def commands(program: Path) -> dict[str, list[dict]]:
    """The arguments of each command that does something, as the program itself tells them."""
    answer = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, timeout=60)
    found = {}

    def walk(command: dict, path: list[str]):
        below = [part for part in command.get("subcommands", []) if part.get("shouldDisplay", True)]
        if not below and path:
            found[" ".join(path)] = [part for part in command.get("arguments", []) if part["shouldDisplay"]]
        for part in below:
            walk(part, [*path, part["commandName"]])

    walk(json.loads(answer.stdout)["command"], [])
    return found


def option_names(text: str) -> set[str]:
    return set(re.findall(r"Fl -([a-z-]+)", text))


def sections(page: str) -> dict[str, str]:
    """The page's text on each command: from its own item in the outermost list to the next one."""
    found = {}
    depth, name = 0, None
    for line in page.splitlines():
        depth += line.startswith(".Bl ") - line.startswith(".El")
        item = re.match(r"\.It Cm ((?:[a-z0-9]+ ?)+?)(?= Op| Ar| Fl|$)", line)
        if item and depth == 1:
            name = item[1]
        if depth == 0:
            name = None
        if name is not None:
            found[name] = found.get(name, "") + line + "\n"
    return found


@pytest.mark.parametrize("program", PAGES)
def test_the_page_tells_what_the_program_takes(program: str, package_programs: Path):
    page = (REPOSITORY / "Packaging" / "manuals" / PAGES[program]).read_text()
    told = sections(page)
    known = commands(package_programs / program)
    for command, arguments in known.items():
        if command == "help":
            continue
        assert command in told, f"{PAGES[program]} does not tell of: {program} {command}"
        names = {name["name"] for part in arguments for name in part.get("names", []) if name["kind"] == "long"}
        assert names - COMMON <= option_names(told[command]), f"options of {program} {command}"
        assert option_names(told[command]) <= names, f"{PAGES[program]} tells of options that {command} does not have"
        for part in arguments:
            value = part.get("defaultValue")
            if value is None or part.get("valueName") == "path":
                continue
            assert value in told[command], f"the default of {part['valueName']} of {program} {command}"
    assert set(told) <= set(known), f"{PAGES[program]} tells of commands that {program} does not have"
    everything = {name["name"] for parts in known.values() for part in parts for name in part.get("names", [])}
    assert COMMON & everything <= option_names(page)


def test_each_command_is_in_the_synopsis(package_programs: Path):
    for program, name in PAGES.items():
        page = (REPOSITORY / "Packaging" / "manuals" / name).read_text()
        synopsis = page.partition(".Sh SYNOPSIS")[2].partition(".Sh ")[0]
        for command in commands(package_programs / program):
            assert f".Cm {command}\n" in synopsis or f".Cm {command} " in synopsis, f"{program} {command}"


def test_the_configuration_manual_has_every_key(package_root: Path):
    """Against the annotated file, which a unit test compares with the program."""
    page = subprocess.run(
        ["zcat", package_root / "usr/share/man/man5/edge-agent.yaml.5.gz"], check=True, capture_output=True, text=True
    ).stdout
    # Keys stand in quotation marks, the words that a value may be do not.
    told = re.findall(r'^\.It Li "([A-Za-z.\[\]]+)', page, re.MULTILINE)
    annotated = (REPOSITORY / "Documentation" / "edge-agent.yaml").read_text()
    keys = re.findall(r"^ *(?:- )?([A-Za-z]+):(?: |$)", annotated, re.MULTILINE)
    # The first key of a list's item stands behind comments of its own.
    assert [path.rpartition(".")[2] for path in told] == keys
    assert len(set(told)) == len(told)


def test_the_pages_are_well_formed(package_root: Path):
    for page in sorted((package_root / "usr/share/man").glob("man*/*")):
        answer = subprocess.run(
            ["man", "--warnings", "--encoding=UTF-8", "--local-file", page],
            capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin"},
        )
        assert answer.returncode == 0 and answer.stderr == "", f"{page.name}: {answer.stderr}"
        assert "NAME" in answer.stdout
