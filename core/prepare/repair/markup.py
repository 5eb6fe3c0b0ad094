"""HTML in a text: its tags are taken out, its characters written. What only looks like a tag stays as it is."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as parser

_BLOCKS = (
    "address article aside blockquote caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section table tbody tfoot thead tr ul"
)
_INLINE = (
    "a abbr acronym audio b bdi bdo big body br button canvas center cite code col colgroup data datalist del details "
    "dfn em embed font html i iframe img input ins kbd label legend link mark meta meter object optgroup option output "
    "picture progress q s samp select small source span strike strong sub summary sup svg td textarea th time tt u var "
    "video wbr"
)
_UNSHOWN = "script style head title template noscript"
_BREAKING = frozenset(_BLOCKS.split())
"""Elements before and behind which a line breaks (HTML Standard, 15.3.3 Flow content)."""
_UNREAD = frozenset(_UNSHOWN.split())
_TAGS = frozenset((*_BREAKING, *_UNREAD, *_INLINE.split()))

# `List<String>`, `<think>` and `a < b` are no HTML; `<a>` and `<b>` are, which is rarely wrong.
_NAME = "|".join(sorted(_TAGS, key=len, reverse=True))
_TAG = rf"</?(?:{_NAME})(?=[\s/>])[^<>]*>|<!--(?:[^-]|-(?!->)){{0,4096}}-->|<!doctype[^<>]*>"
_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
MARKUP = re.compile(f"{_TAG}|{_ENTITY}", re.IGNORECASE)
"""What makes a text one with HTML in it."""
_TAGGED = re.compile(_TAG, re.IGNORECASE)
_ENTITIES = re.compile(_ENTITY)
_NO_TAG = re.compile(f"(?!{_TAG})<", re.IGNORECASE)
_NO_ENTITY = re.compile(f"(?!{_ENTITY})&")
_BREAK = "\x1e"
"""Stands for the break around a block until all are known."""
_BREAKS = re.compile(rf"\s*{_BREAK}[\s{_BREAK}]*")


def without_markup(text: str) -> str:
    """The text that a browser would show of it."""
    if not _TAGGED.search(text):
        return _ENTITIES.sub(_character, text)
    guarded = _NO_ENTITY.sub("&amp;", _NO_TAG.sub("&lt;", text.replace(_BREAK, " ")))
    try:
        tree = parser.fragment_fromstring(guarded, create_parent="div")
    except (etree.LxmlError, ValueError):  # a character that XML does not have
        return _ENTITIES.sub(_character, _TAGGED.sub(" ", text)).strip()
    return _BREAKS.sub("\n", "".join(_shown(tree)).replace("\u00a0", " ")).strip()


def _character(entity: re.Match[str]) -> str:
    """The character that an entity stands for; what stands for none stays."""
    character = html.unescape(entity[0])
    return " " if character == "\u00a0" else character


def _shown(tree: etree._Element) -> Iterator[str]:
    """The texts of a tree in their order, with line breaks around blocks. Without recursion: trees may be deep."""
    for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            yield element.tail or ""
            continue
        name = element.tag
        unread = name in _UNREAD
        if name in _BREAKING:
            yield _BREAK
        elif name == "br" and event == "start":
            yield "\n"
        elif name in ("td", "th") and event == "end":
            yield " "
        if event == "start" and not unread and not any(above.tag in _UNREAD for above in element.iterancestors()):
            yield element.text or ""
        elif event == "end" and element is not tree:
            yield element.tail or ""
