"""What is made of the result, and that it is served to nobody but this machine."""

from __future__ import annotations

from tunesmith.core.plan import Productionize
from tunesmith.core.productionize.recommend import recommend_productionize

from ..facts_kit import facts, recommended


def test_a_merged_model_on_loopback_that_is_asked_once() -> None:
    draft = recommended(recommend_productionize, facts())
    section = Productionize.model_validate(draft.tree()["productionize"])
    assert section == Productionize(merge=True, host="127.0.0.1", port=8000, ask_once=True)
    assert "everybody on the network" in draft.reasons["productionize.host"].instead_of[0].because
