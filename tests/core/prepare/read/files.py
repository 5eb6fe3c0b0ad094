"""Makes the files that the readers' tests read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Records

PEOPLE = "name,salary\nAlice,85000\nBob,72000\n"
PAIRS = [{"name": "Alice", "salary": "85000"}, {"name": "Bob", "salary": "72000"}]


def read(
    folder: Path,
    name: str,
    content: str | bytes | None = None,
    part: str | None = None,
    encoding: str | None = None,
) -> Records:
    """Write a file (unless it is there) and read it."""
    if content is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_records(name, folder, part=part, encoding=encoding)


def refusal(folder: Path, name: str, content: str | bytes | None = None, part: str | None = None) -> DataError:
    """The error that a file is refused with, which must be one clear sentence and a next step."""
    with pytest.raises(DataError) as caught:
        read(folder, name, content, part)
    clear(caught.value)
    return caught.value


def clear(error: TunesmithError) -> None:
    """Hold an error to what every one must be."""
    assert error.title.endswith(".") and error.next_step
    assert str(error).isprintable()


def values(records: Records) -> list[dict[str, object]]:
    return [row.values for row in records.rows]


def told(records: Records) -> list[tuple[int, str]]:
    """What was set aside: line and why."""
    return [(rejected.line, rejected.why) for rejected in records.rejected]


Cell = str | float | bool | None


def xlsx(sheets: dict[str, Sequence[Sequence[Cell]]], first_row: int = 1) -> bytes:
    """A workbook as Excel writes it, with the cells' texts inline."""
    made = io.BytesIO()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{kinds}.worksheet+xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>{parts}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        named = "".join(
            f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(sheets, start=1)
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{named}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="rId{at}" Type="{office}/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>'
        )
        for at, rows in enumerate(sheets.values(), start=1):
            lines = "".join(_row(number, row) for number, row in enumerate(rows, start=first_row))
            archive.writestr(
                f"xl/worksheets/sheet{at}.xml", f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'
            )
    return made.getvalue()


def _row(number: int, cells: Sequence[Cell]) -> str:
    told = []
    for at, cell in enumerate(cells):
        place = f"{chr(65 + at)}{number}"
        if isinstance(cell, bool):
            told.append(f'<c r="{place}" t="b"><v>{int(cell)}</v></c>')
        elif isinstance(cell, str):
            told.append(f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>')
        elif cell is not None:
            told.append(f'<c r="{place}"><v>{cell}</v></c>')
    return f'<row r="{number}">{"".join(told)}</row>'


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """A spreadsheet as LibreOffice writes it."""
    made = io.BytesIO()
    names = "urn:oasis:names:tc:opendocument:xmlns"
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f'<office:document-content xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0" '
            f'xmlns:text="{names}:text:1.0"><office:body><office:spreadsheet><table:table table:name="One">{lines}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return made.getvalue()
