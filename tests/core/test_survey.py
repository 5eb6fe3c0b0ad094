"""What is cut and lost at the plan's sequence length is counted before anything is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunesmith.core.draft import Wishes
from tunesmith.core.errors import DataError
from tunesmith.core.jobs import Helper
from tunesmith.core.project import new_project
from tunesmith.core.proof import lost_told
from tunesmith.core.survey import page, proven, survey, unproven, whole

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


def test_a_record_is_read_in_full_up_to_a_bound(tmp_path: Path) -> None:
    rows = [{"id": str(n), "said": f"line 1\r\nline\t2 \x1b[31m {n}", "more": "y" * 300} for n in range(3)]
    rows[0]["said"] = "\n".join("a" * 20_000)
    rows[1]["said"] = "x" * 150_000
    (tmp_path / "long.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked: Wishes = {"prepare.data": str(tmp_path / "long.jsonl")}
    with Helper() as helper:
        found = page(asked, tmp_path, helper, 0, 3)
        assert found.whole == [False] * 3 and found.places == ["line 1", "line 2", "line 3"]
        assert [len(cell) for cell in found.cells[1]] == [1, 200, 200]
        plain = whole(asked, tmp_path, helper, 2)
        assert plain.cells == ["2", "line 1\nline\\t2 \\x1b[31m 2", "y" * 300] and plain.left_out == [0, 0, 0]
        long = whole(asked, tmp_path, helper, 1)
        assert [len(cell) for cell in long.cells] == [1, 99_999, 200], "a long cell leaves the others what a page shows"
        assert long.left_out == [0, 50_001, 100]
        listed = whole(asked, tmp_path, helper, 0)
        assert listed.cells[1] == "\n".join("a" * 4_999), "5,000 lines, one of which the first cell takes"
        assert listed.left_out == [0, 2 * (20_000 - 4_999), 0]
        with pytest.raises(DataError, match="There is no record 4 any more: the data has 3"):
            whole(asked, tmp_path, helper, 3)
