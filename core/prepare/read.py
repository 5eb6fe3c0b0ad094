"""Reads CSV, JSON and JSON lines into records with their lines, or says in one sentence what is wrong with a file."""

from __future__ import annotations

import difflib
import errno
import hashlib
import stat
from pathlib import Path
from typing import NoReturn

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.practice import EMPLOYEES_CSV, PRACTICE
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.read_csv import parse_csv
from tunesmith.core.prepare.read_json import parse_json, parse_jsonl
from tunesmith.core.prepare.records import Format, Records, name_of

FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_READABLE = "CSV (.csv, .tsv), JSON (.json) and JSON lines (.jsonl) files are read"


def read_records(source: str, base: Path | None = None) -> Records:
    """All records of a file.

    Args:
        source: A path, or `practice` for the built-in table.
        base: The folder that a relative path starts from; the current one where it is None.

    Raises:
        DataError: The file is missing, empty, binary, of a kind that is not read, or wrong at a line.
        AccessError: The file system refuses to let it be read.
    """
    path = resolve_source(source, base)
    form, content = _content(path)
    text = _text(path, content)
    if not text.strip():
        raise DataError(f"{name_of(path)} is empty.", next_step="Name a file with rows in it.", file=path)
    if form == "csv":
        columns, rows = parse_csv(path, text)
    elif form == "json":
        columns, rows, form = parse_json(path, text)
    else:
        columns, rows = parse_jsonl(path, text)
    fingerprint = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Records(source if source == PRACTICE else str(path), path, form, fingerprint, columns, rows)


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


def _content(path: Path) -> tuple[Format, bytes]:
    """The file's format and bytes, unless it is missing, a folder, no ordinary file, or of a kind that is not read."""
    form = FORMATS.get(path.suffix.lower())
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            held = _files_in(path)
            there = f"In it: {', '.join(held[:3])}." if held else f"{_READABLE}."
            raise DataError(f"{name_of(path)} is a folder, not a file.", next_step=f"Name a file. {there}", file=path)
        if form is None:
            kind = f"of the kind {shown(path.suffix)}" if path.suffix else "without an ending such as .csv"
            raise DataError(
                f"{name_of(path)} is a file {kind}, which is not read here.",
                next_step=f"{_READABLE}; save or export it as one of them.",
                file=path,
            )
        if not stat.S_ISREG(mode):
            raise DataError(f"{name_of(path)} is not an ordinary file.", next_step=f"{_READABLE}.", file=path)
        return form, path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        _missing(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise DataError(f"{name_of(path)} is too long for a file name.", next_step="Check the path.") from None
        raise AccessError(
            f"{name_of(path)} can't be read: {error.strerror}.",
            next_step="Mend its permissions (`ls -l` shows them), or copy it to where you may read it.",
        ) from error


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
        return sorted(shown(entry.name) for entry in folder.iterdir() if entry.suffix.lower() in FORMATS)
    except OSError:
        return []


def _text(path: Path, content: bytes) -> str:
    """The bytes as text, which has to be UTF-8, with or without a byte order mark."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(
            f"{name_of(path)} is written in UTF-16, not in UTF-8.",
            next_step="Save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW.",
            file=path,
            line=1,
        )
    if (at := content.find(b"\0")) >= 0:
        raise DataError(
            f"{name_of(path)} is not a text file: byte {at + 1:,} is a NUL.",
            next_step=f"{_READABLE}; export it as one of them.",
            file=path,
            line=content.count(b"\n", 0, at) + 1,
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark, the decoder counts from behind it.
        at = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        line = content.count(b"\n", 0, at) + 1
        raise DataError(
            f"{name_of(path)}: line {line:,}: byte {at + 1:,} (0x{content[at]:02x}) is not UTF-8.",
            cause="The file is written in another encoding, often Windows-1252.",
            next_step="Save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW.",
            file=path,
            line=line,
        ) from None
