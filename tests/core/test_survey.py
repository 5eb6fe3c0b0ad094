"""What is cut and lost at the plan's sequence length is counted before anything is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.draft import Wishes
from tunesmith.core.jobs import Helper
from tunesmith.core.project import new_project
from tunesmith.core.proof import lost_told
from tunesmith.core.survey import proven, survey, unproven

LENGTH = "select.hyperparameters.max_length"


@pytest.fixture
def wishes(tmp_path: Path) -> Wishes:
    """Sixty short rows, the fortieth with a question that is longer than the model reads."""
    lines = [{"question": f"What is number {n} called?", "answer": f"It is called {n * 7}."} for n in range(60)]
    lines[39]["question"] += " word" * 3000
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return {"prepare.data": str(path), "prepare.repairs": [], "select.model": "practice"}


def test_rows_that_lose_their_answer_are_known_before_the_start(wishes: Wishes, tmp_path: Path) -> None:
    with Helper() as helper:
        seen = survey(wishes, tmp_path, helper)
        project = new_project(str(wishes["prepare.data"]), tmp_path, wishes)
        project.measured(seen)
        longest = project.plan.select.hyperparameters.max_length
        assert seen.proof is not None
        assert (seen.proof.max_length, seen.proof.cut, seen.proof.lost, seen.proof.lost_ids) == (longest, 1, 1, ("40",))
        caution = project.cautions[0]
        assert caution.path == LENGTH
        need = f"{seen.proof.lost_need:,}"
        told = f"1 row loses its whole answer (row 40): the run will refuse it. A length of {need} keeps all."
        assert caution.text == lost_told(seen.proof) == told

        project.wish(LENGTH, 16)
        assert all("whole answer" not in one.text for one in project.cautions), "that was of another length"
        assert unproven(seen, 16)
        again = proven(seen, 16, helper)
        assert again.proof is not None and again.proof.max_length == 16 and again.proof.cut == 60
        assert not unproven(again, 16)
        assert len(again.rendered) == 3


def test_a_wished_length_is_counted_at_once(wishes: Wishes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = Helper.ask

    def noted(helper: Helper, question: str, *more: Any, **details: Any) -> Any:
        asked.append(question)
        return ask(helper, question, *more, **details)

    monkeypatch.setattr(Helper, "ask", noted)
    with Helper() as helper:
        seen = survey({**wishes, LENGTH: 24}, tmp_path, helper)
    assert seen.proof is not None and seen.proof.max_length == 24 and seen.proof.cut > 0
    assert asked.count("tokens") == 1


def test_nothing_is_asked_again_where_nothing_is_cut(wishes: Wishes, tmp_path: Path) -> None:
    with Helper() as helper:
        seen = survey({"prepare.data": "practice"}, tmp_path, helper)
    assert seen.proof is not None and seen.proof.max_length is None
    assert not unproven(seen, seen.proof.profile.whole.longest)
    assert unproven(seen, seen.proof.profile.whole.longest - 1)
    assert lost_told(seen.proof) == ""
    assert not unproven(msgspec.structs.replace(seen, proof=None), 8)
