"""Models are laid side by side by whether they fit the machine at hand; the practice model says that it is one."""

from __future__ import annotations

import msgspec

from tests.core.facts_kit import SEVEN_B, SMALL, facts, machine
from tunesmith.core.models import find_model
from tunesmith.core.recommend import resolve
from tunesmith.core.select.choosing import Candidate, candidates, fitting, in_order, rehearsal, suggestion

QWEN = find_model("Qwen/Qwen2.5-7B-Instruct")


def named(found: list[Candidate], name: str) -> Candidate:
    return next(one for one in found if one.model.source == name)


def test_the_method_that_fits_follows_the_card() -> None:
    assert fitting(find_model("Qwen/Qwen2.5-3B-Instruct"), machine("A100")) == "full"
    assert fitting(QWEN, machine("RTX 4090")) == "lora"
    assert fitting(QWEN, machine("T4")) == "qlora"
    assert fitting(find_model("meta-llama/Llama-3.3-70B-Instruct"), machine("RTX 4090")) is None
    assert fitting(find_model("HuggingFaceTB/SmolLM2-135M-Instruct"), machine()) == "full"


def test_what_fits_comes_first_and_what_is_here_before_what_is_not() -> None:
    found = candidates([SMALL, SEVEN_B], machine("RTX 4090"))
    fits = [one.fits for one in found]
    assert found[0].model.here and found[1].model.here
    assert fits.index("QLoRA") > max(fits.index("full"), fits.index("LoRA"))
    assert fits.index("no") > fits.index("QLoRA")
    assert fits[-1] == "never"
    assert [one.model.source for one in found].count("Qwen/Qwen3-8B") == 1


def test_a_model_that_is_here_stands_once_with_what_the_catalogue_knows() -> None:
    mine = msgspec.structs.replace(SEVEN_B, source="Qwen/Qwen3-8B")
    found = candidates([mine], machine("H200"))
    same = [one for one in found if one.model.source == "Qwen/Qwen3-8B"]
    assert len(same) == 1 and same[0].model.here and same[0].entry is not None


def test_the_table_sorts_by_size_and_by_freedom_too() -> None:
    found = candidates([], machine("A100"))
    sizes = [one.parameters for one in in_order(found, "size")]
    assert sizes == sorted(sizes)
    licences = [one.model.license for one in in_order(found, "licence")]
    assert licences[0] == "apache-2.0"
    assert licences.index("gemma") > max(i for i, one in enumerate(licences) if one in ("apache-2.0", "mit"))


def test_an_encoder_is_in_the_table_and_can_not_be_chosen() -> None:
    encoder = named(candidates([], machine("H200")), "google-bert/bert-base-uncased")
    assert encoder.fits == "never" and "writes none" in encoder.hindrance


def test_what_is_suggested_fits_the_machine_and_the_task() -> None:
    def name(card: str, use_case: str = "") -> str:
        one = suggestion(machine(card), use_case)
        assert one is not None and one.entry is not None
        return one.entry.name

    assert name("H200") == "Qwen/Qwen3-8B"
    assert name("H200", "classification") == "Qwen/Qwen3-4B-Instruct-2507"
    assert name("") == "Qwen/Qwen3-0.6B"
    assert suggestion(machine(ram=0.1)) is None


def test_on_a_persons_own_data_the_practice_model_says_that_it_is_a_rehearsal() -> None:
    roles = {"question": "q", "answer": "a"}
    own = facts(card="RTX 4090", source="/data/mine.csv", shape="question-answer", roles=roles)
    because = resolve({"prepare.data": "/data/mine.csv"}, own).reasons["select.model"].because
    assert "only a rehearsal" in because
    assert "which fits here with LoRA" in because
    assert rehearsal(facts(card="RTX 4090")) == ""
    assert rehearsal(facts(SEVEN_B, "RTX 4090", source="/data/mine.csv")) == ""
    assert "on a machine with a GPU" in rehearsal(facts(ram=0.1, source="/data/mine.csv"))


def test_a_model_that_is_not_here_says_so_in_its_reason() -> None:
    reasons = resolve({"select.model": QWEN.source}, facts(QWEN, "RTX 4090")).reasons
    assert reasons["select.model"].because == (
        "the one you named: 7.6 B parameters, licence apache-2.0, not on this machine yet"
    )
