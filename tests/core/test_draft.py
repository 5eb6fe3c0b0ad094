from __future__ import annotations

from tunesmith.core.draft import Alternative, Draft


def test_a_recommendation_keeps_its_reason_and_what_lost() -> None:
    draft = Draft({})
    other = Alternative("full", "needs 112 GiB")
    assert draft.choose("select.method", "lora", "it fits", (other,)) == "lora"
    assert draft.reasons["select.method"].because == "it fits"
    assert draft.reasons["select.method"].instead_of == (other,)
    assert not draft.reasons["select.method"].chosen


def test_a_wish_wins_and_what_was_recommended_is_kept_beside_it() -> None:
    draft = Draft({"select.lora.rank": 8})
    assert draft.choose("select.lora.rank", 16, "wide enough") == 8
    reason = draft.reasons["select.lora.rank"]
    assert reason.chosen
    assert reason.recommended == 16
    assert reason.because == "your choice; 16 was recommended: wide enough"


def test_dotted_paths_become_sections() -> None:
    draft = Draft({})
    draft.choose("name", "x", "")
    draft.choose("select.lora.rank", 16, "")
    draft.choose("select.lora.alpha", 32, "")
    assert draft.tree() == {"name": "x", "select": {"lora": {"rank": 16, "alpha": 32}}}
