"""Answers that say that something is not known or not stated: how many there are, or that there is none."""

from __future__ import annotations

from collections import Counter

from tunesmith.core.facts import DataFinding
from tunesmith.core.figures import about_percent
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.look.check import Noted, Places, finding, top_bars
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.seen import Seen

PHRASES = (
    # English: the openings that the refusal lists of WildGuard (arXiv:2406.18495), XSTest (arXiv:2308.01263) and
    # SQuAD 2.0's successors share.
    *("i don't know", "i do not know", "i'm not sure", "i am not sure", "i'm sorry, but", "i am sorry, but"),
    *("i can't answer", "i cannot answer", "i can't help", "i cannot help", "i'm unable to", "i am unable to"),
    *("as an ai", "as a language model", "not stated", "not mentioned", "not specified", "no information"),
    *("unanswerable", "cannot be determined", "can't be determined", "not enough information"),
    *("does not say", "doesn't say"),
    # German, French, Spanish, Italian, Portuguese, Dutch: the same in words of those languages.
    *("ich weiß es nicht", "das weiß ich nicht", "nicht angegeben", "keine angabe"),
    *("geht nicht hervor", "tut mir leid, aber"),
    *("je ne sais pas", "n'est pas mentionné", "pas indiqué", "je suis désolé"),
    *("no lo sé", "no se menciona", "no se indica", "lo siento, pero", "non lo so"),
    *("non è specificato", "mi dispiace, ma"),
    *("não sei", "não é mencionado", "ik weet het niet", "niet vermeld"),
)  # fmt: skip
"""Lower case. An answer refuses where one of them stands among its first `HEAD` characters."""

HEAD = 100
"""Characters of an answer in which a refusal stands; further on, the words belong to an explanation."""

MANY = 0.3
"""Above this share a model learns to refuse what it could answer (Röttger et al. 2024, arXiv:2308.01263, call it
exaggerated safety). SQuAD 2.0 (arXiv:1806.03822) has a third of such questions on purpose."""

ENOUGH_ROWS = 100
"""With fewer rows nothing is said about refusals that are missing."""

MOST_NAMES = 20


def is_refusal(text: str) -> bool:
    """Whether an answer says that something is not known or not stated."""
    head = text[:HEAD].lower().replace("’", "'")
    return any(phrase in head for phrase in PHRASES)


class Refusals:
    """How many answers say that something is not known; a note where none does though a question may have no answer."""

    def __init__(self, seen: Seen, places: Places) -> None:
        self._places = places
        self._answer = seen.answers[0]
        self._asks = seen.shape == "question-answer"
        self._noted = Noted(MOST_NAMES + 1)
        self._texts: Counter[str] = Counter()

    def see(self, page: Page) -> None:
        """The next records."""
        cells = page.columns[self._answer]
        heads = [text[:HEAD] for text in cells]
        # One search over all answers for each phrase: most pages have none.
        text = "\n".join(heads).lower().replace("’", "'")
        if not any(phrase in text for phrase in PHRASES):
            return
        for row, head in enumerate(heads):
            if is_refusal(head):
                self._noted.note(page.start + row, cells[row])
                if len(self._texts) <= MOST_NAMES or cells[row] in self._texts:
                    self._texts[cells[row]] += 1

    def findings(self) -> list[DataFinding]:
        """At most one."""
        count, rows = self._noted.count, self._places.rows
        name = shown(self._answer)
        if not count:
            if not self._asks or rows < ENOUGH_ROWS:
                return []
            text = f"{name}: no answer says that something is not known or not stated."
            effect = "A model that was never shown such an answer learns to answer always, and makes it up."
            return [finding("no-refusal", self._answer, rows, rows, text, effect, severity="note")]
        few = len(self._texts) <= MOST_NAMES
        share = count / rows
        text = f"{name}: {counted(count, 'answer')} ({about_percent(share)}) {'says' if count == 1 else 'say'} that "
        text += "something is not known, not stated or refused."
        names = list(self._texts)
        return [
            finding(
                "refusal",
                self._answer,
                count,
                rows,
                text,
                "The model learns to refuse, also what it could answer."
                if share > MANY
                else "From a few of them the model learns to say so rather than to make something up.",
                examples=self._noted.examples(self._places, self._answer),
                severity="warning" if share > MANY else "note",
                repairs=({"kind": "drop-repeated-answers", "column": self._answer, "names": names},) if few else (),
                picture=top_bars([("answers", rows - count), ("refusals", count)]),
            )
        ]
