"""The section `prepare`: from the person's file to rows of prompt and answer."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from tunesmith.core.plan.section import MOST_SEED, Section, knob


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
        empty="nothing",
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
        labels={"question-answer": "question and answer", "prompt-completion": "prompt and completion"},
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
        labels={"json": "JSON"},
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
