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

_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
MARKUP = re.compile(rf"</?[A-Za-z][A-Za-z0-9]{{0,9}}[\s/>]|<![-dD]|{_ENTITY}")
"""What a text with HTML in it has; one without HTML may have it, too."""
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,9})(?=[\s/>])[^<>]*>|<!(doctype)[^<>]*>", re.IGNORECASE)
_ENTITIES = re.compile(_ENTITY)
_NO_ENTITY = re.compile(f"(?!{_ENTITY})&")
_BREAK = "\x1e"
"""Stands for the break around a block until all are known."""
_BREAKS = re.compile(rf"\s*{_BREAK}[\s{_BREAK}]*")


def without_markup(text: str) -> str:
    """The text that a browser would show of it; tags inside tags (`<<b>b>`) go as well, escaped ones stay as text."""
    shown = _once(text)
    while "&" not in text and shown != text and MARKUP.search(shown):
        text, shown = shown, _once(shown)
    return shown


def _once(text: str) -> str:
    bare = _without_comments(text)
    guarded = _guarded(bare)
    if guarded is None:
        return _ENTITIES.sub(_character, bare)
    try:
        tree = parser.fragment_fromstring(guarded, create_parent="div")
    except (etree.LxmlError, ValueError):  # a character that XML does not have, or elements in elements in elements
        return _ENTITIES.sub(_character, _TAG.sub(lambda tag: " " if _is_known(tag) else tag[0], bare)).strip()
    return _BREAKS.sub("\n", "".join(_shown(tree)).replace("\u00a0", " ")).strip()


def _is_known(tag: re.Match[str]) -> bool:
    """Whether it is one of HTML's. `List<String>` and `<think>` are not; `<a>` and `<b>` are, which is rarely wrong."""
    return bool(tag[2]) or tag[1].lower() in _TAGS


def _without_comments(text: str) -> str:
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return "".join([*parts, text[at:]])


def _guarded(text: str) -> str | None:
    """The text with all that is no tag and no entity escaped, so that the parser leaves it; None without a tag."""
    parts, at = [], 0
    for tag in _TAG.finditer(text):
        if _is_known(tag):
            parts += [text[at : tag.start()].replace("<", "&lt;"), tag[0]]
            at = tag.end()
    if not parts:
        return None
    whole = "".join([*parts, text[at:].replace("<", "&lt;")])
    return _NO_ENTITY.sub("&amp;", whole.replace(_BREAK, " "))


def _character(entity: re.Match[str]) -> str:
    """The character that an entity stands for; what stands for none stays."""
    character = html.unescape(entity[0])
    return " " if character == "\u00a0" else character


def _shown(tree: etree._Element) -> Iterator[str]:
    """The texts of a tree in their order, with line breaks around blocks. Without recursion: trees may be deep."""
    hidden = 0
    for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if not hidden:
                yield element.tail or ""
            continue
        name = element.tag
        if name in _UNREAD:
            hidden += 1 if event == "start" else -1
        if hidden:
            continue
        if name in _BREAKING:
            yield _BREAK
        elif name == "br" and event == "start":
            yield "\n"
        elif name in ("td", "th") and event == "end":
            yield " "
        if event == "start":
            if name not in _UNREAD:
                yield element.text or ""
        elif element is not tree:
            yield element.tail or ""
