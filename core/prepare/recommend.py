"""What Prepare recommends for a file, and why: the section `prepare` of a plan, and the project's name."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import DataFinding, DataProfile, Facts
from tunesmith.core.practice import PRACTICE
from tunesmith.core.prepare.cells import counted, shown
from tunesmith.core.prepare.profile import used_columns
from tunesmith.core.prepare.shape import roles_for
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
FEWEST_GROUPS = 6
"""A part that is expected to get this many groups is empty once in exp(6) = 400 times."""

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
    draft.choose("prepare.data", data.source, f"{counted(data.rows, 'row')} of {len(data.columns)} columns were read")
    draft.choose("prepare.fingerprint", data.fingerprint, "to notice a file that changed since this plan was made")
    shape = draft.choose("prepare.shape", data.shape, data.shape_because)
    roles = _roles(draft, data, shape)
    draft.choose("prepare.system", "", "the questions say what is wanted; instructions would lengthen every prompt")
    questions = 1
    if shape == "table" and "entity" in roles:
        questions = _table(draft, data, roles)
    else:
        _no_table(draft)
    _repairs(draft, data)
    _split(draft, data, shape, roles, questions)


def project_name(source: str) -> str:
    """A name for the project that the plan's schema takes, from the file's name."""
    if source == PRACTICE:
        return "employees"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(source).stem).strip("-._")
    return name[:64] or "project"


def _roles(draft: Draft, data: DataProfile, shape: Any) -> dict[str, str]:
    """Settle which column plays which part; single parts may be wished for, too."""
    own = data.roles
    if shape != data.shape and "prepare.columns" not in draft.wishes and shape in ("table", *_OTHER_SHAPES):
        own = roles_for(shape, data.columns)
    chosen = draft.choose("prepare.columns", dict(own), _roles_because(data, own))
    roles = dict(chosen) if isinstance(chosen, dict) else {}
    for path, column in draft.wishes.items():
        if path.startswith("prepare.columns."):
            part = path.removeprefix("prepare.columns.")
            draft.choose(path, roles.get(part), "your choice")
            roles[part] = column
    return roles


_OTHER_SHAPES = ("question-answer", "prompt-completion", "chat")


def _roles_because(data: DataProfile, roles: dict[str, str]) -> str:
    if roles == data.roles:
        return data.shape_because
    return "; ".join(f"{part}: the name {shown(column)} says so" for part, column in roles.items())


def _table(draft: Draft, data: DataProfile, roles: dict[str, str]) -> int:
    """Fields, questions and layouts of a table; returns how many questions each record is asked."""
    entity = roles["entity"]
    used = used_columns("table", roles, data.columns)
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


def generic_questions(entity: str, columns: list[str]) -> list[dict[str, str]]:
    """A question for each column that can be named in a template, the first `MOST_QUESTIONS` of them."""
    named = [column for column in columns if not set(column) & set("{}")]
    return [
        {"ask": f"What is the {words(column)} of {{{entity}}}?", "answer": f"{{{column}}}"}
        for column in named[:MOST_QUESTIONS]
    ]


def _no_table(draft: Draft) -> None:
    because = "only a table has them: here each row already has its prompt"
    for name in ("fields", "questions", "layouts"):
        draft.choose(f"prepare.{name}", [], because)
    draft.choose("prepare.shuffle_fields", False, because)


def proposed_repair(finding: DataFinding) -> dict[str, Any]:
    """The repair that mends a finding, as it stands in the plan."""
    repair: dict[str, Any] = {"kind": finding.repair}
    if finding.column:
        repair["column"] = finding.column
    if finding.repair == "drop-out-of-range":
        repair |= {"low": finding.low, "high": finding.high}
    return repair


def _repairs(draft: Draft, data: DataProfile) -> None:
    """A repair for each finding that proposes one, in the order found."""
    mended = [finding for finding in data.findings if finding.repair]
    repairs = [proposed_repair(finding) for finding in mended]
    because = " ".join(finding.text for finding in mended) or "nothing was found that has to be mended"
    draft.choose("prepare.repairs", repairs, because)


def _split(draft: Draft, data: DataProfile, shape: Any, roles: dict[str, str], questions: int) -> None:
    by, why, groups = _group(data, shape, roles)
    draft.choose("prepare.split.by", by, why)
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


def _group(data: DataProfile, shape: Any, roles: dict[str, str]) -> tuple[str | None, str, int]:
    """The column to split by, why, and how many groups that makes."""
    distinct = {column.name: column.distinct for column in data.columns}
    entity, context = roles.get("entity"), roles.get("context")
    if shape == "table" and entity is not None:
        because = f"all questions about one {shown(entity)} stay together: the score is for ones never trained on"
        return entity, because, distinct.get(entity, data.rows)
    if shape == "question-answer" and context is not None and distinct.get(context, data.rows) < data.rows:
        because = "several questions share a context; none is trained on and tested with as well"
        return context, because, distinct.get(context, data.rows)
    return None, "each row stands for itself; equal prompts stay together", data.rows


def _sound(data: DataProfile) -> int:
    """About how many records are left after the repairs (a row with two faults is counted twice)."""
    return max(1, data.rows - sum(finding.count for finding in data.findings if finding.repair))


def _share(usual: float, enough: float, least: float) -> float:
    """The usual share, less where less gives enough rows, never so little that the part may well stay empty."""
    share = min(usual, max(enough, 0.01))
    return round(min(max(share, least), 0.25), 2 if share >= 0.02 else 3)


def _margin(rows: int) -> float:
    """Half the width of a 95 % interval around 90 %, in points (normal approximation of the binomial)."""
    return 100 * 1.96 * math.sqrt(0.9 * 0.1 / rows)
