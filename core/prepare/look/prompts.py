"""How prompts are put, and whether their answers stand in the context."""

from __future__ import annotations

import re

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import Noted, Places, finding
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

LEAST, MOST = 0.05, 0.95
"""A way of writing that between 5 and 95 % of the texts have is mixed; fewer are single slips."""

FEWEST = 20
"""With fewer texts nothing is said about how they are mostly written."""

_PREFIX = re.compile(
    r"(?:Q|A|Question|Answer|Prompt|User|Human|Assistant|Input|Output|Frage|Antwort)\s{0,2}[:.)]\s", re.I
)
_FIRST = frozenset("QAPUHIOFqapuhiof")


class PromptForm:
    """Prompts and answers of which some begin or end in a way that others don't."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        names = [*seen.prompts, *seen.answers]
        self._names = [name for name in names if not seen.structured(name) and not seen.is_label(name)]
        self._question = seen.roles.get("question")
        self._prefixed = {name: Noted() for name in self._names}
        self._bare = {name: Noted() for name in self._names}
        self._marked, self._unmarked = Noted(), Noted()

    def see(self, page: Page) -> None:
        """The next records."""
        for name in self._names:
            prefixed, bare = self._prefixed[name], self._bare[name]
            cells = page.columns[name]
            with_prefix = 0
            for row, text in enumerate(cells):
                if text and text[0] in _FIRST and _PREFIX.match(text):
                    prefixed.note(page.start + row, text)
                    with_prefix += 1
                elif not bare.kept and text:
                    bare.kept[text] = page.start + row
            bare.count += len(cells) - cells.count("") - with_prefix
        if self._question in self._names:
            self._ends(page, page.columns[self._question])

    def _ends(self, page: Page, cells: list[str]) -> None:
        marked = [text.endswith(("?", "？", "؟")) for text in cells]
        count = sum(marked)
        for noted, wanted in ((self._marked, True), (self._unmarked, False)):
            if len(noted.kept) < 2:
                for row, text in enumerate(cells):
                    if text and marked[row] is wanted:
                        noted.kept[text] = page.start + row
                        if len(noted.kept) >= 2:
                            break
        self._marked.count += count
        self._unmarked.count += len(cells) - cells.count("") - count

    def findings(self) -> list[DataFinding]:
        """At most one for each column."""
        found = []
        for name in self._names:
            what = []
            examples: list[str] = []
            least = 0
            bars: tuple[tuple[str, int], ...] = ()
            pairs = [(self._prefixed[name], self._bare[name], "begin with a mark such as")]
            if name == self._question:
                pairs.append((self._marked, self._unmarked, "end with a question mark"))
            for some, others, words in pairs:
                total = some.count + others.count
                if total < FEWEST or not LEAST <= some.count / total <= MOST:
                    continue
                mark = _PREFIX.match(some.texts[0]) if words.endswith("as") else None
                sample = f" {self._places.told(mark[0].strip(), name)}" if mark else ""
                what.append(
                    f"{counted(some.count, 'text')} of {total:,} ({about_percent(some.count / total)}) {words}{sample}"
                )
                examples += [*some.examples(self._places, name)[:1], *others.examples(self._places, name)[:1]]
                least = max(least, min(some.count, others.count))
                bars = bars or (("with it", some.count), ("without it", others.count))
            if what:
                text = f"{shown(name)}: {' and '.join(what)}, the others don't."
                effect = "The model learns several ways to be asked; it serves best the way that it was shown most."
                found.append(
                    finding(
                        "prompt-form",
                        name,
                        least,
                        self._places.rows,
                        text,
                        effect,
                        examples=examples,
                        severity="note",
                        picture=bars,
                    )
                )
        return found


class Copied:
    """Answers that stand word by word in their context, and ones that don't."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        self._context = seen.context or ""
        self._answer = seen.answers[0]
        self._copied, self._other = Noted(1), Noted(2)

    def see(self, page: Page) -> None:
        """The next records."""
        for row, (answer, context) in enumerate(
            zip(page.columns[self._answer], page.columns[self._context], strict=True)
        ):
            if answer and context:
                same = answer in context or answer.rstrip(".").lower() in context.lower()
                (self._copied if same else self._other).note(page.start + row, answer)

    def findings(self) -> list[DataFinding]:
        """At most one."""
        copied, other = self._copied.count, self._other.count
        total = copied + other
        if not total:
            return []
        name, context = shown(self._answer), shown(self._context)
        text = f"{name}: {about_percent(copied / total)} of the answers stand word by word in {context}"
        text += "." if not other else f"; {counted(other, 'answer')} {'does' if other == 1 else 'do'} not."
        examples = [f"{one} (in {context})" for one in self._copied.examples(self._places, self._answer)]
        examples += [f"{one} (not in {context})" for one in self._other.examples(self._places, self._answer)]
        return [
            finding(
                "copied",
                self._answer,
                copied,
                self._places.rows,
                text,
                "From answers that can be copied a model learns to quote, from the others to conclude, or to make up.",
                examples=examples,
                severity="note",
                picture=(("in the context", copied), ("not in it", other)),
            )
        ]
