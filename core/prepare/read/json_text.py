"""JSON in the forms it comes in: a list of objects, an object that holds one, one object a line, and SQuAD's tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tunesmith.core.errors import DataError
from tunesmith.core.prepare.cells import shown, text_of
from tunesmith.core.prepare.meant import PART
from tunesmith.core.prepare.read.encoding import as_utf8
from tunesmith.core.prepare.read.json_values import Item, NotJson, Scan, decode, past_space
from tunesmith.core.prepare.read.opened import Opened
from tunesmith.core.prepare.read.sink import MOST_CHARACTERS, Sink
from tunesmith.core.prepare.records import BATCH, Format, check_names, fault, name_of

_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
_OBJECT = 'Write each row as {"column": "value", …}.'


def read_jsonl(opened: Opened, sink: Sink) -> Format:
    """Read one object a line; blank lines are passed over, and what is no object is set aside.

    Raises:
        DataError: It is empty, or no text.
    """
    start = _begin(opened, sink)
    head = opened.file.read(1 << 16).lstrip()
    opened.file.seek(start)
    first = head.partition(b"\n")[0].rstrip()
    if first.startswith(b"[") and not first.endswith(b"]"):  # a list over several lines: JSON by the wrong name
        return read_json(opened, sink)
    rows = _Rows(opened, sink)
    for item in _lines(opened):
        rows.take(item)
    rows.put()
    return "jsonl"


def read_json(opened: Opened, sink: Sink) -> Format:
    """Read the list of objects that a file is or holds (`part` names which, of several), or objects one by one.

    Raises:
        DataError: It is empty, no JSON (names the line), or holds no list of objects.
    """
    start = _begin(opened, sink)
    scan = Scan(opened.file)
    rows = _Rows(opened, sink)
    first = scan.peek()
    if first == "[":
        for item in scan.items():
            rows.take(item)
        _nothing_after(scan, rows)
    elif first != "{":
        try:
            scan.value()
        except NotJson as error:
            raise fault(opened.path, scan.line(error.at), error.why, error.next_step) from None
        raise _no_list(opened, "it is no list of objects")
    else:
        key = _list_in(scan, opened)
        opened.file.seek(start)
        scan = Scan(opened.file)
        scan.peek()
        if key is None:  # JSON lines in a file named .json: common enough to be read
            for item in scan.values():
                rows.take(item)
            rows.put()
            return "jsonl"
        _take_list(scan, rows, key)
    rows.put()
    return "json"


def _take_list(scan: Scan, rows: _Rows, key: str) -> None:
    """Take the list under `key` in the object at `at`; what breaks the object off is set aside."""
    rejected = rows.sink.rejected
    try:
        for name, items in _members(scan):
            for item in items:
                if name == key:
                    rows.take(item)
    except NotJson as error:
        if scan.peek() or rows.sink.rejected == rejected:
            rest = scan.text[scan.at :]
            rows.take(Item(scan.line(error.at), None, 0, error.why, rest, error.next_step))


def _begin(opened: Opened, sink: Sink) -> int:
    """Make it UTF-8, refuse what is no text or empty, and give the place of the first character."""
    opened.refuse_binary()
    as_utf8(opened, sink)
    start = opened.file.tell()
    while not (chunk := opened.file.read(1 << 16)).strip():
        if not chunk:
            raise DataError(
                f"{name_of(opened.path)} is empty.", next_step="Name a file with rows in it.", file=opened.path
            )
    opened.file.seek(start)
    return start


def _lines(opened: Opened) -> Iterator[Item]:
    """The values of JSON lines."""
    quick = msgspec.json.Decoder()
    for number, line in enumerate(opened.file, start=1):
        if number % BATCH == 0:
            opened.told(opened.file.tell())
        try:
            value = quick.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if line.strip():
                yield _carefully(number, line)
            continue
        yield Item(number, value, len(line))


def _carefully(number: int, line: bytes) -> Item:
    """A line that the quick decoder refused: as Python's json takes it, or what is wrong with it."""
    text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        why = f"byte 0x{line[error.start]:02x} is not UTF-8"
        return Item(number, None, 0, why, text, "Save the file as UTF-8.")
    try:
        value, end = decode(text, past_space(text, 0))
    except NotJson as error:
        return Item(number, None, 0, error.why, text, error.next_step)
    if past_space(text, end) < len(text):
        step = "Put one JSON object on each line, and nothing behind it."
        return Item(number, None, 0, f"not JSON lines: more follows at character {end + 1}", text, step)
    return Item(number, value, len(text))


def _list_in(scan: Scan, opened: Opened) -> str | None:
    """The key of the list of objects in the object at the start of the file; None where more objects follow it."""
    found: dict[str, bool] = {}
    try:
        for name, items in _members(scan):
            held = [isinstance(item.value, dict) for item in items if not item.why]
            found[name] = bool(held) and all(held)
    except NotJson as error:
        if '\n{"' in scan.text[scan.at :]:
            return None
        if not any(found.values()):
            raise fault(opened.path, scan.line(error.at), error.why, error.next_step) from None
    else:
        if scan.peek():
            return None
    keys = [key for key, objects in found.items() if objects]
    if opened.part in keys:
        return opened.part
    if len(keys) == 1:
        return keys[0]
    if keys:
        told = ", ".join(shown(key) for key in keys[:5])
        raise DataError(
            f"{name_of(opened.path)} can't be read as rows: it holds several lists: {told}.",
            next_step="Name one of them as prepare.part.",
            file=opened.path,
            line=1,
            asks=PART,
            names=keys,
        )
    raise _no_list(opened, "the object in it holds no list of objects")


def _members(scan: Scan) -> Iterator[tuple[str, Iterator[Item]]]:
    """The lists in the object at `at` by key, each to be gone through before the next.

    Raises:
        NotJson: It is not an object throughout.
    """
    scan.at += 1
    if scan.peek() == "}":
        scan.at += 1
        return
    while True:
        if scan.peek() != '"':
            scan.expect('"')
        key = str(scan.value()[0])
        scan.expect(":")
        if scan.peek() == "[":
            items = scan.items()
            yield key, items
            for _ in items:
                pass
        else:
            scan.value()
        if scan.peek() == "}":
            scan.at += 1
            return
        scan.expect(",")


def _nothing_after(scan: Scan, rows: _Rows) -> None:
    """Set aside anything but white space that comes next."""
    if scan.peek():
        line = scan.line(scan.at)
        step = "Put all objects into one list, or one object a line as .jsonl."
        rows.take(Item(line, None, 0, "more follows after the end of the list", scan.text[scan.at :], step))


def _no_list(opened: Opened, why: str) -> DataError:
    return DataError(
        f"{name_of(opened.path)} can't be read as rows: {why}.",
        next_step='Write one list of objects: [{"question": "…", "answer": "…"}, …], or one object a line as .jsonl.',
        file=opened.path,
        line=1,
    )


class _Rows:
    """Hands objects to the sink, many at a time, and sets aside what is none."""

    def __init__(self, opened: Opened, sink: Sink) -> None:
        self.opened = opened
        self.sink = sink
        self._by_row: bool | None = None
        """Whether places are numbers of rows, because rows share lines; None until a second row has come."""
        self._first: tuple[int, int] | None = None
        """The line and the number of the first row."""
        self._count = 0
        """Of what was taken, rows or not."""
        self._lines: list[int] = []
        self._values: list[dict[str, Any]] = []
        self._size = 0

    def take(self, item: Item) -> None:
        """One value more."""
        why, step = item.why, item.next_step
        value = item.value
        if not why and not isinstance(value, dict):
            why, step = f"{_NAMES.get(type(value), 'a number')} stands where an object should", _OBJECT
        if not why and not all(value):
            try:
                check_names(self.opened.path, list(value), item.line)
            except DataError as error:
                why = error.title.partition(f"line {item.line:,}: ")[2].rstrip(".")
                step = error.next_step
        if why:
            self._count += 1
            if self._by_row:
                why = f"{why} (row {self._count:,})"
            self.sink.reject(item.line, why, item.text if item.why else text_of(value), step)
            return
        for row in _rows_of(value):
            self._count += 1
            if self._first is None:
                self._first = item.line, self._count
            elif self._by_row is None:
                self._by_row = self._first[0] == item.line
                if self._by_row:
                    self._lines = [self._first[1] for _ in self._lines]
                    self.sink.number_rows()
            self._lines.append(self._count if self._by_row else item.line)
            self._values.append(row)
        self._size += item.size
        if len(self._lines) >= BATCH or self._size >= MOST_CHARACTERS:
            self.put()

    def put(self) -> None:
        """Hand over what was taken."""
        if self._lines:
            self.sink.objects(self._lines, self._values)
            self._lines, self._values, self._size = [], [], 0
            self.opened.told(self.opened.file.tell())


def _rows_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The object as a row; an article of SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250) as one for each question."""
    paragraphs = value.get("paragraphs")
    if not isinstance(paragraphs, list) or not paragraphs:
        return [value]
    rows = []
    for paragraph in paragraphs:
        asked = paragraph.get("qas") if isinstance(paragraph, dict) else None
        if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
            return [value]
        for one in asked:
            row = {"id": one.get("id"), "title": value.get("title"), "context": paragraph.get("context")}
            row |= {"question": one.get("question"), "answers": one.get("answers")}
            if "is_impossible" in one:
                row["is_impossible"] = one["is_impossible"]
            rows.append(row)
    return rows
