"""Opens a file for a reader: plain bytes that can be searched through, also where the file itself is compressed.

What is compressed is unpacked into a file without a name, never to a place that the archive chooses, and only so far:
more than 200 times the compressed size is taken for a trap.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pyarrow as pa

from tunesmith.core.errors import AccessError, DataError
from tunesmith.core.meter import Meter
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import PART
from tunesmith.core.prepare.read.cache import scratch
from tunesmith.core.prepare.read.formats import READABLE, kind_of
from tunesmith.core.prepare.records import Format, name_of

MOST_EXPANSION = 200
"""Times the compressed size. Text seldom shrinks to less than a fiftieth, a trap to a thousandth (RFC 1951's limit)."""
_ALWAYS_ALLOWED = 64 << 20
_CHUNK = 1 << 16
_MAGIC = {
    b"\x1f\x8b": "a gzip file (.gz)",
    b"\x28\xb5\x2f\xfd": "a Zstandard file (.zst)",
    b"PK\x03\x04": "a zip archive or a workbook (.zip, .xlsx, .ods)",
    b"PAR1": "a Parquet file (.parquet)",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old workbook (.xls)",
    b"SQLite format 3\0": "an SQLite database (sqlite:///PATH)",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
}
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException, NotImplementedError, ValueError)


@dataclass
class Opened:
    """A file that is being read."""

    path: Path
    """As the person knows it."""
    file: BinaryIO
    """Its plain bytes, from the first on; can be searched through."""
    size: int
    """Of the plain bytes."""
    format: Format
    meter: Meter
    part: str | None = None
    """Which sheet is meant."""
    broken: str = ""
    """Why the plain bytes end early; empty where they don't."""
    encoding: str | None = None
    """How a text file is written, where the person said so: Python's name."""
    name: str = ""
    """Of the plain file: its ending tells CSV from TSV."""

    def told(self, done: int) -> None:
        """Tell the meter how many bytes are read."""
        self.meter("reading", min(done, self.size), self.size)

    def refuse_binary(self) -> None:
        """Raise DataError where text is wanted and the first bytes are those of something else."""
        head = self.file.read(4096)
        self.file.seek(0)
        for magic, what in _MAGIC.items():
            if head.startswith(magic):
                raise DataError(
                    f"{name_of(self.path)} is not a text file: it begins as {what} does.",
                    next_step="Give it the ending of what it is, or export it as CSV, JSON or text.",
                    file=self.path,
                    line=1,
                )
        odd = sum(byte < 32 and byte not in b"\t\n\r\f\x1b\0" for byte in head)
        if odd > 8 and odd > len(head) // 10:
            raise DataError(
                f"{name_of(self.path)} is not a text file: {odd} of its first {len(head):,} bytes are no characters.",
                next_step=f"{READABLE}; export it as one of them.",
                file=self.path,
                line=1,
            )


@contextmanager
def opened(path: Path, meter: Meter, part: str | None = None) -> Iterator[Opened]:
    """Open a file of a kind that is read; closes it after.

    Raises:
        DataError: What it is packed into is damaged, a trap, or holds no one file that is read.
        OSError: It can't be read.
    """
    kind = kind_of(path.name)
    with path.open("rb") as raw:
        size = path.stat().st_size
        if not kind.packed:
            assert_readable = cast(Format, kind.format)
            yield Opened(path, cast(BinaryIO, raw), size, assert_readable, meter, part, name=path.name)
            return
        with tempfile.TemporaryFile(dir=scratch()) as plain:
            if kind.packed == "zip":
                form, part, broken = _from_zip(path, raw, plain, part, meter)
            else:
                form = cast(Format, kind.format)
                unpacking: Any = gzip.GzipFile(fileobj=raw) if kind.packed == "gzip" else _zstd(raw)
                broken = _unpack(path, unpacking, plain, size, meter)
            length = plain.seek(0, 2)
            plain.seek(0)
            name = path.stem if kind.packed != "zip" else form
            yield Opened(path, cast(BinaryIO, plain), length, form, meter, part, broken, name=name)


def _zstd(raw: IO[bytes]) -> Any:
    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")


def _from_zip(
    path: Path, raw: IO[bytes], plain: IO[bytes], part: str | None, meter: Meter
) -> tuple[Format, str | None, str]:
    """Unpack the one member that is read; gives its format, what is left of `part`, and why it ends early."""
    try:
        with zipfile.ZipFile(raw) as archive:
            member = _member(path, archive, part)
            if member.flag_bits & 1:
                raise DataError(
                    f"{name_of(path)} is locked with a password.",
                    next_step="Unpack it yourself and name the file in it.",
                    file=path,
                )
            with archive.open(member) as unpacking:
                broken = _unpack(path, unpacking, plain, member.compress_size, meter)
            form = kind_of(member.filename).format
            return cast(Format, form), None if part == member.filename else part, broken
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _member(path: Path, archive: zipfile.ZipFile, part: str | None) -> zipfile.ZipInfo:
    """The member that `part` names, or the only one that can be read."""
    held = {
        member.filename: member
        for member in archive.infolist()
        if kind_of(member.filename).format
        and not kind_of(member.filename).packed
        and not any(step.startswith((".", "__MACOSX")) for step in member.filename.split("/"))
    }
    if part in held:
        return held[part]
    if not held:
        raise DataError(f"{name_of(path)} holds no file that is read here.", next_step=f"{READABLE}.", file=path)
    only = next(iter(held.values())) if len(held) == 1 else None
    if only and (part is None or kind_of(only.filename).format in ("excel", "json")):  # then it means a part of that
        return only
    names = ", ".join(shown(name) for name in list(held)[:5]) + (" and more" if len(held) > 5 else "")
    if part is None:
        title = f"{name_of(path)} holds several files: {names}."
    else:
        title = f"{name_of(path)} holds no file {shown(part)}: it holds {names}."
    raise DataError(title, next_step="Name one of them as prepare.part.", file=path, asks=PART, names=held)


def _unpack(path: Path, unpacking: Any, plain: IO[bytes], packed: int, meter: Meter) -> str:
    """Copy what comes out to `plain`; gives why it ends early, where it does.

    Raises:
        DataError: Nothing comes out, or far too much.
        AccessError: There is no room for it.
    """
    done, most = 0, max(_ALWAYS_ALLOWED, packed * MOST_EXPANSION)
    while True:
        try:
            chunk = unpacking.read1(_CHUNK)  # what comes before a damaged place is kept
        except _DAMAGED as error:
            if not done:
                raise _damaged(path, error) from None
            _end_at_line(plain)
            return "the compressed file is damaged from here on"
        if not chunk:
            return ""
        done += len(chunk)
        if done > most:
            raise DataError(
                f"{name_of(path)} unpacks to more than {MOST_EXPANSION} times its size, as no data does.",
                next_step="Unpack it yourself if you trust it, and name the file that comes out.",
                file=path,
            )
        try:
            plain.write(chunk)
        except OSError as error:
            raise AccessError(
                f"There is no room to unpack {name_of(path)}: {error.strerror}.",
                next_step="Make room, or name another folder as TUNESMITH_CACHE.",
            ) from error
        meter("unpacking", done, 0)


def _end_at_line(plain: IO[bytes]) -> None:
    """Cut what was unpacked behind its last whole line: the rest of the line is lost."""
    at = plain.seek(0, 2)
    while at > 0:
        start = max(0, at - _CHUNK)
        plain.seek(start)
        found = plain.read(at - start).rfind(b"\n")
        if found >= 0:
            plain.truncate(start + found + 1)
            return
        at = start


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{name_of(path)} can't be unpacked: {shown(str(error) or type(error).__name__).rstrip('.')}.",
        next_step="Download or compress it anew.",
        file=path,
        line=1,
    )
