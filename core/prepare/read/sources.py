"""Which files a source means: one, those of a folder, or those that a pattern matches; or in a sentence why none."""

from __future__ import annotations

import difflib
import errno
import glob
import os
import stat
from pathlib import Path
from typing import NamedTuple, NoReturn

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.practice import EMPLOYEES_CSV, PRACTICE
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.read.formats import READABLE, kind_of
from tunesmith.core.prepare.records import name_of

_MOST_FILES = 100_000
_PATTERN = frozenset("*?[")


class Sources(NamedTuple):
    """The files of a source, in the order in which they are read."""

    files: list[Path]
    names: list[str]
    """What each is called where there are several; empty where there is one."""
    notes: list[str]
    """What was left out."""


def resolve_source(source: str, base: Path | None = None) -> Path:
    """The absolute path of a source; raises DataError for a name that is not text."""
    if source == PRACTICE:
        return EMPLOYEES_CSV
    try:
        source.encode("utf-8")
        path = Path(source).expanduser()
        return ((base or Path.cwd()) / path).absolute()
    except (UnicodeEncodeError, RuntimeError):  # bytes that are no text; a home folder that nobody has
        raise DataError(f"{shown(source)} can't be used as a file name.", next_step="Rename the file.") from None


def files_of(path: Path) -> Sources:
    """The files that a path or a pattern means.

    Raises:
        DataError: There is none, or none of a kind that is read.
        AccessError: The file system refuses to let it be looked at.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if _PATTERN & set(str(path)):
            return _matching(path)
        _missing(path)
    except ValueError:  # a NUL in it
        raise DataError(f"{name_of(path)} can't be used as a file name.", next_step="Check the path.") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"{name_of(path)} is too long for a file name.", next_step="Check the path.") from None
        raise refused(path, error) from error
    if stat.S_ISDIR(mode):
        return _several(path, path, _inside(path))
    if not kind_of(path.name).readable:
        raise _other_kind(path)
    if not stat.S_ISREG(mode):
        raise DataError(f"{name_of(path)} is not an ordinary file.", next_step=f"{READABLE}.", file=path)
    return Sources([path], [], [])


def refused(path: Path, error: OSError) -> AccessError:
    """The error for a file that the file system refuses."""
    return AccessError(
        f"{name_of(path)} can't be read: {error.strerror or type(error).__name__}.",
        next_step="Mend its permissions (`ls -l` shows them), or copy it to where you may read it.",
    )


def _inside(folder: Path) -> list[Path]:
    """All ordinary files in a folder and those below it that are not hidden, in order."""
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise refused(Path(error.filename or folder), error) from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
        if len(found) > _MOST_FILES:
            raise DataError(
                f"{name_of(folder)} holds more than {_MOST_FILES:,} files.",
                next_step="Name a folder with fewer, or put them into one file.",
                file=folder,
            )
    return found


def _matching(pattern: Path) -> Sources:
    """The files that a pattern matches."""
    try:
        found = sorted(Path(name) for name in glob.iglob(str(pattern), recursive=True))  # noqa: PTH207  takes a whole pattern
    except (OSError, ValueError):
        found = []
    if not found:
        raise DataError(f"No file matches {name_of(pattern)}.", next_step="Check the pattern.", file=pattern)
    fixed = next(parent for parent in pattern.parents if not _PATTERN & set(str(parent)))
    return _several(pattern, fixed, found)


def _several(path: Path, folder: Path, found: list[Path]) -> Sources:
    """Those of many files that are read: tables, or where there is no table, text."""
    files = [one for one in found if kind_of(one.name).readable and one.is_file()]
    others = sum(one.is_file() for one in found) - len(files)
    if not files:
        raise DataError(
            f"{name_of(path)} {'holds' if path == folder else 'matches'} no file that is read here.",
            next_step=f"{READABLE}.",
            file=path,
        )
    texts = [one for one in files if kind_of(one.name).format == "text"]
    notes = [f"{counted(others, 'file')} of other kinds {'is' if others == 1 else 'are'} left out."] if others else []
    if texts and len(texts) < len(files):
        files = [one for one in files if kind_of(one.name).format != "text"]
        told = ", ".join(shown(one.name) for one in texts[:3]) + (" and more" if len(texts) > 3 else "")
        notes.append(f"Text is left out, because there are tables: {told}.")
    names = [one.relative_to(folder).as_posix() for one in files]
    clean = [name.encode("utf-8", "backslashreplace").decode("utf-8") for name in names]
    return Sources(files, clean if len(files) > 1 else [], notes)


def _other_kind(path: Path) -> DataError:
    kind = f"of the kind {shown(path.suffix)}" if path.suffix else "without an ending such as .csv"
    step = f"{READABLE}; save or export it as one of them."
    if path.suffix.lower() in (".db", ".sqlite", ".sqlite3"):
        step = f"Name a database by its address: sqlite:///{name_of(path)}"
    return DataError(f"{name_of(path)} is a file {kind}, which is not read here.", next_step=step, file=path)


def _missing(path: Path) -> NoReturn:
    """Say that there is no such file, with the nearest name that there is."""
    if not path.parent.is_dir():
        title, next_step = f"There is no folder {name_of(path.parent)}.", "Check the path."
    else:
        title, next_step = f"There is no file {name_of(path)}.", "Check the path."
        held = _files_in(path.parent)
        near = difflib.get_close_matches(path.name.lower(), [name.lower() for name in held], n=1, cutoff=0.5)
        if near:
            next_step = f"Did you mean {next(name for name in held if name.lower() == near[0])}?"
        elif held:
            next_step = f"That folder holds {', '.join(held[:3])}{' and more' if len(held) > 3 else ''}."
    raise DataError(title, next_step=next_step, file=path) from None


def _files_in(folder: Path) -> list[str]:
    """The names of the readable kinds of file in a folder; none where it can't be looked into."""
    try:
        return sorted(shown(entry.name) for entry in folder.iterdir() if kind_of(entry.name).readable)
    except OSError:
        return []
