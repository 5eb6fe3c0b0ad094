"""Faults inside texts: broken encoding, left-overs of web pages, signs that nobody sees, runs of spaces."""

from __future__ import annotations

import re
from typing import Any, Protocol

from tunesmith.core.facts import DataFinding
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import FEW, Noted, Places, finding
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.repair.nested import readable
from tunesmith.core.prepare.unseen import UNSEEN

_BROKEN = re.compile("[Â-ô][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|вЂ|[РС][°±²³µ¶·ё‚ѓ„…†‡€‰љ‹њќћџ]|Ã |ΓÇ|Ôé")
"""What every text read in a wrong encoding holds (UTF-8 read as Windows-1252, Latin-1, Windows-1251, CP437): cheap to
search for; whether it is one, ftfy's measure decides."""

_TAG = re.compile(
    r"</?(?:p|br|hr|div|span|a|b|i|u|em|strong|font|center|ul|ol|li|table|tbody|thead|tr|td|th|h[1-6]|img|sup|sub|small|"
    r"script|style|iframe|blockquote|section|article|html|body|head|meta|link)"
    r"(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+))?)*\s*/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|copy|reg|hellip|mdash|ndash|[lr][sd]quo|[A-Za-z]uml|szlig|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_CODE = ("```", "<html", "<script", "<!doctype", "<code", "<pre", "html", "HTML", "function(", "def ", "xml")
"""Signs that markup is what the text is about."""

_VISIBLE = bytes((9, 10, 13, *range(32, 127), *range(128, 256)))
_RUNS = re.compile(r"\S[ \u00a0]{2,}\S")

AROUND, BEFORE = 50, 20
"""Characters that are shown of a text with a fault, and those of them before it."""

LOST = "\ufffd"
"""What a program writes for bytes that it could not read."""


class Finder(Protocol):
    """Looks for one fault in the cells of a column."""

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have it, rising."""


class _ByColumn:
    """Counts rows by column."""

    def __init__(self, places: Places, names: tuple[str, ...]) -> None:
        self._places = places
        self._names = names
        self._noted = {name: Noted() for name in names}

    def see(self, page: Page) -> None:
        """The next records."""
        for name in self._names:
            for row in self.rows(page, name):
                self._noted[name].note(page.start + row, page.columns[name][row])

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have the fault."""
        raise NotImplementedError

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        return [self._finding(name, noted) for name, noted in self._noted.items() if noted.count]

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        raise NotImplementedError

    def _around(self, text: str, column: str, *patterns: re.Pattern[str]) -> str:
        """What stands where the first of the patterns is found, as it may be shown."""
        return self._places.told(text, column, AROUND, begin_of(text, *patterns))

    def _examples(self, noted: Noted, column: str, *patterns: re.Pattern[str]) -> list[str]:
        return [f"{self._places.place(at)}: {self._around(t, column, *patterns)}" for t, at in noted.kept.items()]


class BrokenEncoding(_ByColumn):
    """Texts that were read in a wrong encoding once (mojibake), by ftfy's measure."""

    def __init__(self, seen: Seen, places: Places) -> None:
        super().__init__(places, seen.texts)
        self._seen = seen

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have the fault."""
        if page.joined(column).isascii():
            return []
        from ftfy.badness import is_bad

        cells = page.columns[column]
        return [row for row in page.rows_like(column, _BROKEN) if is_bad(cells[row])]

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        import ftfy

        verb = "looks" if noted.count == 1 else "look"
        told = [(at, self._around(text, name, _BROKEN)) for text, at in noted.kept.items()]
        repairs = ({"kind": "fix-encoding", "column": name},)
        return finding(
            "encoding",
            name,
            noted.count,
            self._places.rows,
            f"{shown(name)}: {counted(noted.count, 'row')} {verb} as if read in a wrong encoding, e.g. {told[0][1]}.",
            "The model learns to write these signs, and a word with them is another word to it.",
            examples=[f"{self._places.place(at)}: {t} → {shown(ftfy.fix_encoding(t))}" for at, t in told],
            severity="serious" if noted.count > FEW * self._places.rows else "warning",
            repairs=repairs,
            recommended=True,
        )


class LostCharacters(_ByColumn):
    """Texts in which characters were lost when they were saved."""

    def __init__(self, seen: Seen, places: Places) -> None:
        super().__init__(places, seen.texts)

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have the fault."""
        return list(page.rows_with(column, LOST))

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        return finding(
            "lost-characters",
            name,
            noted.count,
            self._places.rows,
            f"{shown(name)}: in {counted(noted.count, 'row')} characters were lost before it came here (�); only the "
            "source of the data can give them back.",
            "The model learns words with holes.",
            examples=self._examples(noted, name, re.compile(LOST)),
        )


class Markup(_ByColumn):
    """Left-overs of web pages: tags and entities."""

    def __init__(self, seen: Seen, places: Places) -> None:
        super().__init__(places, seen.texts)
        self._seen = seen
        self._code = dict.fromkeys(seen.texts, 0)

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have the fault."""
        text = page.joined(column)
        found: set[int] = set()
        if "<" in text:
            found.update(page.rows_like(column, _TAG))
        if "&" in text:
            found.update(page.rows_like(column, _ENTITY))
        for row in found:
            # What asks for a web page says so, though the page itself does not.
            cells = [page.columns[name][row] for name in self._names]
            self._code[column] += any(sign in cell for cell in cells for sign in _CODE)
        return sorted(found)

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        rows = self._places.rows
        # Where many rows have it, or texts are about code, markup is what is to be learned.
        meant = self._code[name] > 0.1 * noted.count or noted.count > 0.3 * rows
        text = (
            f"{shown(name)}: {counted(noted.count, 'row')} {'holds' if noted.count == 1 else 'hold'} left-overs of web "
        )
        text += f"pages, e.g. {self._around(noted.texts[0], name, _TAG, _ENTITY)}"
        return finding(
            "markup",
            name,
            noted.count,
            rows,
            text + ("; they may be meant." if meant else "."),
            "The model learns to write tags into its answers.",
            examples=self._examples(noted, name, _TAG, _ENTITY),
            severity="note" if meant else "warning",
            repairs=({"kind": "strip-html", "column": name},),
            recommended=not meant,
        )


class Untidy(_ByColumn):
    """Signs that nobody sees, and runs of spaces."""

    def __init__(self, seen: Seen, places: Places) -> None:
        super().__init__(places, seen.texts)
        self._seen = seen
        self._hidden = dict.fromkeys(seen.texts, 0)
        self._laid_out = dict.fromkeys(seen.texts, 0)
        """Rows with runs of spaces that have several lines: code and tables, where the runs are meant."""

    def rows(self, page: Page, column: str) -> list[int]:
        """The rows of the page that have the fault."""
        text = page.joined(column)
        found: set[int] = set()
        if not text.isascii() or text.encode().translate(None, _VISIBLE):
            found.update(row for row in page.rows_like(column, UNSEEN) if UNSEEN.search(self._read(page, column, row)))
            self._hidden[column] += len(found)
        if "  " in text or "\u00a0" in text:
            runs = {row for row in page.rows_like(column, _RUNS) if _RUNS.search(self._read(page, column, row))} - found
            self._laid_out[column] += sum("\n" in self._read(page, column, row) for row in runs)
            found |= runs
        return sorted(found)

    @staticmethod
    def _read(page: Page, column: str, row: int) -> str:
        """A cell as it is read; JSON writes a line end as two signs, and spaces after it are then no run."""
        return readable(page.columns[column][row])

    def _finding(self, name: str, noted: Noted) -> DataFinding:
        hidden, count, rows = self._hidden[name], noted.count, self._places.rows
        runs = count - hidden
        meant = self._laid_out[name] > 0.1 * max(1, runs) or runs > 0.5 * rows
        what = []
        if hidden:
            what.append(f"signs that can't be seen in {counted(hidden, 'row')}")
        if runs:
            what.append(f"runs of spaces in {counted(runs, 'row')}")
        repair: dict[str, Any] = {"kind": "tidy-text", "column": name}
        return finding(
            "untidy",
            name,
            count,
            rows,
            f"{shown(name)}: {' and '.join(what)}"
            + ("; the spaces may be meant, as in code." if meant and runs else "."),
            "The same word with a hidden sign or another space is another word to the model.",
            examples=self._examples(noted, name, UNSEEN, _RUNS),
            severity="warning" if hidden else "note",
            repairs=(repair,),
            recommended=not (meant and runs),
        )


def begin_of(text: str, *patterns: re.Pattern[str]) -> int:
    """Where to begin so that what the first of the patterns finds is seen."""
    found = next((match for pattern in patterns if (match := pattern.search(text))), None)
    return 0 if found is None or len(text) <= AROUND else max(0, found.start() - BEFORE)
