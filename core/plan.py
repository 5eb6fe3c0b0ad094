"""The plan: every decision of a run, one section a stage.

One schema feeds the screens, the help, the YAML comments, the checks and the docs: a field's title, help, unit, usual
range and source stand on the field, once. `plan_yaml` reads and writes it; `recommend.resolve` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

VERSION = 1
"""The version of this schema; `plan_yaml.MIGRATIONS` brings older files up to it."""

MOST_SEED = 2**32 - 1
"""The largest seed that NumPy's generators take."""

Path = str
"""A dotted path to a value of the plan, e.g. `select.lora.rank`."""


def knob(
    title: str,
    text: str,
    *,
    question: str = "",
    meanings: Mapping[str, str] | None = None,
    unit: str = "",
    usual: str = "",
    source: str = "",
    **bounds: Any,
) -> Any:
    """A field of the plan.

    Args:
        title: Its name in plain words.
        text: Its help: the term in two sentences.
        question: How everybody is asked for it; a field without one is only shown among all settings.
        meanings: What each option means, in a few words, where it is a choice.
        unit: What its number counts.
        usual: The range people use.
        source: Where the range or the default comes from: a paper, or a library's documentation.
        bounds: pydantic's own constraints (ge, le, min_length ...).
    """
    told = {"question": question, "meanings": dict(meanings or {}), "unit": unit, "usual": usual, "source": source}
    extra: dict[str, Any] = {key: value for key, value in told.items() if value}
    return Field(title=title, description=text, json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A part of the plan: unknown keys are refused, and a value is what it looks like (`true` is no rank)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, str_strip_whitespace=False)


UseCase = Literal["question-answering", "classification", "extraction", "summarisation", "style", "other"]
Approach = Literal["prompt", "retrieval", "fine-tune"]
Metric = Literal["exact_match", "f1"]


class Understand(Section):
    """What is wanted, and whether fine-tuning is the way to it."""

    goal: str = knob(
        "Goal",
        "What the tuned model is for, in one sentence. It goes into the report and the model card.",
        question="What should the model do?",
    )
    use_case: UseCase = knob(
        "Use case",
        "The kind of task. It decides what is advised and which measures make sense.",
        question="What kind of task is it?",
        meanings={
            "question-answering": "questions with one right answer",
            "classification": "a label for each text",
            "extraction": "values taken out of a text",
            "summarisation": "a long text made short",
            "style": "a way of answering: tone, form, persona",
            "other": "none of these",
        },
    )
    metric: Metric = knob(
        "Metric",
        "What success is measured by. Exact match counts answers that are right to the letter after normalising case, "
        "punctuation and articles; F1 counts shared words, so it suits longer answers.",
        question="How is success measured?",
        meanings={"exact_match": "an answer is right to the letter, or wrong", "f1": "by the words it shares"},
        source="Rajpurkar et al. 2016 (SQuAD), arXiv:1606.05250",
    )
    threshold: float = knob(
        "Goal to reach",
        "The share of held-out rows that must be right for the model to count as good enough.",
        question="How good is good enough?",
        usual="0.80 to 0.99",
        ge=0,
        le=1,
    )
    tried: list[Literal["prompt", "few-shot", "retrieval"]] = knob(
        "Already tried",
        "What has been tried before fine-tuning; the cheaper ways should come first.",
        question="What was tried already?",
        meanings={
            "prompt": "instructions in the prompt",
            "few-shot": "examples in the prompt",
            "retrieval": "facts looked up and put into the prompt",
        },
    )
    approach: Approach = knob(
        "Approach",
        "Prompting changes only the question, retrieval brings the facts into the prompt, fine-tuning changes how the "
        "model answers. They can be combined.",
        question="Which way to go?",
        meanings={
            "prompt": "better instructions, no training",
            "retrieval": "facts looked up and put into the prompt",
            "fine-tune": "train the model on examples",
        },
    )


class QuestionTemplate(Section):
    """How a question and its answer are made from one record of a table; {column} stands for the record's value."""

    ask: str = knob("Question", "The question, with {column} where a value of the record belongs.", min_length=1)
    answer: str = knob("Answer", "The answer that is wanted, with {column} where a value belongs.", min_length=1)


class Repair(Section):
    """One step that mends the data. Steps run in the order of the list; the file itself is never changed."""

    kind: Literal["drop-duplicates", "drop-empty", "dates-to-iso", "drop-out-of-range"] = knob(
        "Repair", "What is done to the rows that a finding named."
    )
    column: str | None = knob("Column", "The column that it looks at; none for whole rows.", default=None)
    low: float | None = knob("Lowest", "drop-out-of-range: the smallest value that is kept.", default=None)
    high: float | None = knob("Highest", "drop-out-of-range: the largest value that is kept.", default=None)


Layout = Literal["lines", "list", "json", "prose"]


class Split(Section):
    """Which rows are trained on, watched during training, and kept for the final score."""

    by: str | None = knob(
        "Group by",
        "The column whose values are never divided between the parts: all rows of one person stay together, so that "
        "the score is for people the model has not seen. None splits row by row.",
        question="What must never be in two parts?",
        default=None,
    )
    validation: float = knob("Validation share", "Watched while training.", usual="0.05 to 0.1", ge=0, le=0.5)
    test: float = knob(
        "Test share",
        "Kept for the final score and for nothing else.",
        question="How much is kept for the test?",
        usual="0.1 to 0.25",
        gt=0,
        le=0.5,
    )
    seed: int = knob(
        "Split seed", "The same seed gives the same parts, also when rows are added later.", ge=0, le=MOST_SEED
    )


class Prepare(Section):
    """From the person's file to rows of prompt and answer."""

    data: str = knob(
        "Data",
        "The file, or `practice` for the built-in employee table.",
        question="Which file holds the examples?",
        min_length=1,
    )
    fingerprint: str = knob(
        "Fingerprint", "SHA-256 of the file when the plan was made; a file that changed since is noticed.", default=""
    )
    shape: Literal["table", "question-answer", "prompt-completion", "chat"] = knob(
        "Shape",
        "What one row of the file is: a record of a table, a question with its answer (and perhaps a context), "
        "a prompt with its completion, or a chat.",
        question="What is one row of it?",
        meanings={
            "table": "a record; questions are made of its columns",
            "question-answer": "a question, its answer, perhaps a context",
            "prompt-completion": "a prompt and what should follow",
            "chat": "a conversation",
        },
    )
    columns: dict[str, str] = knob(
        "Columns",
        "Which column plays which part. table: entity; question-answer: question, answer, context; "
        "prompt-completion: prompt, completion; chat: messages.",
    )
    system: str = knob("System prompt", "Instructions put before every prompt; empty for none.", default="")
    fields: list[str] = knob("Fields", "table: the columns that the context shows.", default_factory=list)
    questions: list[QuestionTemplate] = knob(
        "Question templates",
        "table: the questions asked of every record, each with the column that answers it.",
        question="What is asked of each record?",
        default_factory=list,
    )
    layouts: list[Layout] = knob(
        "Context layouts",
        "table: the forms in which a record is written into the prompt, one drawn for each row. Several forms teach "
        "the model to read the names of fields rather than their places.",
        default_factory=list,
    )
    shuffle_fields: bool = knob(
        "Shuffle fields",
        "table: write the fields of each record in a random order, for the same reason.",
        default=False,
    )
    repairs: list[Repair] = knob("Repairs", "What is mended before the rows are made.", default_factory=list)
    split: Split

    @model_validator(mode="after")
    def _parts_named(self) -> Prepare:
        needed = {
            "table": ("entity",),
            "question-answer": ("question", "answer"),
            "prompt-completion": ("prompt", "completion"),
            "chat": ("messages",),
        }[self.shape]
        missing = [role for role in needed if role not in self.columns]
        if missing:
            raise ValueError(f"shape {self.shape} needs columns.{missing[0]}")
        if self.shape == "table" and not (self.questions and self.fields and self.layouts):
            raise ValueError("shape table needs fields, questions and layouts")
        return self


Method = Literal["full", "lora", "qlora"]


class Lora(Section):
    """The low-rank adapter that is trained beside the frozen weights (Hu et al. 2021, arXiv:2106.09685)."""

    rank: int = knob(
        "Rank (r)",
        "How wide the adapter is: its capacity, and its size.",
        question="How wide is the adapter?",
        usual="8 to 64",
        ge=1,
        le=1024,
    )
    alpha: int = knob(
        "Alpha",
        "The adapter's output is scaled by alpha / r.",
        usual="r to 2 r",
        ge=1,
        le=4096,
        source="arXiv:2106.09685",
    )
    dropout: float = knob(
        "Dropout", "Share of the adapter's inputs left out at each step.", usual="0 to 0.1", ge=0, lt=1
    )
    target_modules: Literal["all-linear"] | list[str] = knob(
        "Target modules",
        "Which layers get an adapter. `all-linear` adapts every linear layer but the output head.",
        source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314: all linear layers are needed to match full fine-tuning",
    )


class Quantization(Section):
    """How the frozen weights are packed for QLoRA (Dettmers et al. 2023, arXiv:2305.14314)."""

    type: Literal["nf4", "fp4"] = knob("4-bit type", "NF4 suits weights that are normally distributed.")
    double: bool = knob("Double quantization", "Also packs the scales: saves about 0.37 bit a parameter.")


class Hyperparameters(Section):
    """How the weights are moved."""

    learning_rate: float = knob(
        "Learning rate",
        "How far each step moves the weights. Too large and the loss jumps about; too small and little is learnt.",
        question="How far does each step move?",
        usual="LoRA 1e-4 to 2e-4, full 1e-5 to 5e-5",
        gt=0,
        le=1,
    )
    schedule: Literal["cosine", "linear", "constant"] = knob("Schedule", "How the learning rate falls over the run.")
    warmup: float = knob(
        "Warm-up", "Share of the steps over which the learning rate rises from zero.", usual="0.03 to 0.1", ge=0, lt=1
    )
    epochs: float = knob(
        "Epochs",
        "How often each row is seen. More passes learn more, and in the end learn the rows by heart.",
        question="How often is each row seen?",
        unit="passes",
        usual="1 to 5",
        gt=0,
        le=1000,
    )
    batch_size: int = knob(
        "Micro-batch",
        "Rows computed at once; decides the memory.",
        question="How many rows at once?",
        unit="rows",
        ge=1,
    )
    accumulation: int = knob(
        "Accumulation", "Micro-batches added up before a step: effective batch = micro-batch × this.", ge=1
    )
    max_length: int = knob(
        "Sequence length",
        "Longer rows are cut; the longest decides the memory.",
        question="How long may a row be?",
        unit="tokens",
        ge=8,
    )
    weight_decay: float = knob("Weight decay", "Pulls weights towards zero.", usual="0 to 0.1", ge=0, le=1)
    max_grad_norm: float = knob("Gradient clipping", "The largest gradient norm let through.", usual="0.3 to 1", gt=0)
    optimizer: Literal["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = knob(
        "Optimizer",
        "8-bit states take a quarter of the memory of 32-bit ones; paged ones move to RAM when it is short.",
    )
    gradient_checkpointing: bool = knob(
        "Gradient checkpointing",
        "Recomputes activations in the backward pass: far less memory for about a third more time.",
        source="Chen et al. 2016, arXiv:1604.06174",
    )
    seed: int = knob("Seed", "Order of the rows, adapter initialisation and dropout.", ge=0, le=MOST_SEED)


class Select(Section):
    """Which model, which method, which settings, on which device."""

    model: str = knob(
        "Model",
        "`practice`, a folder with a model in Hugging Face layout, or a name in the local Hugging Face cache.",
        question="Which model is tuned?",
        min_length=1,
    )
    method: Method = knob(
        "Method",
        "full moves every weight, lora trains a small adapter, qlora does so over weights packed to 4 bits.",
        question="How is it trained?",
        meanings={
            "full": "every weight moves",
            "lora": "a small adapter beside the frozen weights",
            "qlora": "the same over weights packed to 4 bits",
        },
    )
    device: Literal["cuda", "cpu"] = knob("Device", "Where it is computed.")
    precision: Literal["bf16", "fp16", "fp32"] = knob("Precision", "Number format of the computation.")
    lora: Lora | None = knob("Adapter", "Settings of the adapter; none for full.", default=None)
    quantization: Quantization | None = knob("Quantization", "Settings of the 4-bit weights; only qlora.", default=None)
    hyperparameters: Hyperparameters

    @model_validator(mode="after")
    def _method_complete(self) -> Select:
        if self.method != "full" and self.lora is None:
            raise ValueError(f"method {self.method} needs a lora section")
        if self.method == "full" and self.lora is not None:
            raise ValueError("method full takes no lora section")
        if self.device == "cpu" and self.precision == "fp16":
            raise ValueError("precision fp16 is for GPUs; a cpu computes in fp32 or bf16")
        if self.device == "cpu" and self.hyperparameters.optimizer.endswith("8bit"):
            raise ValueError(f"optimizer {self.hyperparameters.optimizer} is for GPUs; take adamw_torch_fused")
        if self.lora is not None and self.lora.target_modules in ("", []):
            raise ValueError("lora.target_modules names no layer; take all-linear")
        if (self.method == "qlora") != (self.quantization is not None):
            raise ValueError("a quantization section goes with method qlora and with no other")
        return self


class Finetune(Section):
    """What is watched and saved while it trains."""

    log_every: int = knob("Log every", "Steps between two points of the loss curve.", unit="steps", ge=1)
    evaluate_every: int = knob("Evaluate every", "Steps between two looks at the validation rows.", unit="steps", ge=1)
    validation_rows: int = knob(
        "Validation slice", "Rows answered in full at each evaluation; the same every time.", unit="rows", ge=0
    )
    samples: int = knob("Samples", "Answers of the slice that are shown.", unit="rows", ge=0)
    save_every: int = knob("Save every", "Steps between two checkpoints.", unit="steps", ge=1)
    keep_checkpoints: int = knob("Checkpoints kept", "Older ones are deleted.", ge=1)


Probe = Literal["context-withheld", "fields-reordered", "values-invented", "as-prose"]


class Evaluate(Section):
    """How the untouched and the tuned model are scored on rows that neither has seen."""

    max_new_tokens: int = knob("Longest answer", "Tokens a model may write.", unit="tokens", ge=1)
    batch_size: int = knob("Batch", "Prompts answered at once.", unit="rows", ge=1)
    confidence: float = knob("Confidence", "Of the bootstrap intervals.", usual="0.95", gt=0, lt=1)
    resamples: int = knob("Resamples", "Bootstrap draws.", usual="1000 to 10000", ge=100)
    probes: list[Probe] = knob(
        "Probes",
        "The same questions asked in another way, to see whether the model reads or remembers: with the context "
        "withheld its score must fall; with fields reordered, values invented or the record as prose it should not.",
        default_factory=list,
    )
    probe_rows: int = knob("Probe rows", "Test rows asked in each probe.", unit="rows", ge=1)


class Productionize(Section):
    """What is made of the result."""

    merge: bool = knob("Merge", "Fold the adapter into the weights: one plain model, no PEFT needed to serve it.")
    host: str = knob(
        "Host",
        "Where the endpoint listens; 127.0.0.1 is reachable only from this machine.",
        pattern=r"^[A-Za-z0-9.:_\[\]-]+$",
    )
    port: int = knob("Port", "Of the endpoint; 0 takes a free one.", ge=0, le=65535)
    ask_once: bool = knob("Ask once", "Start the endpoint, ask it one question over HTTP, and stop it again.")


class Plan(Section):
    """Every decision of a run."""

    version: int = knob("Plan version", "Of this file's schema.", default=VERSION)
    name: str = knob("Name", "Of the project; runs are named after it.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    understand: Understand
    prepare: Prepare
    select: Select
    finetune: Finetune
    evaluate: Evaluate
    productionize: Productionize
