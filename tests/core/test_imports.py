"""What may be imported where, looked at in a fresh process: a promise about how soon the command answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "transformers",
    "datasets",
    "trl",
    "peft",
    "pandas",
    "pyarrow",
    "evaluate",
    "bitsandbytes",
    "accelerate",
    "sacrebleu",
)
INTERFACE = ("textual", "rich", "typer")


def modules(folder: str) -> list[str]:
    """Import names of all modules under a top folder."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(".".join(("tunesmith", *(part for part in parts if part != "__init__"))))
    return found


PREPARING = [
    "columns",
    "profile",
    "look",
    "likeness",
    "personal",
    "repair",
    "pipeline",
    "making",
    "stretch",
    "compared",
    "overlap",
    "split",
    "export",
    "written",
    "outgoing",
    "read",
    "moments",
]
"""What looks at the data itself, in `core.prepare`: it runs in jobs and in the helper."""
TOLD = (
    "read.formats",
    "repair.words",
    "repair.needs",
    "repair.recipe",
    "repair.aside",
    "repair.typed",
)
"""What of it the interface tells by."""


def is_job(name: str) -> bool:
    """Whether the module runs inside jobs or the helper only, where the heavy libraries belong."""
    if name.startswith("tunesmith.core.prepare."):
        part = name.removeprefix("tunesmith.core.prepare.")
        if part.partition(".")[0] in PREPARING and part not in TOLD:
            return True
    return name.startswith(("tunesmith.core.worker", "tunesmith.core.practice.pretrain")) or (
        name.rpartition(".")[2].startswith("job") and name != "tunesmith.core.jobs"
    )


def loaded_by(*names: str) -> set[str]:
    """Top-level packages in `sys.modules` after importing these in a process of their own."""
    code = (
        f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\n"
        "print(*{m.partition('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_core_without_its_jobs_loads_no_interface_and_nothing_heavy() -> None:
    light = [name for name in modules("core") if not is_job(name)]
    assert len(light) > 30
    found = loaded_by(*light)
    assert not found & set(INTERFACE + HEAVY)


def test_the_interface_loads_nothing_heavy() -> None:
    assert not loaded_by(*modules("tui")) & set(HEAVY)


def test_the_command_line_itself_loads_neither_textual_nor_rich_nor_pydantic_models() -> None:
    found = loaded_by("tunesmith.tui.cli")
    assert "textual" not in found and "ruamel" not in found
    assert not found & set(HEAVY)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["run", "--help"]])
def test_answers_that_must_be_quick_load_neither_textual_nor_anything_heavy(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['tunesmith', *{words!r}]\n"
        "from tunesmith.tui.entry import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('LOADED', *{m.partition('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert not loaded & {"textual", *HEAVY}
