"""What can not go together in `select` is refused in a sentence, and a new choice drops what it contradicts."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tunesmith.core.errors import PlanError
from tunesmith.core.plan import RANKED, VIRTUAL, Peft
from tunesmith.core.recommend import resolve
from tunesmith.core.schema import wishes_of
from tunesmith.core.wishes import with_wish

from ..facts_kit import SEVEN_B, facts, tokens

ABOUT = facts(SEVEN_B, "A100", tokens=tokens(rows=4000))
AT = "select.hyperparameters."


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"select.method": "qlora", "select.peft": "pissa"}, "peft pissa takes the weights apart"),
        (
            {"select.method": "qlora", "select.quantization.type": "int8", "select.quantization.double": True},
            "with type int8 it is false",
        ),
        (
            {"select.method": "qlora", "select.quantization.type": "int8", "select.peft": "dora"},
            "peft dora does not work over weights of type int8; take nf4",
        ),
        ({AT + "packing": True, AT + "group_by_length": True}, "packing leaves nothing to group"),
        ({"select.peft": "prompt", AT + "packing": True}, "puts its tokens before a sequence, not before each row"),
        ({"select.peft": "prefix", AT + "gradient_checkpointing": True}, "set that to false"),
        ({AT + "early_stopping": 2, "prepare.split.validation": 0.0}, "prepare.split.validation keeps none"),
        (
            {AT + "early_stopping": 2, "finetune.save_every": 3, "finetune.evaluate_every": 5},
            "finetune.save_every to 5",
        ),
        ({"select.peft": "prompt", "productionize.merge": True}, "not weights that could be merged; set it to false"),
    ],
)
def test_a_contradiction_is_refused_with_what_to_do(wishes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as error:
        resolve(wishes, ABOUT)
    assert sentence in error.value.title
    assert "``" not in error.value.title


@pytest.mark.parametrize("method", ["lora", "qlora"])
@pytest.mark.parametrize("before", get_args(Peft))
def test_every_kind_can_be_chosen_after_every_other_where_every_value_was_stated(before: Peft, method: str) -> None:
    if (before, method) == ("pissa", "qlora"):
        return
    stated = wishes_of(resolve({"select.method": method, "select.peft": before}, ABOUT).plan)
    for after in get_args(Peft):
        select = resolve(with_wish(stated, "select.peft", after), ABOUT).plan.select
        assert select.peft == after
        assert (select.lora is not None) == (after in RANKED)
        assert (select.virtual_tokens is not None) == (after in VIRTUAL)


@pytest.mark.parametrize("kind", get_args(Peft))
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_every_method_can_be_chosen_after_every_kind(kind: Peft, method: str) -> None:
    stated = wishes_of(resolve({"select.method": "lora", "select.peft": kind}, ABOUT).plan)
    select = resolve(with_wish(stated, "select.method", method), ABOUT).plan.select
    assert select.method == method
    assert (select.quantization is not None) == (method == "qlora")


@pytest.mark.parametrize(
    ("before", "path", "value"),
    [
        ({AT + "packing": True}, AT + "group_by_length", True),
        ({AT + "group_by_length": True}, AT + "packing", True),
        ({"finetune.save_every": 3}, AT + "early_stopping", 2),
        ({AT + "early_stopping": 2}, "prepare.split.validation", 0.0),
        ({"select.method": "qlora", "select.quantization.double": True}, "select.quantization.type", "int8"),
        ({"select.method": "qlora"}, "select.peft", "pissa"),
        ({"select.method": "qlora", "select.quantization.type": "int8"}, "select.peft", "dora"),
        ({"select.method": "qlora", "select.peft": "dora"}, "select.quantization.type", "int8"),
        ({"select.method": "full"}, "select.peft", "dora"),
        ({"productionize.merge": True, AT + "gradient_checkpointing": True}, "select.peft", "prefix"),
    ],
)
def test_a_new_choice_takes_back_what_it_contradicts(before: dict[str, Any], path: str, value: Any) -> None:
    after = with_wish(before, path, value)
    assert after[path] == value
    resolve(after, ABOUT)


def test_the_rank_stays_when_another_kind_with_a_rank_is_chosen_but_not_for_vera() -> None:
    stated = {"select.lora.rank": 12}
    assert with_wish(stated, "select.peft", "dora")["select.lora.rank"] == 12
    assert "select.lora.rank" not in with_wish(stated, "select.peft", "vera")
    assert resolve({"select.peft": "vera"}, ABOUT).plan.select.lora.rank == 256  # type: ignore[union-attr]
