"""Workbooks of Excel and LibreOffice: one sheet, its first row that is not empty is the header."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import PART
from tunesmith.core.prepare.read.opened import MOST_EXPANSION, Opened
from tunesmith.core.prepare.read.sink import Sink
from tunesmith.core.prepare.read.unnamed import name_by_letter
from tunesmith.core.prepare.records import BATCH, Format, check_names, name_of, no_rows

_ALWAYS_ALLOWED = 256 << 20
_MOST = 2 << 30
"""Bytes that a workbook may unpack to: it has to be held in memory."""
_MOST_CELLS = 64_000_000
"""Of the rectangle around all cells, which is held in memory with all that are empty: some 2 GB."""
_CELL = re.compile(rb' r="([A-Z]{1,3})\d{1,7}"')
_ROW = re.compile(rb'<row[^>]*? r="(\d{1,7})"')


def read_workbook(opened: Opened, sink: Sink) -> Format:
    """Read the sheet that `part` names, else the first that is not empty; lines are the sheet's rows.

    Raises:
        DataError: It is no workbook, locked, a trap, has no such sheet, or no rows; or two columns are named alike.
    """
    _refuse_trap(opened)
    sheet, book = _sheet(opened, sink)
    try:
        rows = _rows(sheet)
        found = next(rows, None)
        if found is None:
            raise no_rows(opened.path, f"holds nothing on its sheet {shown(sheet.name)}")
        line, header = found
        table = list(rows)
    except DataError:
        raise
    except BaseException as error:  # noqa: BLE001  a panic of calamine is no Exception
        raise _broken(opened, error) from None
    finally:
        del book
    width = max([len(header), *(len(cells) for _, cells in table)], default=0)
    names = [*(name.strip() for name in header), *[""] * (width - len(header))]
    filled = [any(at < len(cells) and cells[at] for _, cells in table) for at in range(width)]
    kept = [at for at in range(width) if names[at] or filled[at]]
    for note in name_by_letter(names, kept):
        sink.note(note)
    check_names(opened.path, [names[at] for at in kept], line)
    for start in range(0, len(table), BATCH):
        part = table[start : start + BATCH]
        values = [{names[at]: cells[at] if at < len(cells) else "" for at in kept} for _, cells in part]
        sink.objects([number for number, _ in part], values)
        opened.meter("reading", start + len(part), len(table))
    return "excel"


def _sheet(opened: Opened, sink: Sink) -> tuple[Any, Any]:
    """The sheet that is read, and the workbook, which must live as long."""
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(opened.file)
        names: list[str] = list(book.sheet_names)
        if opened.part is not None:
            if opened.part not in names:
                told = ", ".join(shown(name) for name in names[:10])
                raise DataError(
                    f"{name_of(opened.path)} has no sheet {shown(opened.part)}: it has {told}.",
                    next_step="Name one of them as prepare.part.",
                    file=opened.path,
                    asks=PART,
                    names=names,
                )
            return book.get_sheet_by_name(opened.part), book
        filled = []
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height and sheet.width:
                filled.append(sheet)
        if not filled:
            raise no_rows(opened.path, "holds nothing on its sheets")
        if len(filled) > 1:
            others = ", ".join(shown(sheet.name) for sheet in filled[1:6])
            sink.note(f"The sheet {shown(filled[0].name)} is read; {others} are left out (prepare.part names another).")
        return filled[0], book
    except DataError:
        raise
    except PasswordError:
        raise DataError(
            f"{name_of(opened.path)} is locked with a password.",
            next_step="Save it without one, or export the sheet as CSV.",
            file=opened.path,
        ) from None
    except BaseException as error:  # noqa: BLE001  a panic of calamine is no Exception
        raise _broken(opened, error) from None


def _broken(opened: Opened, error: BaseException) -> BaseException:
    """What calamine meant. A panic of its Rust code is no Exception; whatever else is none goes on its way."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        return error
    text = str(error).split("\n", 1)[0].strip() or type(error).__name__
    return DataError(
        f"{name_of(opened.path)} can't be read as a workbook: {shown(text.rstrip('.'), most=160)}.",
        next_step="Open it in a spreadsheet and save it anew, or export the sheet as CSV.",
        file=opened.path,
        line=1,
    )


def _refuse_trap(opened: Opened) -> None:
    """A workbook is a zip archive: one that unpacks to far more than its size would fill the memory."""
    try:
        with zipfile.ZipFile(opened.file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size <= _MOST:
                for member in archive.namelist():
                    if member.startswith("xl/worksheets/") and member.endswith(".xml"):
                        _refuse_far_cells(opened, archive, member)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError):
        size = 0  # an old .xls, or broken: calamine tells which
    finally:
        opened.file.seek(0)
    if size > max(_ALWAYS_ALLOWED, min(opened.size * MOST_EXPANSION, _MOST)):
        raise DataError(
            f"{name_of(opened.path)} unpacks to {size >> 20:,} MB, which is too much for a workbook.",
            next_step="Export the sheet as CSV.",
            file=opened.path,
        )


def _refuse_far_cells(opened: Opened, archive: zipfile.ZipFile, member: str) -> None:
    """One stray cell at the far corner would make a table of 17 thousand million cells."""
    row, letters, held = 1, b"A", b""
    with archive.open(member) as file:
        while chunk := file.read(1 << 20):
            text = held + chunk
            letters = max({letters, *_CELL.findall(text)}, key=lambda found: (len(found), found))
            row = max([row, *map(int, _ROW.findall(text))])
            held = text[-64:]
    columns = 0
    for letter in letters:
        columns = columns * 26 + letter - 64
    if row * columns > _MOST_CELLS:
        raise DataError(
            f"{name_of(opened.path)}: the cells of a sheet reach to {letters.decode()}{row}, too far to be held.",
            next_step="Delete the stray cells far from the table, or export the sheet as CSV.",
            file=opened.path,
        )


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every row that is not empty."""
    begins = sheet.start or (0, 0)
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), start=begins[0] + 1):
        cells = [_text(cell) for cell in row]
        if any(cells):
            yield number, cells


def _text(cell: Any) -> str:
    """A cell as its sheet shows it, dates in ISO 8601."""
    if isinstance(cell, str):
        return cell.strip("\ufeff")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return "" if cell is None else str(cell)
