"""Finds out how a text file is written and gives its bytes as UTF-8, with line feeds at the ends of lines."""

from __future__ import annotations

import codecs
import re
import tempfile
from typing import BinaryIO, cast

from charset_normalizer import from_bytes

from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.read.cache import scratch
from tunesmith.core.prepare.read.letters import encoding_by_letters
from tunesmith.core.prepare.read.opened import Opened
from tunesmith.core.prepare.read.sink import Sink

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_TELLING = 32
"""Bytes above 127 from which a sample tells something."""
_CLOSE = 0.02
"""Share of disorder (charset-normalizer's `chaos`) that tells nothing."""
_WESTERN = frozenset("äöüßÄÖÜéèêëàâáãåçñíìîïóòôõøœæúùûÉÈÊÀÂÁÃÅÇÑÍÎÓÔÕØŒÆÚÛ¿¡«»‘’‚“”„–—…•€£§°ºª´·©®™\xa0½¼²³µ×")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RARE = frozenset(f"iso8859_{part}" for part in (3, 4, 10, 13, 14, 16)) | {"mac_latin2", "cp775", "shift_jis_2004"}
"""Encodings that hardly any file is in: taken only where no other fits within `_CLOSE`."""
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NAMES = {"cp1252": "Windows-1252", "latin_1": "Latin-1", "utf-16": "UTF-16", "utf-32": "UTF-32"}
_NAMES |= {"cp1250": "Windows-1250", "cp1251": "Windows-1251", "koi8_r": "KOI8-R", "iso8859_2": "ISO 8859-2"}
_NAMES |= {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def as_utf8(opened: Opened, sink: Sink) -> None:
    """Make `opened.file` UTF-8 behind its byte order mark, and stand at its first character.

    The encoding is what the person said, else what the bytes tell; a note says which it is taken for.

    Bytes that are no UTF-8 in a file that is otherwise are left as they are: their rows are set aside by the reader.
    """
    head = opened.file.read(_SAMPLE)
    opened.file.seek(0)
    encoding, behind = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), ("", 0))
    sure = bool(encoding)
    if not encoding and opened.encoding is None:
        encoding = _without_mark(head)
        sure = bool(encoding)
        encoding = encoding or _checked(opened)
    if opened.encoding is not None:
        encoding, behind = opened.encoding, behind if opened.encoding in (encoding, "utf-8-sig") else 0
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    if encoding == "utf-8":
        if b"\r" in head and b"\n" not in head:  # line ends of the old Macintosh
            _convert(opened, "utf-8", behind)
        else:
            opened.file.seek(behind)
        return
    name = _NAMES.get(encoding, shown(encoding.replace("_", "-")))
    if opened.encoding is None:
        guess = "" if sure else ", which is a guess: prepare.encoding in the plan says otherwise"
        sink.note(f"{sink.subject} is not written in UTF-8; it is read as {name}{guess}.")
    elif not _decodes(opened, encoding):
        sink.note(f"{sink.subject} has bytes that are no {name}, which is prepare.encoding; \ufffd stands for them.")
    _convert(opened, encoding)


def _without_mark(head: bytes) -> str:
    """UTF-16 that does not say so: of Western text, every other byte is a NUL."""
    half = len(head) // 2
    if half > 3 and head[1::2].count(0) > 0.4 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half > 3 and head[0::2].count(0) > 0.4 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return ""


def _checked(opened: Opened) -> str:
    """UTF-8, or what else the bytes are likely to be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    opened.file.seek(0)
    done, wrong = 0, False
    while not wrong and (chunk := opened.file.read(_CHUNK)):
        try:
            if not (chunk.isascii() and decoder.getstate()[0] == b""):
                decoder.decode(chunk)
        except UnicodeDecodeError:
            wrong = True
        done += len(chunk)
        opened.meter("reading", 0, opened.size)
    opened.file.seek(0)
    return _guessed(opened) if wrong else "utf-8"


def _guessed(opened: Opened) -> str:
    """The encoding of a file that is not UTF-8 throughout, by the lines with bytes above 127.

    Whatever has as many characters in UTF-8 as bytes that are none is UTF-8 with a few broken bytes. Short samples
    tell nothing of one-byte encodings: they are taken for Windows-1252, by far the most frequent one.
    """
    sample = bytearray()
    for line in opened.file:
        if not line.isascii():
            sample += line[:_SAMPLE]
        if len(sample) >= _SAMPLE:
            break
    opened.file.seek(0)
    good = _SEQUENCE.findall(sample)
    high = sum(byte > 127 for byte in sample)
    if good and len(good) >= high - sum(map(len, good)):
        return "utf-8"
    told = encoding_by_letters(bytes(sample))
    if told and _decodes(opened, told):
        return told
    western = "cp1252" if _decodes(opened, "cp1252") else "latin_1"
    matches = from_bytes(bytes(sample))
    best = matches.best()
    if best is None or high < _TELLING or not _decodes(opened, best.encoding):
        return western
    # Neighbours such as Windows-1250 often fit as well; then it is the one that most files are in.
    same = any(western in one.could_be_from_charset and one.chaos <= best.chaos + _CLOSE for one in matches)
    if same and _looks_western(bytes(sample), western):
        return western
    if best.encoding not in _RARE:
        return best.encoding
    near = (one.encoding for one in matches if one.encoding not in _RARE and one.chaos <= best.chaos + _CLOSE)
    return next((one for one in near if _decodes(opened, one)), best.encoding)


def _looks_western(sample: bytes, encoding: str) -> bool:
    """Whether nearly all characters above 127 are those of Western European text."""
    odd = [letter for letter in sample.decode(encoding, "replace") if letter > "\x7f"]
    return sum(letter in _WESTERN for letter in odd) >= 0.95 * len(odd)


def _decodes(opened: Opened, encoding: str) -> bool:
    """Whether the whole file can be read in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := opened.file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except (UnicodeError, ValueError):
        return False
    finally:
        opened.file.seek(0)
    return True


def _convert(opened: Opened, encoding: str, behind: int = 0) -> None:
    """Put a copy in UTF-8, without a mark and with line feeds, in the place of the file."""
    opened.file.seek(behind)
    reader = codecs.getincrementaldecoder(encoding)(errors="surrogateescape" if encoding == "utf-8" else "replace")
    copy = cast(BinaryIO, tempfile.TemporaryFile(dir=scratch()))  # noqa: SIM115  closed with `opened`
    held = ""
    while True:
        chunk = opened.file.read(_CHUNK)
        text = held + reader.decode(chunk, final=not chunk)
        held = "\r" if text.endswith("\r") and chunk else ""
        text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n")
        if not copy.tell():
            text = text.removeprefix("\ufeff")
        copy.write(text.encode("utf-8", "surrogateescape" if encoding == "utf-8" else "replace"))
        if not chunk:
            break
    opened.file.close()
    opened.size = copy.tell()
    opened.file = copy
    copy.seek(0)
