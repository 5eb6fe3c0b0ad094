"""Recommends the section `understand`: what can be read off the data is; the rest is the usual case, and said to be.

Goal, use case, measure and the number of examples come from the file; the approach from the rules in `rules.toml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.core.draft import Alternative, Draft
from tunesmith.core.facts import DataProfile, Facts
from tunesmith.core.plan import Evidence, Metric, Understand, UseCase
from tunesmith.core.schema import knob_at
from tunesmith.core.understand.advice import Advice, advise
from tunesmith.core.understand.situation import ANSWERS, Situation, has_context

FEW_LABELS = 20
"""Distinct completions, at most, for prompts and completions to be called a classification."""
SHORT_ANSWER = 60
"""Characters that 95 % of the answers stay within, to be called short: about 16 tokens of English. Characters, because
they are known at once and stay what they are with another model; tokens do neither."""

MEASURES: dict[UseCase, tuple[Metric, str]] = {
    "classification": ("accuracy", "a label is right or wrong"),
    "translation": ("bleu", "the usual measure of translations, which compares short runs of words"),
    "summarisation": ("rouge_l", "the usual measure of summaries, which looks for the same things in the same order"),
    "domain-language": ("perplexity", "how well the field's usage is known shows in how little its texts surprise"),
}
"""The measure where the use case decides it; elsewhere the length of the answers does."""

THRESHOLDS: dict[Metric, tuple[float, str]] = {
    "exact_match": (0.9, "9 of 10 right is a fair first goal"),
    "accuracy": (0.9, "9 of 10 labels right is a fair first goal"),
    "f1": (0.8, "people reach 0.87 against one another on short answers (SQuAD, arXiv:1606.05250), less on long ones"),
    "rouge_l": (
        0.35,
        "good systems reach about 0.4 on news (BART, arXiv:1910.13461), since there are many good summaries",
    ),
    "bleu": (0.3, "from 0.3 on a translation counts as understandable (Google Cloud, AutoML Translation, 'Evaluate')"),
    "perplexity": (
        5.0,
        "nothing is measured yet; set it below what the untouched model reaches, which the run scores first",
    ),
}

USUAL: dict[str, str] = {
    "users": "nobody was asked yet: colleagues, as in most first projects",
    "business_metric": "nobody was asked yet; one that is counted today makes the gain visible",
    "error_cost": "nobody was asked yet: something between a shrug and a disaster",
    "lacking": "nobody looked yet at what the untouched model answers; the run shows it before it trains",
    "quality": "nothing was measured; reading fifty rows tells",
    "latency": "nobody was asked yet: somebody waits for the answer, as in most uses",
    "privacy": "the safe answer, until you say otherwise; Tunesmith sends nothing anywhere",
    "scale": "nobody was asked yet: as many as in most first projects",
    "budget_money": "no limit was stated; what this machine does costs its electricity",
    "budget_hours": "no limit was stated; the time is estimated before anything starts",
}
"""Why the schema's own default is recommended for what can't be measured."""


def recommend_understand(draft: Draft, facts: Facts) -> None:
    """Fill every path of `understand`; comes first, so it looks at wishes for later stages but not at their choices."""
    data = facts.data
    shape = str(draft.wishes.get("prepare.shape", data.shape))
    context = has_context(shape, draft.wishes.get("prepare.columns", data.roles))
    use_case, because = _use_case(shape, data)
    use_case = _settle(draft, "use_case", use_case, because)
    _settle(draft, "goal", _goal(shape, use_case, data), "made of the data's shape; say it in your own words")
    answers: dict[str, Any] = {"use_case": use_case, "metric": _metric(draft, use_case, data)}
    for name, because in USUAL.items():
        answers[name] = _settle(draft, name, Understand.model_fields[name].default, because)
    _settle(draft, "business_goal", "", "in your own words, or left empty: that measure today, and where it should be")
    stays = "the facts come with each question" if context else "nobody was asked yet; if they do change, say so here"
    answers["knowledge_changes"] = _settle(draft, "knowledge_changes", "never", stays)
    answers["examples"] = _settle(draft, "examples", data.rows, f"{data.rows:,} records were counted in the file")
    form = {"text": "documents", "preference": "preferences"}.get(shape, "pairs")
    answers["example_form"] = _settle(draft, "example_form", form, _form(shape))
    none: list[str] = []
    answers["tried"] = tuple(
        _settle(draft, "tried", none, "nothing was stated; a prompt with examples is worth an hour")
    )
    situation = Situation(
        **{name: answers[name] for name in ANSWERS}, has_context=context, parameters=facts.model.parameters
    )
    _approach(draft, advise(situation))
    _evidence(draft, shape)


def _settle(draft: Draft, name: str, recommended: Any, because: str, others: tuple[Alternative, ...] = ()) -> Any:
    """The value at `understand.{name}`; what is recommended, where the wish is nothing that the rules could look at.

    A wish of the wrong kind stays in the draft: the schema refuses it with a sentence of its own.
    """
    path = f"understand.{name}"
    chosen = draft.choose(path, recommended, because, others)
    return chosen if _fits(path, chosen) else recommended


def _fits(path: str, value: Any) -> bool:
    knob = knob_at(path)
    if value is None:
        return knob.optional
    if knob.kind == "choice":
        return value in knob.options
    if knob.kind == "choices":
        return isinstance(value, list | tuple) and all(one in knob.options for one in value)
    if knob.kind in ("whole", "number"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _approach(draft: Draft, advice: Advice) -> None:
    """What is advised; of the others, those that something speaks for, and fine-tuning in any case."""
    others = tuple(
        Alternative(option.approach, option.why_not)
        for option in advice.ranked[1:]
        if option.weight > 0 or option.approach == "fine-tune"
    )
    draft.choose("understand.approach", advice.best.approach, advice.best.because, others)


def _evidence(draft: Draft, shape: str) -> None:
    usual = Evidence()
    none: list[int] = []
    if shape == "text":
        draft.choose("understand.evidence.shots", none, "plain text asks nothing that could be answered")
        draft.choose("understand.evidence.stop", usual.stop, "nothing is asked before the training")
        return
    draft.choose(
        "understand.evidence.shots",
        usual.shots,
        "the untouched model is asked first, without and with examples: the line that a training has to beat",
    )
    draft.choose(
        "understand.evidence.stop", usual.stop, "where the goal is met already, a training would be time for nothing"
    )


def _use_case(shape: str, data: DataProfile) -> tuple[UseCase, str]:
    if shape == "table":
        return "question-answering", "a table's records can be asked about"
    if shape == "question-answer":
        return "question-answering", "the rows are questions with their answers"
    known: dict[str, tuple[UseCase, str]] = {
        "chat": ("style", "the rows are chats, which teach a way of answering"),
        "text": ("domain-language", "the rows are running text: nothing is asked in them"),
        "classification": ("classification", "each row has a text and its label"),
        "preference": ("preference", "each row has a better and a worse answer"),
        "rated": ("preference", "the answers were rated"),
    }
    if shape in known:
        return known[shape]
    completion = next((column for column in data.columns if column.name == data.roles.get("completion")), None)
    if completion is not None and completion.distinct <= min(FEW_LABELS, data.rows // 5):
        return "classification", f"the completions are only {completion.distinct} different ones"
    return "other", "prompts and completions can be anything; say what they are"


def _form(shape: str) -> str:
    told = {
        "table": "each record gives questions with their answers",
        "question-answer": "the rows are questions with their answers",
        "chat": "in the rows somebody asks and is answered",
        "text": "the rows are running text",
        "classification": "the rows are texts with their labels",
        "preference": "in the rows two answers are compared",
    }
    return told.get(shape, "the rows are prompts with what should follow")


def _goal(shape: str, use_case: UseCase, data: DataProfile) -> str:
    if data.source == "practice":
        return "Answer questions about an employee from that employee's record, with the value alone."
    name = Path(data.source).stem.replace("_", " ").replace("-", " ")
    if shape == "table":
        return f"Answer questions about a record of {name} from that record, with the value alone."
    if use_case == "question-answering":
        source = "from the context given" if data.roles.get("context") else "as the examples do"
        return f"Answer questions like those in {name}, {source}."
    if use_case == "classification":
        return f"Give each text like those in {name} its label."
    if shape == "text":
        return f"Write like the texts in {name}."
    return f"Answer as the examples in {name} do."


def _metric(draft: Draft, use_case: UseCase, data: DataProfile) -> Metric:
    """The measure, and with it the goal to reach."""
    metric, because, others = _measure(use_case, data)
    settled: Metric = _settle(draft, "metric", metric, because, others)
    threshold, because = THRESHOLDS[settled]
    rest: tuple[Alternative, ...] = ()
    if settled in ("exact_match", "accuracy"):
        rest = (Alternative("1.0", "a few rows of most data are wrong or ambiguous themselves"),)
        if data.source == "practice":
            threshold, because = 0.95, "the practice task is simple enough for 95 of 100 right"
    draft.choose("understand.threshold", threshold, because, rest)
    return settled


def _measure(use_case: UseCase, data: DataProfile) -> tuple[Metric, str, tuple[Alternative, ...]]:
    if use_case in MEASURES:
        return (*MEASURES[use_case], (Alternative("exact_match", "counts only what is right to the letter"),))
    longest = data.answer_characters
    if longest is None:
        f1 = Alternative("f1", "for long answers; they were not looked at")
        return "exact_match", "the strict one, as long as the answers were not looked at", (f1,)
    if longest <= SHORT_ANSWER:
        because = f"95 % of the answers have at most {longest} characters: right or wrong, nothing between"
        return "exact_match", because, (Alternative("f1", "would count half-right values"),)
    because = f"the answers are long (95 % have up to {longest:,} characters), so shared words are counted"
    exact = "counts only what is right to the letter, which long answers hardly ever are"
    return "f1", because, (Alternative("exact_match", exact),)
