"""What Prepare recommends for a file, and why: the section `prepare` of a plan, and the project's name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.draft import STATED, Alternative, Draft
from tunesmith.core.errors import DataError
from tunesmith.core.facts import Column, DataFinding, DataProfile, Facts
from tunesmith.core.plan.prepare import LIKENESS
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.cells import counted, number_of, shown
from tunesmith.core.prepare.kinds import told_columns
from tunesmith.core.prepare.propose import entity_candidates, label_candidates, time_candidates
from tunesmith.core.prepare.shape import NEEDED, candidates, roles_for
from tunesmith.core.reckon import settle
from tunesmith.core.records import words

MOST_FIELDS = 24
"""A context with more columns than this gets long, and memory grows with it."""

MOST_QUESTIONS = 12
LAYOUTS = ("lines", "list", "json", "prose")
SEED = 37
"""Any would do; with this one exactly 300 of the practice table's 1,200 questions are for the test."""

TEST_SHARE = 0.25
VALIDATION_SHARE = 0.05
ENOUGH_TEST_ROWS = 1000
ENOUGH_VALIDATION_ROWS = 200
MOST_LABELS = 20
"""More labels than this would fill the prompt."""

FEWEST_GROUPS = 6
"""A part that is expected to get this many groups is empty once in exp(6) = 400 times."""

FEWEST_CONTEXTS = 24
"""With fewer contexts, such as one schema that all questions are about, the test would be about one or two of them, or
be left empty: each question is then a row of its own."""

PRACTICE_QUESTIONS = [
    {"ask": "When was {name} hired?", "answer": "{hire_date}"},
    {"ask": "Which department does {name} work in?", "answer": "{department}"},
    {"ask": "What is the salary of {name}?", "answer": "{salary}"},
]


def recommend_prepare(draft: Draft, facts: Facts) -> None:
    """Fill `name` and every `prepare.*` path of the draft.

    Raises:
        DataError: The person chose a shape that the file's columns can't give.
    """
    data = facts.data
    draft.choose("name", project_name(data.source), "named after the data")
    draft.choose(
        "prepare.data", data.source, f"{counted(data.rows, 'row')} of {counted(len(data.columns), 'column')} were read"
    )
    for path, because in (
        ("prepare.query", "only a database is asked with SQL"),
        ("prepare.part", "all of it is read"),
        ("prepare.encoding", "found out from the file itself"),
    ):
        draft.choose(path, None, because if draft.wishes.get(path) is None else STATED)
    draft.choose("prepare.fingerprint", data.fingerprint, "to notice a file that changed since this plan was made")
    shape = draft.choose("prepare.shape", data.shape, data.shape_because, _other_shapes(data))
    roles = _roles(draft, data, shape)
    _system(draft, data, shape, roles)
    _card(draft)
    _ratings(draft, data, shape, roles)
    questions = 1
    if shape == "table" and "entity" in roles:
        questions = _table(draft, data, roles)
    else:
        _no_table(draft)
    _repairs(draft, data)
    draft.choose("prepare.slices", [], "name columns such as language or gender to see the score for each of them")
    _split(draft, data, shape, roles, questions)


def _other_shapes(data: DataProfile) -> tuple[Alternative, ...]:
    """What else the columns could be, with how sure that is."""
    others = [one for one in candidates(data.columns) if one.shape != data.shape]
    return tuple(Alternative(one.shape, f"{one.because}; less likely by the columns' names") for one in others)


def project_name(source: str) -> str:
    """A name for the project that the plan's schema takes, from the file's name."""
    if source == PRACTICE:
        return "employees"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(source).stem).strip("-._")
    return name[:64] or "project"


def _roles(draft: Draft, data: DataProfile, shape: Any) -> dict[str, str]:
    """Settle which column plays which part; single parts may be wished for, too."""
    own = data.roles
    if shape != data.shape and "prepare.columns" not in draft.wishes and shape in NEEDED:
        own = roles_for(shape, data.columns)
    chosen = draft.choose("prepare.columns", dict(own), _roles_because(data, own))
    roles = dict(chosen) if isinstance(chosen, dict) else {}
    for path, column in draft.wishes.items():
        if path.startswith("prepare.columns."):
            part = path.removeprefix("prepare.columns.")
            draft.choose(path, roles.get(part), STATED)
            roles[part] = column
    return roles


def _roles_because(data: DataProfile, roles: dict[str, str]) -> str:
    if roles == data.roles:
        return data.shape_because
    return "; ".join(f"{part}: the name {shown(column)} says so" for part, column in roles.items())


def _table(draft: Draft, data: DataProfile, roles: dict[str, str]) -> int:
    """Fields, questions and layouts of a table; returns how many questions each record is asked."""
    entity = roles["entity"]
    used = told_columns("table", roles, data.columns)
    fields = used[: MOST_FIELDS + 1]
    because = "all columns that say something about " + shown(entity)
    left = [column.name for column in data.columns if column.name not in used]
    if left:
        because += f"; identifiers and empty columns tell nothing ({', '.join(shown(name) for name in left[:5])})"
    if len(fields) < len(used):
        because = f"the first {MOST_FIELDS} of {len(used) - 1} columns: more would make every prompt long"
    fields = settle(draft, "prepare.fields", fields, because)
    if data.source == PRACTICE:
        questions, because = PRACTICE_QUESTIONS, "one question for each thing that is asked about an employee"
    else:
        questions = generic_questions(entity, [name for name in fields if name != entity])
        if not questions and "prepare.questions" not in draft.wishes:
            raise _braces([name for name in fields if set(name) & set("{}")])
        because = "one question for each column; put them into the words that will be used, and add others"
    asked = settle(draft, "prepare.questions", [dict(question) for question in questions], because)
    single = Alternative("one layout", "the model then learns the places of fields instead of their names")
    draft.choose(
        "prepare.layouts",
        list(LAYOUTS),
        "one is drawn for each row, so that the model reads the names of fields, however a record is written",
        (single,),
    )
    draft.choose("prepare.shuffle_fields", True, "the order of fields then tells nothing, so their names are read")
    return max(1, len(asked))


def _braces(names: list[str]) -> DataError:
    told = ", ".join(shown(name) for name in names[:5]) + (" and more" if len(names) > 5 else "")
    return DataError(
        "No question can be asked about the table: the names of its columns have braces in them.",
        cause=f"There are: {told}. In a question, braces stand around the name of a column.",
        next_step="Rename the columns in the file so that no { or } is in their names.",
    )


_NOT_ENGLISH = re.compile(
    r"[^\W\d_a-z]|\b(?:\w*(?:nummer|datum|bezeichnung)|personal.?nr|gehalt|abteilung|standort|telefon|preis|menge"
    r"|vorname|nachname|plz|kunde|vertragsart|umsatz|geschlecht|beruf|anzahl|bestand|lieferant|artikel)\b",
    re.IGNORECASE,
)
"""Headers with letters that English has not, and frequent German ones: all of the table's are then no English."""


def generic_questions(entity: str, columns: list[str]) -> list[dict[str, str]]:
    """A question for each column that can be named in a template, the first `MOST_QUESTIONS` of them."""
    named = [column for column in columns if not set(column) & set("{}")]
    if set(entity) & set("{}"):
        return []
    # German writes its nouns with a capital, and a header that is no English one is best left as it is.
    called = str if any(_NOT_ENGLISH.search(column) for column in columns) else words
    return [
        {"ask": f"What is the {called(column)} of {{{entity}}}?", "answer": f"{{{column}}}"}
        for column in named[:MOST_QUESTIONS]
    ]


def _no_table(draft: Draft) -> None:
    because = "only a table has them: here each row already has its prompt"
    for name in ("fields", "questions", "layouts"):
        draft.choose(f"prepare.{name}", [], because)
    draft.choose("prepare.shuffle_fields", False, because)


def _system(draft: Draft, data: DataProfile, shape: Any, roles: dict[str, str]) -> None:
    """Instructions before every prompt: for labels the labels, which the model can't know otherwise."""
    column = next((one for one in data.columns if one.name == roles.get("label")), None)
    if shape == "classification" and column is not None and 1 < len(column.values) <= MOST_LABELS:
        labels = _labels(column, data.findings)
        because = f"the model is told the {len(labels)} labels, so that it answers with one of them"
        draft.choose(
            "prepare.system", f"Answer with one of these labels and nothing else: {', '.join(labels)}.", because
        )
        return
    draft.choose("prepare.system", "", "the questions say what is wanted; instructions would lengthen every prompt")


def _labels(column: Column, findings: Sequence[DataFinding]) -> list[str]:
    """A column's labels as the recommended repairs leave them, in alphabetical order: their counts may change."""
    labels = {value for value, _ in column.values}
    for finding in findings:
        repair = finding.repair
        if repair is None or repair.get("column") != column.name:
            continue
        if repair["kind"] == "unify-labels":
            labels = {repair["values"].get(label, label) for label in labels}
        elif repair["kind"] == "drop-values":
            labels -= set(repair["names"])
    return sorted(labels)


def _card(draft: Draft) -> None:
    for name in ("source", "licence"):
        draft.choose(f"prepare.{name}", "", "only you know it; the data card says so while it is empty")


def _ratings(draft: Draft, data: DataProfile, shape: Any, roles: dict[str, str]) -> None:
    """From which number a rating is a good one, where ratings are numbers on a scale."""
    column = next((one for one in data.columns if one.name == roles.get("rating")), None)
    scale = sorted(n for value, _ in column.values if (n := number_of(value)) is not None) if column else []
    if shape == "rated" and len(scale) > 2:
        good = scale[-1] - (scale[-1] - scale[0]) / 4
        because = f"ratings go from {scale[0]:g} to {scale[-1]:g}: the top quarter of the scale is taken as good"
        draft.choose("prepare.good_from", float(good), because)
        return
    draft.choose("prepare.good_from", None, "only ratings that are numbers on a scale need it")


def _repairs(draft: Draft, data: DataProfile) -> None:
    """A repair for each finding that recommends one, in the order found."""
    mended = [finding for finding in data.findings if finding.repair]
    repairs = [finding.repair for finding in mended]
    because = " ".join(finding.text for finding in mended) or "nothing was found that has to be mended"
    draft.choose("prepare.repairs", repairs, because)


def _split(draft: Draft, data: DataProfile, shape: Any, roles: dict[str, str], questions: int) -> None:
    by, why, groups = _group(data, shape, roles)
    by = draft.choose("prepare.split.by", by, why)
    _balance(draft, data, shape, roles, by)
    _time(draft, data)
    draft.choose("prepare.split.test_file", None, "the test is kept from this file, so that it is of the same kind")
    draft.choose("prepare.split.compare", [], "name files, such as a benchmark, that no training row may repeat")
    dropped = "a score on rows that were trained on says nothing; the test keeps its size"
    draft.choose("prepare.split.overlap", "drop", dropped)
    _near(draft, shape)
    rows = max(1, _sound(data) * questions)
    least = FEWEST_GROUPS / max(1, groups)
    test = _share(TEST_SHARE, ENOUGH_TEST_ROWS / rows, least)
    validation = _share(VALIDATION_SHARE, ENOUGH_VALIDATION_ROWS / rows, min(least, 0.15))
    count = max(1, round(rows * test))
    watched = f"about {round(rows * validation):,} rows to watch the training by"
    draft.choose("prepare.split.validation", validation, watched)
    draft.choose(
        "prepare.split.test",
        test,
        f"about {count:,} rows: a score near 90 % is then known to within {_margin(count):.0f} points or so, "
        "if rows err independently",
    )
    draft.choose("prepare.split.seed", SEED, "any number serves; the same one always gives the same parts")


def _balance(draft: Draft, data: DataProfile, shape: Any, roles: dict[str, str], by: Any) -> None:
    """Labels have the same shares in every part."""
    if draft.wishes.get("prepare.split.time") is not None:
        draft.choose("prepare.split.stratify", None, "the newest rows are the test, whatever their labels are")
    elif shape == "classification":
        because = "every label has the same share in every part, so that a rare one is tested, too"
        draft.choose("prepare.split.stratify", roles.get("label") if by is None else None, because)
    else:
        labels = [name for name in label_candidates(data.columns) if name not in roles.values() and by is None]
        other = "then every value of it has the same share in every part, and a rare one is tested, too"
        because = "no answer is a label; a hash divides the values of other columns about alike"
        draft.choose(
            "prepare.split.stratify",
            None,
            because if labels else "there are no labels whose shares would have to be kept",
            tuple(Alternative(name, other) for name in labels[:1]),
        )


def _time(draft: Draft, data: DataProfile) -> None:
    """Not by time unless the person says so: only they know whether what is new is unlike what is old."""
    found = time_candidates(data.columns)
    if not found:
        draft.choose("prepare.split.time", None, "no column says when a row was")
        return
    other = Alternative(found[0], "right where tomorrow is unlike yesterday: the newest rows are then the test")
    draft.choose(
        "prepare.split.time", None, "a hash divides old and new alike, and rows added later move none", (other,)
    )


def _near(draft: Draft, shape: Any) -> None:
    """Texts are compared by likeness; records of a table look alike by nature."""
    if shape == "table":
        draft.choose("prepare.split.near", None, "records of a table look alike; what one record gives stays together")
        return
    exact = Alternative("word by word only", "a changed word would hide a row that was trained on")
    because = "a test row that differs from a training row by a few words was as good as trained on"
    draft.choose("prepare.split.near", LIKENESS, because, (exact,))


def _group(data: DataProfile, shape: Any, roles: dict[str, str]) -> tuple[str | None, str, int]:
    """The column to split by, why, and how many groups that makes."""
    distinct = {column.name: column.distinct for column in data.columns}
    entity, context = roles.get("entity"), roles.get("context")
    if shape == "table" and entity is not None:
        because = f"all questions about one {shown(entity)} stay together: the score is for ones never trained on"
        return entity, because, distinct.get(entity, data.rows)
    contexts = distinct.get(context, data.rows) if context is not None else 0
    if shape == "question-answer" and context is not None and FEWEST_CONTEXTS <= contexts < data.rows:
        because = "several questions share a context; none is trained on and tested with as well"
        return context, because, contexts
    for name in entity_candidates(data.columns) if shape != "table" else ():
        if name not in roles.values():
            because = f"several rows are of one {shown(name)}: the score is for ones that were never trained on"
            return name, because, distinct[name]
    return None, "each row stands for itself; equal prompts stay together", data.rows


def _sound(data: DataProfile) -> int:
    """About how many records are left after the repairs (a row with two faults is counted twice)."""
    begins = ("drop-", "keep-", "dates-")  # the others mend rows and keep them
    dropped = [one.count for one in data.findings if one.repair and one.repair["kind"].startswith(begins)]
    return max(1, data.rows - sum(dropped))


def _share(usual: float, enough: float, least: float) -> float:
    """The usual share, less where less gives enough rows, never so little that the part may well stay empty."""
    share = min(usual, max(enough, 0.01))
    return round(min(max(share, least), 0.25), 2 if share >= 0.02 else 3)


def _margin(rows: int) -> float:
    """Half the width of a 95 % interval around 90 %, in points (normal approximation of the binomial)."""
    return 100 * 1.96 * math.sqrt(0.9 * 0.1 / rows)
