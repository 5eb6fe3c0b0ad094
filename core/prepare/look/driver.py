"""Feeds every check with every page, in one pass, and puts what they found in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain

import msgspec

from tunesmith.core.facts import DataFinding
from tunesmith.core.meter import Meter, silent
from tunesmith.core.parallel import at_once, stretches
from tunesmith.core.prepare.figure import Marks
from tunesmith.core.prepare.look.answers import Boilerplate, Contradictions, ShortAnswers
from tunesmith.core.prepare.look.check import Check, Places
from tunesmith.core.prepare.look.days import DateForms
from tunesmith.core.prepare.look.duplicates import Duplicates, Repeated, SamePairs
from tunesmith.core.prepare.look.figures import Figures, InPlainDigits, dotted
from tunesmith.core.prepare.look.irrelevant import Placeholders, RepeatedHeader, Totals
from tunesmith.core.prepare.look.labels import Balance, Labels
from tunesmith.core.prepare.look.languages import Languages
from tunesmith.core.prepare.look.lengths import Lengths
from tunesmith.core.prepare.look.missing import Disguised, Empty
from tunesmith.core.prepare.look.outliers import Outliers
from tunesmith.core.prepare.look.page import Page
from tunesmith.core.prepare.look.prompts import Copied, PromptForm
from tunesmith.core.prepare.look.refusals import Refusals
from tunesmith.core.prepare.look.seen import Seen
from tunesmith.core.prepare.look.tally import Tallies
from tunesmith.core.prepare.look.text_faults import BrokenEncoding, LostCharacters, Markup, Untidy
from tunesmith.core.prepare.look.turns import Turns
from tunesmith.core.prepare.records import Batch, Records

ORDER = (
    # What is inside a cell is mended before cells are compared, and cells before rows are counted.
    *("encoding", "markup", "untidy", "lost-characters"),
    *("labels", "number-form"),
    *("repeated-header", "placeholder", "total-row", "bare-row", "disguised-empty"),
    *("date-form", "unanswerable", "empty", "short", "long", "date-range", "out-of-range"),
    *("duplicate", "same-pair", "near-duplicate", "contradiction", "repeated-answer", "refusal", "languages"),
    *("personal-secret", "personal-card", "personal-iban", "personal-national-id"),
    *("personal-email", "personal-phone", "personal-ip", "personal-name"),
    *("balance", "prompt-form", "copied", "repeated", "no-refusal"),
)
"""Kinds of findings in the order in which their repairs run; a kind that is not listed comes after those that are."""

MOST_APART = 0.5
"""The share of rows that contradict one another above which the prompts are at fault rather than the answers."""


def find(
    records: Records, seen: Seen, meter: Meter = silent, more: Sequence[Callable[[Meter], Check]] = ()
) -> list[DataFinding]:
    """All findings, in the order in which their repairs should run; those without a repair after them.

    Args:
        records: What was read.
        seen: How it is understood.
        meter: Told after each batch; its `Cancelled` is let through.
        more: Make checks that are at home elsewhere, such as near duplicates and personal data, with the meter that
            they are to tell. They take as long as all others together: of many rows each has a process of its own.
    """
    turns = Turns(seen)
    places = Places(records, turns)
    seen = turns.seen

    def ours(meter: Meter) -> list[Check]:
        return checks_for(seen, places, dotted(records, seen))

    making: list[Callable[[Meter], list[Check]]] = [ours, *(partial(_alone, make) for make in more)]
    if len(stretches(len(records.rows))) == 1:
        parts = [partial(_looked, records, turns.page, partial(_together, making))]
    else:  # what is made elsewhere looks at the columns as they are
        parts = [partial(_looked, records, turns.page, ours)]
        parts += [partial(_looked, records, _page, make) for make in making[1:]]
    return in_order(repeats_gone(turns.back(chain.from_iterable(at_once(parts, meter, min)))))


def _looked(
    records: Records, page_of: Callable[[Batch, int], Page], make: Callable[[Meter], list[Check]], meter: Meter
) -> list[DataFinding]:
    """What some checks find, in one pass."""
    checks, done, of = make(meter), 0, len(records.rows)
    for batch in records.batches():
        page = page_of(batch, done)
        for check in checks:
            check.see(page)
        done += len(page)
        meter("looking for faults", done, of)
    found: list[DataFinding] = []
    for check in checks:
        found += check.findings()
        meter("looking for faults", done, of)
    return found


def _page(batch: Batch, start: int) -> Page:
    return Page(batch.numbers, batch.lines, batch.columns, start)


def _alone(make: Callable[[Meter], Check], meter: Meter) -> list[Check]:
    return [make(meter)]


def _together(making: Sequence[Callable[[Meter], list[Check]]], meter: Meter) -> list[Check]:
    return [check for make in making for check in make(meter)]


def repeats_gone(found: Sequence[DataFinding]) -> list[DataFinding]:
    """The findings, with a repair for rows that ask and answer the same where none by one column fits.

    What drops near copies drops equal ones as well: where near copies are found, that is said there instead. Where most
    rows answer the same prompt in different ways, what tells them apart is missing from it, and they are no repeats.
    """
    apart = next((one for one in found if one.kind == "contradiction" and one.share > MOST_APART), None)
    if apart is not None:
        more = f"{apart.text} What tells these rows apart may be in a column that no prompt shows."
        found = [msgspec.structs.replace(one, text=more) if one is apart else one for one in found]
    same = next((one for one in found if one.kind == "same-pair" and not one.repairs), None)
    near = next((one for one in found if one.kind == "near-duplicate"), None)
    if same is None:
        return list(found)
    if near is None:
        equal = {"kind": "drop-near-duplicates", "threshold": 1.0}
        return [
            msgspec.structs.replace(one, repairs=(equal,), recommended=apart is None) if one is same else one
            for one in found
        ]
    more = f"{near.text} What drops them drops the {same.count:,} that ask and answer the same as well."
    return [msgspec.structs.replace(one, text=more) if one is near else one for one in found]


def in_order(found: Sequence[DataFinding]) -> list[DataFinding]:
    """Findings in the order in which their repairs should run; those without a repair after them."""
    rank = {kind: place for place, kind in enumerate(ORDER)}
    return sorted(found, key=lambda finding: (not finding.repairs, rank.get(finding.kind, len(ORDER))))


def checks_for(seen: Seen, places: Places, marks: Mapping[str, Marks]) -> list[Check]:
    """The checks that make sense for data of this shape; `marks` are those of columns with dots between thousands."""
    tallies = Tallies(seen)
    sums = Totals(seen, places) if seen.entity else None
    checks: list[Check] = [
        tallies,
        BrokenEncoding(seen, places),
        LostCharacters(seen, places),
        Markup(seen, places),
        Untidy(seen, places),
        Labels(seen, places, tallies),
        RepeatedHeader(seen, places),
        Disguised(seen, places),
        Empty(seen, places, tallies, sums),
        Placeholders(seen, places),
        Duplicates(seen, places),
        Balance(seen, places, tallies),
    ]
    if sums:
        outliers = InPlainDigits(Outliers(seen, places), marks, sums)
        checks += [Figures(seen, places, marks, sums), DateForms(seen, places), outliers]
        checks += [sums, Repeated(seen, places)]
    if seen.answers or seen.prompts:
        checks += [ShortAnswers(seen, places), Lengths(seen, places), PromptForm(seen, places)]
    if seen.prompts and (seen.answers or seen.shape == "classification"):
        checks += [SamePairs(seen, places), Contradictions(seen, places, tallies)]
    if seen.prompts and seen.answers:
        checks += [Boilerplate(seen, places), Refusals(seen, places)]
        if seen.context:
            checks.append(Copied(seen, places))
    if column := _in_words(seen):
        checks.append(Languages(seen, places, column))
    return checks


def _in_words(seen: Seen) -> str | None:
    """The column whose language is looked at: the answers, or the prompts where the answers are labels."""
    told = [name for name in (*seen.answers, *seen.prompts) if _worded(seen, name)]
    return told[0] if told else None


def _worded(seen: Seen, name: str) -> bool:
    return seen.kind(name) == "text" and not seen.is_label(name) and not seen.structured(name)
