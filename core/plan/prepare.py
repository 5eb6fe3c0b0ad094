"""The section `prepare`: from the person's file to rows of prompt and answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from tunesmith.core.plan.encoding import codec_named
from tunesmith.core.plan.section import MOST_SEED, Section, knob


class QuestionTemplate(Section):
    """How a question and its answer are made from one record of a table; {column} stands for the record's value."""

    ask: str = knob("Question", "The question, with {column} where a value of the record belongs.", min_length=1)
    answer: str = knob("Answer", "The answer that is wanted, with {column} where a value belongs.", min_length=1)


RepairKind = Literal[
    "drop-duplicates",
    "drop-near-duplicates",
    "drop-empty",
    "fill-empty",
    "drop-values",
    "dates-to-iso",
    "plain-numbers",
    "drop-out-of-range",
    "unify-labels",
    "fix-encoding",
    "strip-html",
    "tidy-text",
    "drop-short",
    "drop-long",
    "drop-contradictions",
    "drop-repeated-answers",
    "keep-languages",
    "mask-personal",
    "drop-personal",
]
PersonalKind = Literal["email", "phone", "iban", "card", "national-id", "ip", "secret", "name"]


class Repair(Section):
    """One step that mends the data. Steps run in the order of the list; the file itself is never changed."""

    kind: RepairKind = knob("Repair", "What is done to the rows that a finding named.")
    column: str | None = knob("Column", "The column that it looks at; none for whole rows.", default=None)
    low: float | None = knob(
        "Lowest", "drop-out-of-range: the smallest value kept; drop-short: the fewest characters.", default=None
    )
    high: float | None = knob(
        "Highest", "drop-out-of-range: the largest value kept; drop-long: the most characters.", default=None
    )
    threshold: float | None = knob(
        "Likeness",
        "drop-near-duplicates: the share of common word groups from which two rows count as the same.",
        usual="0.7 to 0.9",
        source="Lee et al. 2022 (arXiv:2107.06499) take 0.8",
        default=None,
        gt=0,
        le=1,
    )
    value: str | None = knob("Value", "fill-empty: what is written where there is nothing.", default=None)
    values: dict[str, str] | None = knob(
        "Values", "unify-labels: each way a label is written, and what it becomes.", default=None
    )
    names: list[str] | None = knob(
        "Names",
        "drop-values: the values whose rows are left out; keep-languages: codes such as en; mask-personal and "
        "drop-personal: kinds of personal data, of email, phone, iban, card, national-id, ip, secret and name; "
        "drop-repeated-answers: the answers.",
        default=None,
    )
    keep: Literal["first", "most", "none"] | None = knob(
        "Keep", "drop-contradictions: the first answer, the one given most often, or none of them.", default=None
    )


LIKENESS = 0.8
"""Lee et al. 2022 (arXiv:2107.06499), section 4.2, call texts near-duplicates from this share of common words on."""

Layout = Literal["lines", "list", "json", "prose"]


def held(size: float, rows: int) -> float:
    """About how many of `rows` a part takes: `size` is a share below 1, or a number of rows."""
    return size * rows if size < 1 else min(size, rows)


class Split(Section):
    """Which rows are trained on, watched during training, and kept for the final score."""

    by: str | None = knob(
        "Group by",
        "The column whose values are never divided between the parts: all rows of one person stay together, so that "
        "the score is for people the model has not seen. None splits row by row.",
        question="What must never be in two parts?",
        empty="nothing",
        default=None,
    )
    stratify: str | None = knob(
        "Balance by",
        "The column whose values have the same share in every part, such as a label; a rare one is then never "
        "missing from the test.",
        empty="nothing",
        default=None,
    )
    time: str | None = knob(
        "By time",
        "The column with dates by which the newest rows are kept for the test, as they will be when it is used. None "
        "splits by a hash, without regard to time.",
        empty="no",
        default=None,
    )
    validation: float = knob(
        "Validation share",
        "Watched while training: a share below 1, or a number of rows.",
        usual="0.05 to 0.1",
        ge=0,
    )
    test: float = knob(
        "Test share",
        "Kept for the final score and for nothing else: a share below 1, or a number of rows.",
        question="How much is kept for the test?",
        usual="0.1 to 0.25",
        ge=0,
    )
    test_file: str | None = knob(
        "Own test file",
        "A file of your own whose rows are the test; it is read as the data is, and none of the data's rows are kept "
        "for the test then.",
        empty="none",
        default=None,
    )
    overlap: Literal["drop", "move", "keep"] = knob(
        "Rows in two parts",
        "What becomes of a training row that the test or the validation has as well, word by word or nearly: a score "
        "on rows that were trained on says nothing.",
        meanings={
            "drop": "it is taken out of the training",
            "move": "it goes to the part that has it, too",
            "keep": "it stays, and is counted",
        },
        default="drop",
    )
    near: float | None = knob(
        "Nearly the same",
        "The share of common word groups from which two rows in different parts count as the same, where the numbers "
        "in them are the same, too; none compares word by word only.",
        usual="0.7 to 0.9",
        source="Lee et al. 2022 (arXiv:2107.06499) take 0.8",
        empty="word by word only",
        default=None,
        gt=0,
        le=1,
    )
    compare: list[str] = knob(
        "Compare with",
        "Files of your own, such as a benchmark, that no training row may repeat.",
        default_factory=list,
    )
    seed: int = knob(
        "Split seed",
        "The same seed gives the same parts. Where they are shares, not balanced by a label, a row stays in its part "
        "when others are added later.",
        ge=0,
        le=MOST_SEED,
    )

    def trained(self, rows: int) -> int:
        """About how many of `rows` are left to train on; at least one."""
        test = 0.0 if self.test_file is not None else self.test
        return max(1, round(rows - held(test, rows) - held(self.validation, rows)))

    @model_validator(mode="after")
    def _parts_possible(self) -> Split:
        for name, size in (("test", self.test), ("validation", self.validation)):
            if 0.5 < size < 1:
                raise ValueError(f"split.{name} of {size:g} leaves too little: at most 0.5, or a number of rows")
            if size >= 1 and size != int(size):
                raise ValueError(f"split.{name} of {size:g} is neither a share nor a number of rows")
        if self.test == 0 and self.test_file is None:
            raise ValueError("split.test must be above 0, unless split.test_file names the test")
        if self.time is not None and self.stratify is not None:
            raise ValueError("split.time and split.stratify can't go together")
        return self


ShapeName = Literal[
    "table", "question-answer", "prompt-completion", "chat", "text", "classification", "preference", "rated"
]

NEEDED: dict[ShapeName, tuple[str, ...]] = {
    "table": ("entity",),
    "question-answer": ("question", "answer"),
    "prompt-completion": ("prompt", "completion"),
    "chat": ("messages",),
    "text": ("text",),
    "classification": ("text", "label"),
    "preference": ("chosen", "rejected"),
    "rated": ("prompt", "completion", "rating"),
}
"""By shape, the parts that it can't do without."""


class Prepare(Section):
    """From the person's file to rows of prompt and answer."""

    data: str = knob(
        "Data",
        "A file, a folder or a pattern such as data/*.jsonl; a name on the Hugging Face Hub as hub:owner/name; an "
        "address of a database such as sqlite:///shop.db; or `practice` for the built-in employee table.",
        question="Which file holds the examples?",
        min_length=1,
    )
    query: str | None = knob("Query", "A database: the SQL whose rows are read.", default=None)
    part: str | None = knob(
        "Part of it", "Which sheet of a workbook, file of an archive, or split of a data set is read.", default=None
    )
    encoding: str | None = knob(
        "Encoding",
        "Of a text file: how its characters are written, as Python calls it, such as cp1252, cp1251, koi8_r, iso8859_2 "
        "or shift_jis; where there is none, it is found out.",
        empty="found out",
        default=None,
    )
    source: str = knob("Source", "Where the data is from, for the data card.", default="")
    licence: str = knob("Licence", "Under which terms the data may be used, for the data card.", default="")
    fingerprint: str = knob(
        "Fingerprint", "SHA-256 of the file when the plan was made; a file that changed since is noticed.", default=""
    )
    shape: ShapeName = knob(
        "Shape",
        "What one row of the file is: a record of a table, a question with its answer (and perhaps a context), "
        "a prompt with its completion, a chat, plain text, a text with its label, a better answer beside a worse one, "
        "or an answer with a rating.",
        question="What is one row of it?",
        labels={
            "question-answer": "question and answer",
            "prompt-completion": "prompt and completion",
            "text": "plain text",
            "classification": "text and label",
            "preference": "better and worse answer",
            "rated": "rated answer",
        },
        meanings={
            "table": "a record; questions are made of its columns",
            "question-answer": "a question, its answer, perhaps a context",
            "prompt-completion": "a prompt and what should follow",
            "chat": "a conversation",
            "text": "text to go on reading, nothing is asked",
            "classification": "a text and the label it belongs to",
            "preference": "two answers, one preferred",
            "rated": "an answer that was found good or bad",
        },
    )
    columns: dict[str, str] = knob(
        "Columns",
        "Which column plays which part. table: entity; question-answer: question, answer, context; "
        "prompt-completion: prompt, completion, input, system; chat: messages, system, tools; text: text; "
        "classification: text, label; preference: chosen, rejected, prompt; rated: prompt, completion, rating.",
    )
    good_from: float | None = knob(
        "Good from",
        "rated: the number from which a rating calls an answer good; none where ratings are words such as true or bad.",
        default=None,
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
        labels={"json": "JSON"},
        default_factory=list,
    )
    shuffle_fields: bool = knob(
        "Shuffle fields",
        "table: write the fields of each record in a random order, for the same reason.",
        default=False,
    )
    repairs: list[Repair] = knob(
        "Repairs",
        "What is mended before the rows are made. Of personal data, mask-personal writes a placeholder such as [EMAIL] "
        "in its place, and drop-personal leaves the row out. Two laws ask for care with it: the GDPR (data about "
        "anyone in the EU) and HIPAA (data about patients in the USA). Masking lowers the risk; since not every name "
        "or number is found, it makes the data neither anonymous under the one nor de-identified under the other.",
        default_factory=list,
    )
    slices: list[str] = knob(
        "Slices",
        "Columns by whose values the score is also told apart, such as department, language or gender.",
        default_factory=list,
    )
    split: Split

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            codec_named(encoding)
        return encoding

    @field_validator("columns", mode="before")
    @classmethod
    def _played_by_none(cls, columns: Any) -> Any:
        """A part that no column plays is left out."""
        if not isinstance(columns, dict):
            return columns
        return {part: column for part, column in columns.items() if column is not None}

    @model_validator(mode="after")
    def _parts_named(self) -> Prepare:
        needed = NEEDED[self.shape]
        missing = [role for role in needed if role not in self.columns]
        if missing:
            raise ValueError(f"shape {self.shape} needs columns.{missing[0]}")
        if self.shape == "table" and not (self.questions and self.fields and self.layouts):
            raise ValueError("shape table needs fields, questions and layouts")
        return self
