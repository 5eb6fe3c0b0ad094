"""Where the kernel tells about itself, and reading its small files; tests point it at recorded copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class System:
    """The two file systems in which Linux describes the machine and its processes."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")


def text_of(path: Path) -> str:
    """The file's text, or nothing where it can't be read: a missing reading is not an error here."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def number_of(path: Path) -> int | None:
    """The file's only number; None where it holds something else, or can't be read."""
    text = text_of(path).strip()
    return int(text) if text.isdigit() else None
