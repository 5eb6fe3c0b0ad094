"""The plan: every decision of a run, one section a stage, each in the file of its name.

One schema feeds the screens, the help, the YAML comments, the checks and the docs: a field's title, help, unit, usual
range and source stand on the field, once. `plan_yaml` reads and writes it; `recommend.resolve` makes it.
"""

from __future__ import annotations

from pydantic import model_validator

from tunesmith.core.plan.evaluate import Evaluate, Probe
from tunesmith.core.plan.finetune import Finetune
from tunesmith.core.plan.prepare import Layout, PersonalKind, Prepare, QuestionTemplate, Repair, RepairKind, Split, held
from tunesmith.core.plan.productionize import Productionize
from tunesmith.core.plan.section import MOST_SEED, Section, knob
from tunesmith.core.plan.select import (
    RANKED,
    SCHEDULERS,
    VIRTUAL,
    Hyperparameters,
    Lora,
    Method,
    Peft,
    Quantization,
    Select,
)
from tunesmith.core.plan.understand import (
    MOST_SHOTS,
    TRAINS,
    Approach,
    BusinessMetric,
    Changes,
    Evidence,
    ExampleForm,
    Lacking,
    Latency,
    Metric,
    Privacy,
    Quality,
    Scale,
    Tried,
    Understand,
    UseCase,
    Users,
)

__all__ = [
    "MOST_SEED",
    "MOST_SHOTS",
    "RANKED",
    "SCHEDULERS",
    "TRAINS",
    "VERSION",
    "VIRTUAL",
    "Approach",
    "BusinessMetric",
    "Changes",
    "Evaluate",
    "Evidence",
    "ExampleForm",
    "Finetune",
    "Hyperparameters",
    "Lacking",
    "Latency",
    "Layout",
    "Lora",
    "Method",
    "Metric",
    "Path",
    "Peft",
    "PersonalKind",
    "Plan",
    "Prepare",
    "Privacy",
    "Probe",
    "Productionize",
    "Quality",
    "Quantization",
    "QuestionTemplate",
    "Repair",
    "RepairKind",
    "Scale",
    "Section",
    "Select",
    "Split",
    "Tried",
    "Understand",
    "UseCase",
    "Users",
    "held",
    "knob",
]

VERSION = 1
"""The version of this schema; `plan_yaml.MIGRATIONS` brings older files up to it."""

Path = str
"""A dotted path to a value of the plan, e.g. `select.lora.rank`."""


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

    @model_validator(mode="after")
    def _early_stopping_can_see(self) -> Plan:
        if self.select.hyperparameters.early_stopping is None:
            return self
        if self.prepare.split.validation == 0:
            raise ValueError(
                "select.hyperparameters.early_stopping looks at the validation rows, and prepare.split.validation "
                "keeps none"
            )
        if self.finetune.save_every != self.finetune.evaluate_every:
            raise ValueError(
                "select.hyperparameters.early_stopping keeps the best weights, so each evaluation is saved: set "
                f"finetune.save_every to {self.finetune.evaluate_every}, as evaluate_every is"
            )
        return self

    @model_validator(mode="after")
    def _merges_what_can_be(self) -> Plan:
        if self.productionize.merge and self.select.virtual_tokens is not None:
            raise ValueError(
                f"productionize.merge: {self.select.peft} is tokens before the prompt, not weights that could be "
                "merged; set it to false"
            )
        return self
