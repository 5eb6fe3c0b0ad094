"""The data card: where the data is from, what became of every row and why, in Markdown for people.

What belongs into one is after Gebru et al. 2021 (Datasheets for Datasets, arXiv:1803.09010) and Pushkarna et al. 2022
(Data Cards, arXiv:2204.01075), as far as it can be known from the file. Whatever comes from the data stands in it as
text: it can't become a heading, a link, a picture or HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tunesmith.core.facts import DataFinding, DataProfile
from tunesmith.core.plan import Prepare
from tunesmith.core.plan.prepare import Repair
from tunesmith.core.prepare.account import Account
from tunesmith.core.prepare.cells import counted
from tunesmith.core.prepare.repair.recipe import answers
from tunesmith.core.prepare.repair.words import PERSONAL, told_values, veiled
from tunesmith.core.proof import Proof
from tunesmith.core.rows import SPLITS
from tunesmith.core.wording import code, plain

LISTED = ("drop-values", "drop-repeated-answers")
"""Repairs whose names are values of the data."""

MASK, DROP, KEPT = "mask-personal", "drop-personal", "**kept**"
HIPAA = {"email": "F", "phone": "D", "iban": "J", "card": "J", "national-id": "G", "ip": "O", "name": "A"}
"""The letter of the identifier in HIPAA's Safe Harbor, 45 CFR 164.514(b)(2)(i), that a kind of personal data is."""


def card(
    account: Account,
    plan: Prepare,
    profile: DataProfile | None = None,
    proof: Proof | None = None,
    at: datetime | None = None,
) -> str:
    """The data card of what was prepared, as Markdown.

    Args:
        account: What became of the rows.
        plan: What was asked for.
        profile: What was found in the file; None where it was not looked at.
        proof: The rows in the model's tokens; None where its tokenizer was not at hand.
        at: When the data was prepared; now where it is not given.
    """
    sections = [
        ("Where it is from", _origin(account, plan, at or datetime.now(UTC))),
        ("What became of the rows", _steps(account)),
        ("What was found, and what was done about it", _findings(profile, plan)),
        ("Personal data", _privacy(profile, plan, account.beside)),
        ("Parts", _parts(account, plan)),
        ("Slices", _slices(account)),
        ("Lengths", _lengths(proof)),
    ]
    lines = ["# Data card", ""]
    for title, body in sections:
        if told := list(body):
            lines += [f"## {title}", "", *told, ""]
    return "\n".join(lines)


def prose(text: str, most: int = 600) -> str:
    """Text from the data as one line of Markdown in which nothing is markup, HTML, a link or an address."""
    line = html.escape(plain(text, most), quote=False)
    line = re.sub(r"([\\`*_\[\]|~$^])", r"\\\1", line)
    line = line.replace("://", "&#58;//").replace("@", "&#64;")
    line = re.sub(r"(?i)\b(www)\.", r"\1&#46;", line)
    return re.sub(r"^(\d*)([-+#=:.)])", r"\1\\\2", line)


def _origin(account: Account, plan: Prepare, at: datetime) -> Iterator[str]:
    yield f"- Data: {code(account.source)}, read as {code(account.format)}"
    if account.files and account.files != [account.source]:
        named = ", ".join(code(name) for name in account.files[:10])
        more = f" and {len(account.files) - 10:,} more" if len(account.files) > 10 else ""
        yield f"- {counted(len(account.files), 'file')}: {named}{more}"
    yield f"- Source: {prose(plan.source)}" if plan.source.strip() else "- Source: not given."
    if plan.licence.strip():
        yield f"- Licence: {prose(plan.licence)}"
    else:
        yield "- Licence: **not given.** Whether the data, or a model trained on it, may be passed on is not known."
    yield f"- Prepared: {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"- Fingerprint of what was read: {code(account.fingerprint)}"
    if plan.fingerprint and plan.fingerprint != account.fingerprint:
        yield f"- **The data has changed** since the plan was made; its fingerprint was {code(plan.fingerprint)} then."
    yield f"- One row of it is: {plan.shape.replace('-', ' ')}"
    if plan.query:
        yield f"- Query: {code(plan.query, 1000)}"


def _steps(account: Account) -> Iterator[str]:
    total = account.read + account.rejected
    yield (
        f"{counted(total, 'row')} stood in the data: {account.rejected:,} could not be read, {account.aside:,} were "
        f"set aside, {account.used:,} are used. The data itself was not changed."
    )
    left_out = sum(step.before - step.after for step in account.steps if step.name == "overlap")
    if left_out:
        yield f"Of the rows made of them {left_out:,} are left out, because another part has them, too."
    if not account.steps:
        return
    yield ""
    yield "| Step | Column | Before | After | Mended | What it did |"
    yield "|---|---|---:|---:|---:|---|"
    for step in account.steps:
        counts = f"{step.before:,} | {step.after:,} | {step.changed:,}"
        yield f"| {code(step.name)} | {_column(step.column)} | {counts} | {prose(step.text)} |"


def _column(name: str) -> str:
    return code(name) if name else "whole row"


def _findings(profile: DataProfile | None, plan: Prepare) -> Iterator[str]:
    if profile is None:
        yield "The data was not looked at."
        return
    if not profile.findings:
        yield "Nothing that should be mended or known was found."
        return
    yield "| Found | Column | Rows | Severity | What was decided |"
    yield "|---|---|---:|---|---|"
    for finding in profile.findings:
        column = _column(finding.column)
        share = f" ({100 * finding.share:.1f} %)" if finding.share else ""
        decided = _decided(finding, plan.repairs)
        yield f"| {prose(finding.text)} | {column} | {finding.count:,}{share} | {finding.severity} | {decided} |"


def _decided(finding: DataFinding, repairs: Sequence[Repair]) -> str:
    if not finding.repairs:
        return "nothing to mend: to be known"
    made = [repair for repair in repairs if answers(finding, repair.model_dump(exclude_none=True))]
    return "mended: " + ", ".join(map(_repair, made)) if made else "**left as it is**"


def _repair(repair: Repair) -> str:
    kept = {
        name: value for name, value in repair.model_dump(exclude_none=True).items() if name not in ("kind", "column")
    }
    told = [f"{name} {code(_value(value, listed=repair.kind in LISTED))}" for name, value in kept.items()]
    return code(repair.kind) + (f" ({', '.join(told)})" if told else "")


def _value(value: object, *, listed: bool) -> str:
    """A field of a repair, personal data left out; `listed` where its names are values of the data."""
    if isinstance(value, dict):
        return "; ".join(f"{veiled(str(before))} → {veiled(str(after))}" for before, after in value.items())
    if isinstance(value, list | tuple):
        names = [str(name) for name in value]
        return told_values(names, most=len(names)) if listed and names else ", ".join(names)
    return f"{value:g}" if isinstance(value, float) else veiled(str(value))


def _privacy(profile: DataProfile | None, plan: Prepare, beside: Sequence[str]) -> Iterator[str]:
    found = list(_personal(profile))
    kept = {kind for kind, column, _ in found if _decision(plan, kind, column) == KEPT}
    unfound = [repair for repair in plan.repairs if repair.kind in (MASK, DROP) and not _met(repair, found)]
    if profile is None:
        yield "Nobody looked for personal data."
    elif not found:
        where = "In the columns that are trained on none" if beside else "None"
        yield f"{where} was found. Looked for: {_listed(PERSONAL)}; names only where a column's header tells them."
    if found:
        yield "| Kind | Column | Rows | Decision |"
        yield "|---|---|---:|---|"
        for kind, column, rows in found:
            yield f"| {PERSONAL[kind]} | {_column(column)} | {rows:,} | {_decision(plan, kind, column)} |"
    for repair in unfound:
        done = "masked" if repair.kind == MASK else "dropped with their rows"
        where = f" in {code(repair.column)}" if repair.column else ""
        yield ""
        yield f"Also {done} wherever they stand{where}: {_listed(_kinds(repair.names))}."
    for text in beside:
        yield ""
        yield f"Not trained on: {prose(text)}"
    yield ""
    if kept:
        yield (
            f"Kept in the rows: {_listed(kept)}. Of living people this is personal data in the sense of the GDPR "
            "(Regulation (EU) 2016/679, Article 4(1)): training on it needs a legal basis (Article 6), and a model may "
            "repeat it."
        )
    letters = sorted({HIPAA[kind] for kind in kept if kind in HIPAA})
    if letters:
        yield (
            f"If these are data of patients, they are not de-identified by HIPAA's Safe Harbor (45 CFR 164.514(b)(2)): "
            f"identifiers of kind {', '.join(f'({letter})' for letter in letters)} are left."
        )
    yield (
        "What was looked for is found by its pattern, so some of it may remain; that nothing was found or all was "
        "masked makes data neither anonymous under the GDPR nor de-identified under HIPAA."
    )


def _personal(profile: DataProfile | None) -> Iterator[tuple[str, str, int]]:
    """(kind, column, rows) of the personal data that was found."""
    for finding in profile.findings if profile else ():
        for kind in sorted({kind for offered in finding.repairs for kind in _offered(offered)}):
            yield kind, finding.column, finding.count


def _offered(repair: Mapping[str, Any]) -> set[str]:
    return _kinds(repair.get("names")) if repair.get("kind") in (MASK, DROP) else set()


def _met(repair: Repair, found: Sequence[tuple[str, str, int]]) -> bool:
    return any(kind in _kinds(repair.names) and repair.column in (None, column) for kind, column, _ in found)


def _decision(plan: Prepare, kind: str, column: str) -> str:
    done = {
        repair.kind for repair in plan.repairs if kind in _kinds(repair.names) and repair.column in (None, column)
    } & {MASK, DROP}
    return "rows that hold it were dropped" if DROP in done else "masked" if done else KEPT


def _kinds(names: Iterable[str] | None) -> set[str]:
    """The kinds of personal data that a repair names; all of them where it names none."""
    return set(PERSONAL) & set(names) if names else set(PERSONAL)


def _listed(kinds: Iterable[str]) -> str:
    wanted = set(kinds)
    return ", ".join(name for kind, name in PERSONAL.items() if kind in wanted)


def _parts(account: Account, plan: Prepare) -> Iterator[str]:
    yield "| Part | Rows | Fingerprint of its file |"
    yield "|---|---:|---|"
    for part in [*SPLITS, *(name for name in account.parts if name not in SPLITS)]:
        digest = account.fingerprints.get(part)
        yield f"| {code(part)} | {account.parts.get(part, 0):,} | {code(digest) if digest else 'not taken'} |"
    yield ""
    yield f"Divided {_by(plan)}."


def _by(plan: Prepare) -> str:
    split = plan.split
    how = []
    if split.time:
        how.append(f"by time, the newest by {code(split.time)} for the test")
    if split.by:
        how.append(f"by {code(split.by)}, none of whose values is in two parts")
    if split.stratify:
        how.append(f"with the same shares of {code(split.stratify)} in each")
    if split.test_file:
        how.append(f"with the test from its own file {code(split.test_file)}")
    overlap = {"drop": "taken out of the training", "move": "moved", "keep": "kept and counted"}[split.overlap]
    return f"{', '.join(how) or 'row by row'}; seed {split.seed}; rows in two parts are {overlap}"


def _slices(account: Account) -> Iterator[str]:
    for column, values in account.slices.items():
        yield (
            f"- {code(column)}: "
            + ", ".join(
                f"{code(veiled(value))} {number:,}"
                for value, number in sorted(values.items(), key=lambda item: -item[1])[:20]
            )
            + (f" and {len(values) - 20:,} more" if len(values) > 20 else "")
        )


def _lengths(proof: Proof | None) -> Iterator[str]:
    if proof is None:
        yield "The rows were not counted in a model's tokens."
        return
    of_some = f", of {proof.profile.rows:,} of {proof.rows:,} rows" if proof.sampled else ""
    yield f"In tokens of the chosen model, with its chat template{of_some}:"
    yield ""
    yield "| | half have at most | 95 % | 99 % | longest |"
    yield "|---|---:|---:|---:|---:|"
    profile = proof.profile
    for name, of in (("whole row", profile.whole), ("prompt", profile.prompt), ("answer", profile.answer)):
        yield f"| {name} | {of.p50:,} | {of.p95:,} | {of.p99:,} | {of.longest:,} |"
    yield ""
    yield f"{proof.trained:,} of {proof.tokens:,} tokens are trained: the answers and their end marks."
    if proof.max_length is not None:
        yield f"{counted(proof.cut, 'row')} cut at {proof.max_length:,} tokens, {proof.lost:,} without any answer left."
