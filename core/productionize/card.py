"""The model card (README.md) in the Hub's format, with the figures that were measured and nothing else.

Mitchell et al. 2019 (Model Cards for Model Reporting, arXiv:1810.03993) for what belongs into one; the metadata is
that of https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from tunesmith.core.adapters import KINDS, told_bits
from tunesmith.core.after_launch import TITLE, after_launch
from tunesmith.core.facts import ModelFacts
from tunesmith.core.measures import ALWAYS, leading, measure
from tunesmith.core.plan import Plan
from tunesmith.core.results import TEST, Results, Scored
from tunesmith.core.wording import plain

Product = Literal["adapter", "merged", "full"]

_HUB_METRICS = {"rouge_l": "rouge"}
"""What the Hub calls a metric where it has another name for it."""
_HUB_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


class Training(msgspec.Struct, frozen=True):
    """What the run's events say about the training; zero where they say nothing."""

    steps: int = 0
    loss: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Told:
    """All that a card tells of."""

    product: Product
    plan: Plan
    base: ModelFacts
    """The model that was tuned."""
    results: Results
    """Of Evaluate, with the merged model's score where it was made."""
    counts: Mapping[str, int]
    """Rows by split."""
    training: Training


def write_card(folder: Path, told: Told) -> Path:
    """Write `README.md` into `folder` (the adapter, the merged or the fully tuned model), aside and then renamed.

    Raises:
        ValueError: The metadata can't be read back, a defect of ours.
    """
    from huggingface_hub import ModelCard

    content = f"---\n{_metadata(told.product, told.plan, told.base, told.results)}\n---\n\n{_body(told)}\n"
    ModelCard(content)  # parses the YAML and its results again, as the Hub would
    path = folder / "README.md"
    aside = folder / "README.md.part"
    aside.write_text(content, "utf-8")
    aside.replace(path)
    return path


def _metadata(product: Product, plan: Plan, base: ModelFacts, results: Results) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    scored = measured(product, results)
    data = data_name(plan)
    figures: dict[str, tuple[str, Any]] = {
        "exact_match": ("Exact match", scored.exact_match.value),
        "f1": ("Token F1", scored.f1.value),
    }
    chosen = scored.by(results.metric)
    if results.metric not in ALWAYS and chosen is not None:
        figures[_HUB_METRICS.get(results.metric, results.metric)] = (measure(results.metric).title, chosen.value)
    card = ModelCardData(
        # The Hub takes names of its own models only; a folder on this machine is told in the text.
        base_model=base.source if _HUB_NAME.match(base.source) else None,
        license=base.license or None,
        library_name="peft" if product == "adapter" else "transformers",
        pipeline_tag="text-generation",
        tags=["tunesmith", "sft", *([plan.select.method] if plan.select.method != "full" else [])],
        metrics=list(figures),
        model_name=plan.name,
        eval_results=[
            EvalResult(
                task_type="text-generation",
                task_name=plan.understand.use_case.replace("-", " "),
                dataset_type=re.sub(r"[^A-Za-z0-9._-]+", "-", data).strip("-"),
                dataset_name=data,
                dataset_split="test",
                metric_type=metric,
                metric_name=name,
                metric_value=round(value, 4),
            )
            for metric, (name, value) in figures.items()
        ],
    )
    return str(card.to_yaml())


def measured(product: Product, results: Results) -> Scored:
    """The score that is the product's own: the merged model's after merging, where it was made."""
    found = (results.score("merged") if product == "merged" else None) or results.score("tuned")
    if found is None:
        raise ValueError("the results hold no score of the tuned model")
    return found


def data_name(plan: Plan) -> str:
    """The data by the name of its file alone: a path may tell more than the owner wants to publish."""
    return "employees (practice table)" if plan.prepare.data == "practice" else plain(Path(plan.prepare.data).name)


def _body(told: Told) -> str:
    product, plan, base, results = told.product, told.plan, told.base, told.results
    kind = {
        "adapter": f"{_a(_method(plan))} adapter for {_base(base)}",
        "merged": f"{_base(base)} with {_a(_method(plan))} adapter merged into its weights",
        "full": f"{_base(base)}, all of its weights fine-tuned",
    }[product]
    kind = kind[:1].upper() + kind[1:]
    return "\n\n".join(
        [
            f"# {plain(plan.name)}",
            f"{kind}. Made with Tunesmith.",
            f"## What it is for\n\n{plain(plan.understand.goal, 1000)}",
            _use(product, plan),
            _evaluation(product, results),
            _limits(plan, results),
            f"## {TITLE}\n\n{after_launch(plan.understand)}",
            _data(plan, told.counts),
            _procedure(plan, results, told.training),
            _licence(base),
        ]
    )


def _use(product: Product, plan: Plan) -> str:
    load = (
        'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("PATH OF THE BASE MODEL"), folder)'
        if product == "adapter"
        else "model = AutoModelForCausalLM.from_pretrained(folder)"
    )
    imports = "from transformers import AutoModelForCausalLM, AutoTokenizer"
    system = f'{{"role": "system", "content": {plan.prepare.system!r}}}, ' if plan.prepare.system else ""
    lines = [
        *(["from peft import PeftModel"] if product == "adapter" else []),
        imports,
        "",
        'folder = "."  # this folder',
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
        load,
        f'chat = [{system}{{"role": "user", "content": "Context, an empty line, the question"}}]',
        "inputs = tokenizer.apply_chat_template(",
        '    chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"',
        ")",
        f"written = model.generate(**inputs, do_sample=False, max_new_tokens={plan.evaluate.max_new_tokens})",
        'print(tokenizer.decode(written[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))',
    ]
    text = "## How to use it\n\nAsk it in the form it was trained in, through the chat template, without sampling.\n\n"
    return text + "```python\n" + "\n".join(lines) + "\n```"


def _evaluation(product: Product, results: Results) -> str:
    level = f"{round(100 * results.draws.confidence, 1):g} %"
    shown = ALWAYS if results.metric in ALWAYS else (*ALWAYS, results.metric)
    lines = [
        "## Evaluation",
        "",
        f"On held-out rows, with the {level} bootstrap interval. {plain(results.verdict, 500)}.",
        "",
        f"| Model | Rows | {' | '.join(measure(key).title for key in shown)} |",
        f"| --- | ---: |{' ---: |' * len(shown)}",
    ]
    wanted = {"adapter": ("base", "tuned"), "merged": ("base", "tuned", "merged"), "full": ("base", "tuned")}[product]
    tests = [scored for scored in results.scores if scored.rows_kind == TEST and scored.model in wanted]
    lines += [f"| {s.model} | {s.rows} | {' | '.join(s.told(key) for key in shown)} |" for s in tests]
    chosen = measure(results.metric)
    lines += [
        "",
        "Exact match and token F1 with the normalisation of SQuAD (Rajpurkar et al. 2016); greedy decoding, at most "
        f"{results.max_new_tokens} new tokens."
        + ("" if results.metric in ALWAYS else f" {chosen.title} is {chosen.how.replace('; ', ', ')}."),
        *(f"\n{s.model.capitalize()}, over all rows at once: `{s.corpus}`." for s in tests if s.corpus),
        *(f"\n{plain(note, 500)}" for note in results.notes),
    ]
    return "\n".join(lines)


def _limits(plan: Plan, results: Results) -> str:
    lines = ["## Limits", ""]
    metric = leading(results.metric)
    lines += [_probe_line(scored, metric) for scored in results.scores if scored.rows_kind != TEST]
    tuned = results.score("tuned")
    if tuned is not None:
        wrong = round(tuned.rows * (1 - tuned.exact_match.value))
        how = "not right to the letter" if measure(results.metric).graded else "answered wrongly"
        lines.append(f"- {wrong} of {tuned.rows} held-out rows were {how}.")
    lines.append(
        f"- Measured on data of one kind ({data_name(plan)}). Other data, other languages, bias and safety were not "
        "measured."
    )
    return "\n".join(lines)


def _probe_line(scored: Scored, metric: str) -> str:
    plainly, shown = scored.plainly(metric), measure(metric)
    beside = "" if plainly is None else f"; {shown.told(plainly)} on the same rows asked plainly"
    found = f"{shown.name} {scored.told(metric)} on {scored.rows} rows{beside}"
    return f"- {scored.rows_kind}: {found}. {scored.meaning}"


def _data(plan: Plan, counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{counts[split]} for {use}" for split, use in _USES.items() if split in counts)
    split = plan.prepare.split
    together = f" All rows of one `{plain(split.by)}` are in one part." if split.by else ""
    about = f"{data_name(plan)}, shape {plan.prepare.shape}. Rows: {parts}.{together}"
    return f"## Data\n\n{about} The data is not in this folder."


_USES = {"train": "training", "validation": "validation", "test": "testing"}


def _procedure(plan: Plan, results: Results, training: Training) -> str:
    knobs = plan.select.hyperparameters
    rows: list[tuple[str, object]] = [("method", plan.select.method)]
    if plan.select.method != "full":
        rows.append(("adapter", KINDS[plan.select.peft].name))
    if plan.select.lora is not None:
        lora = plan.select.lora
        modules = lora.target_modules if isinstance(lora.target_modules, str) else ", ".join(lora.target_modules)
        rows += [("rank", lora.rank), ("alpha", lora.alpha), ("dropout", lora.dropout), ("target modules", modules)]
    if plan.select.quantization is not None:
        double = ", double" if plan.select.quantization.double else ""
        rows.append(("quantization", f"{told_bits(plan.select)}, {plan.select.quantization.type}{double}"))
    if plan.select.virtual_tokens is not None:
        rows.append(("virtual tokens", plan.select.virtual_tokens))
    rows += [
        ("learning rate", f"{knobs.learning_rate:g}"),
        ("schedule", f"{knobs.schedule}, warm-up {knobs.warmup:g}"),
        ("epochs", f"{knobs.epochs:g}"),
        ("effective batch", knobs.batch_size * knobs.accumulation),
        ("sequence length", knobs.max_length),
        ("optimizer", f"{knobs.optimizer}, weight decay {knobs.weight_decay:g}"),
        ("precision", plan.select.precision),
        ("seed", knobs.seed),
    ]
    if training.steps:
        rows.append(("steps", training.steps))
    if training.loss is not None:
        rows.append(("last training loss", f"{training.loss:.4f}"))
    rows.append(("versions", ", ".join(f"{name} {version}" for name, version in results.versions.items())))
    table = "\n".join(f"| {name} | {plain(str(value), 300)} |" for name, value in rows)
    return f"## How it was made\n\nSupervised fine-tuning, loss on the answer only.\n\n| | |\n| --- | --- |\n{table}"


def _method(plan: Plan) -> str:
    if plan.select.method == "qlora" and plan.select.peft == "lora":
        return "QLoRA"
    return "full" if plan.select.method == "full" else KINDS[plan.select.peft].name


def _a(name: str) -> str:
    """`a LoRA`, `an IA3`, `an rsLoRA`: as it is spoken."""
    return f"{'an' if name in ('AdaLoRA', 'IA3', 'LN tuning', 'rsLoRA') else 'a'} {name}"


def _base(base: ModelFacts) -> str:
    if base.source == "practice":
        return "Tunesmith's built-in practice model"
    # A folder's path stays private: its last part says which model it is.
    return f"the model `{plain(base.source if _HUB_NAME.match(base.source) else base.name)}`"


def _licence(base: ModelFacts) -> str:
    if base.license:
        stated = f"The base model's: {plain(base.license)}."
        return f"## Licence\n\n{stated} Whether the training data allows more or less is not known here."
    return "## Licence\n\nThe licence of the base model is not known, so none is stated."
