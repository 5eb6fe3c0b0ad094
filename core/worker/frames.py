"""What a chat template writes around the contents of a chat, found out once for each structure of turns.

A template is a program: running it for each of a million rows takes longer than tokenising them. Nearly always it only
puts the contents between constant pieces of text, the same for all chats with the same roles. Those pieces are read
off a chat whose contents are marked, and rows are then written without the template. A row is not written so where the
template could do something else with it: its content is empty or begins or ends with white space (templates trim), or
holds a text that the template looks for (`</think>`); nor is a chat with tools. `Frames.of` then gives nothing, and the
template itself must write the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jinja2 import TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import ModelError
from tunesmith.core.rows import Message, Row
from tunesmith.core.worker.tokenize import texts_of

Segment = tuple[str | int, ...]
"""A stretch of what the template writes: constant text, and numbers that stand for contents (the answer's is the last).
"""
_STRIPS = frozenset({"strip", "lstrip", "rstrip", "trim"})
_MARKED = "Q{0}x\"'\\<&>{{}}é ß語\n\tzZ 0{0}{1}  [e]nd{0}q"
"""A content that no template changes without it being seen: quotes, tags, braces, other scripts, both cases, spaces."""


@dataclass(frozen=True)
class Frame:
    """What is written for chats of one structure, before the tokenizer's control marks cut into segments.

    A tokenizer takes its control marks out of a text first and tokenises what is between them apart, so the tokens of
    a text are those of its segments put together.
    """

    shared: tuple[Segment, ...]
    """What the prompt and the whole chat begin with alike."""
    prompt: tuple[Segment, ...]
    """What then follows in the prompt."""
    whole: tuple[Segment, ...]
    """What follows in the whole chat."""


@dataclass
class Frames:
    """The frames of one tokenizer's chat template."""

    tokenizer: PreTrainedTokenizerBase
    _known: dict[tuple[str, ...], Frame | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        triggers, edges = _looked_for(self.tokenizer)
        self._edges = edges
        self._triggers = re.compile("|".join(map(re.escape, sorted(triggers))) or "(?!)")
        self._firsts = tuple(sorted({trigger[0] for trigger in triggers}))
        self._boundaries = _boundaries(self.tokenizer)

    def of(self, row: Row, roles: tuple[str, ...]) -> Frame | None:
        """The frame of a row with these `roles`; None where the template itself must write it."""
        if row.tools or row.calls or not row.prompt or not self._ordinary(row.answer):
            return None
        for turn in row.prompt:
            if turn.tool_calls or turn.tool_call_id or turn.name or not self._ordinary(turn.content):
                return None
        if roles not in self._known:
            self._known[roles] = self._found(roles)
        return self._known[roles]

    def roles(self, row: Row) -> tuple[str, ...]:
        """The structure of a row."""
        return tuple([turn.role for turn in row.prompt])

    def give_up(self, roles: tuple[str, ...]) -> None:
        """The template does something else with chats of this structure: it must write them all."""
        self._known[roles] = None

    def _ordinary(self, text: str) -> bool:
        if not text or text[0] in self._edges or text[-1] in self._edges or text[0].isspace() or text[-1].isspace():
            return False
        for first in self._firsts:
            if first in text:
                return self._triggers.search(text) is None
        return True

    def _found(self, roles: tuple[str, ...]) -> Frame | None:
        """The frame by two chats of marked contents, short and long; None where they do not tell one."""
        frames = [self._read_off(roles, filling) for filling in ("", "middle " * 40)]
        return frames[0] if frames[0] == frames[1] else None

    def _read_off(self, roles: tuple[str, ...], filling: str) -> Frame | None:
        contents = [_MARKED.format(number, filling) for number in range(len(roles) + 1)]
        prompt = [Message(role, content) for role, content in zip(roles, contents, strict=False)]
        try:
            texts = texts_of(self.tokenizer, Row("0", prompt, contents[-1]))
        except ModelError:
            return None  # the template refuses them; it will say so itself when it writes the row
        asked, whole = self._parts(texts.prompt, contents[:-1]), self._parts(texts.whole, contents)
        if asked is None or whole is None:
            return None
        first, second = list(self._segments(asked)), list(self._segments(whole))
        alike = 0
        while alike < min(len(first), len(second)) and first[alike] == second[alike]:
            alike += 1
        return Frame(tuple(first[:alike]), tuple(first[alike:]), tuple(second[alike:]))

    def _parts(self, text: str, contents: Sequence[str]) -> list[str | int] | None:
        """`text` as constant pieces and the numbers of its contents; None unless each stands there once, in order."""
        parts: list[str | int] = []
        for number, content in enumerate(contents):
            before, found, text = text.partition(content)
            if not found or content in text:
                return None
            parts += [before, number]
        return [*parts, text]

    def _segments(self, parts: Sequence[str | int]) -> Iterator[Segment]:
        """The parts, cut before each control mark."""
        segment: list[str | int] = []
        for part in parts:
            if isinstance(part, int):
                segment.append(part)
                continue
            start = 0
            for mark in self._boundaries.finditer(part):
                if part[start : mark.start()]:
                    segment.append(part[start : mark.start()])
                if segment:
                    yield tuple(segment)
                segment, start = [], mark.start()
            if part[start:]:
                segment.append(part[start:])
        if segment:
            yield tuple(segment)


def _boundaries(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str]:
    """The control marks at which a text may be cut without changing its tokens.

    Not those that take white space before them along, that are found only in normalised text, or that could be part of
    a longer mark which begins before them or goes on behind them.
    """
    added = tokenizer.added_tokens_decoder.values()
    texts = [token.content for token in added]
    ends = {text[start:] for text in texts for start in range(1, len(text))}
    begins = {text[:end] for text in texts for end in range(1, len(text))}
    safe = [
        token.content
        for token in added
        if token.special
        and not (token.lstrip or token.single_word or token.normalized)
        and token.content not in begins
        and not any(token.content[:end] in ends for end in range(1, len(token.content) + 1))
    ]
    return re.compile("|".join(map(re.escape, safe)) or "(?!)")


def _looked_for(tokenizer: PreTrainedTokenizerBase) -> tuple[frozenset[str], frozenset[str]]:
    """(texts that the template may look for in contents, signs that it may strip off them).

    All constant texts of the template count, except those that it writes, that name a key, or that a role is compared
    with.
    """
    template = tokenizer.chat_template
    sources = list(template.values()) if isinstance(template, dict) else [str(template)]
    found: set[str] = set()
    stripped: set[str] = set()
    for source in sources:
        try:
            # The tags that transformers adds to jinja (`{% generation %}`, `{% break %}`) say nothing of contents.
            tree = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"]).parse(
                re.sub(r"\{%-?\s*(end)?generation\s*-?%\}", "", source)
            )
        except TemplateError:
            continue  # it can't be used either, and says so when it writes a row
        _collect(tree, found, stripped)
    return frozenset(text for text in found if text), frozenset("".join(stripped))


def _collect(node: nodes.Node, found: set[str], stripped: set[str]) -> None:
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str):
            found.add(node.value)
        return
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _STRIPS:
        stripped.update(arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str))
        _collect(node.node.node, found, stripped)
        return
    if _is_harmless(node):
        return
    for child in node.iter_child_nodes():
        key = isinstance(node, nodes.Getitem) and child is node.arg
        if not (isinstance(child, nodes.Const) and (isinstance(node, _WRITES) or key)):
            _collect(child, found, stripped)


_WRITES = (nodes.Output, nodes.Concat, nodes.Add, nodes.CondExpr, nodes.Keyword)
"""Where a constant is written, or put together with what is."""
_OF_LISTS = ("selectattr", "rejectattr", "map", "groupby", "sort")


def _is_harmless(node: nodes.Node) -> bool:
    """Whether constants in it are nothing that contents are searched for: roles, keys of a turn, errors."""
    if isinstance(node, nodes.Compare):
        in_turn = node.ops[0].op in ("in", "notin") and isinstance(node.ops[0].expr, nodes.Name)
        return _is_role(node.expr) or (in_turn and getattr(node.ops[0].expr, "name", "") == "message")
    if isinstance(node, nodes.Filter):
        return node.name in _OF_LISTS and isinstance(node.node, nodes.Name)
    named = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name)
    return named and getattr(node.node, "name", "") in ("raise_exception", "strftime_now")  # type: ignore[attr-defined]


def _is_role(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Name):
        return node.name == "role"
    if isinstance(node, nodes.Getattr):
        return node.attr == "role"
    return isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and node.arg.value == "role"
