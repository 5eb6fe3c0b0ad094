"""The README is the first thing a newcomer follows: what it names must be there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def alone() -> str:
    """Commands that stand without their first word: `attach [RUN]` behind `tunesmith runs`."""
    return "".join(f"\ntunesmith {words}" for words in re.findall(r"`((?:plan )?[a-z]+ [^`\n]*)`", README))


def commands() -> list[tuple[str, ...]]:
    """Every `tunesmith ...` that the README names, as (command, options) words."""
    found = re.findall(r"tunesmith ((?:plan )?[a-z]+)([^`\n]*)", README + alone())
    known = {
        (name.strip(), *re.findall(r"--[a-z-]+", rest))
        for name, rest in found
        if name.split()[0] in ("demo", "run", "plan", "runs", "attach", "stop", "serve", "doctor", "prompt")
    }
    return sorted(known)


def test_the_readme_names_every_command() -> None:
    named = {words[0].split()[0] for words in commands()}
    assert named == {"demo", "run", "plan", "runs", "attach", "stop", "serve", "doctor", "prompt"}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_and_option_of_the_readme_exists(words: tuple[str, ...]) -> None:
    name, *options = words
    command = [str(Path(sys.executable).with_name("tunesmith")), *name.split(), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for option in options:
        assert option in done.stdout, option


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_two_commands_come_first_and_are_targets_of_the_makefile() -> None:
    assert README.index("make demo") < README.index("make test") < README.index("##")
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^demo:", makefile, re.M) and re.search(r"^test:", makefile, re.M)


def test_no_figure_of_the_readme_is_left_open() -> None:
    assert "@@" not in README and "TODO" not in README
