"""Cards are found by what people type and by what the driver calls them; a machine of theirs is no measurement."""

from __future__ import annotations

import msgspec
import pytest

from tunesmith.core.errors import PlanError
from tunesmith.core.facts import Gpu
from tunesmith.core.select.cards import card, card_of, cards, described, hardware_for

from ..nvml_player import MIB
from ..nvml_player import card as recorded


@pytest.mark.parametrize(
    ("text", "count", "key"),
    [
        ("h100-80gb", 1, "h100-80gb"),
        ("H100", 1, "h100-80gb"),
        ("2xrtx4090", 2, "rtx4090"),
        ("4 x RTX 4090", 4, "rtx4090"),
        ("4090", 1, "rtx4090"),
        ("NVIDIA GeForce RTX 3090", 1, "rtx3090"),
        ("Tesla T4", 1, "t4"),
        ("a100 40gb", 1, "a100-40gb"),
        ("RTX A6000", 1, "a6000"),
    ],
)
def test_a_card_is_understood_as_people_write_it(text: str, count: int, key: str) -> None:
    found, one = card(text)
    assert (found, one.key) == (count, key)


@pytest.mark.parametrize(
    ("text", "title", "next_step"),
    [
        ("rtx4900", "No card is known as 'rtx4900'.", "Did you mean rtx4090 or"),
        ("h1000", "No card is known as 'h1000'.", "Did you mean h100-80gb"),
        ("potato", "No card is known as 'potato'.", "Known are t4, v100-16gb,"),
        ("99xa100", "99 cards are not planned for.", "Name one card, or a few"),
        ("", "No card is known as ''.", "Known are"),
    ],
)
def test_what_is_no_card_is_told_with_the_nearest(text: str, title: str, next_step: str) -> None:
    with pytest.raises(PlanError) as error:
        card(text)
    assert error.value.title == title
    assert error.value.next_step.startswith(next_step)


def test_every_card_states_its_sources_and_a_price_has_a_date() -> None:
    assert len(cards()) >= 20
    for one in cards():
        assert one.source and one.names
        assert 0.95 * one.memory < one.free < one.memory
        assert (one.price is None) == (one.price_date is None) == (not one.price_source)
        assert card(one.key) == (1, one) == card(one.title)
        assert str(one.price_date) in described(one) or "no price is known" in described(one)


def test_the_rate_is_that_of_the_precision() -> None:
    _, old = card("t4")
    assert (old.rate_in("fp16"), old.rate_in("bf16"), old.rate_in("fp32")) == (65e12, None, None)
    assert card("a100")[1].rate_in("bf16") == 312e12


@pytest.mark.parametrize("name", ["tesla-t4", "v100-16gb", "rtx-3090", "rtx-4090", "h100-80gb", "l40s"])
def test_the_table_agrees_with_what_real_cards_reported(name: str) -> None:
    read = recorded(name)
    memory = read["memory_mib"]
    major, minor = read["capability"]
    found = card_of(Gpu(0, read["name"], memory["total"] * MIB, memory["free"] * MIB, (major, minor)))
    assert found is not None
    assert found.memory == memory["total"] * MIB
    assert found.capability == (major, minor)
    if not read.get("processes"):
        assert found.free == pytest.approx(memory["free"] * MIB, rel=0.001)


def test_a_card_of_the_same_name_with_other_memory_is_another() -> None:
    big = Gpu(0, "NVIDIA GeForce RTX 4060 Ti", 16380 * MIB, 16000 * MIB, (8, 9))
    assert card_of(big) is not None
    assert card_of(msgspec.structs.replace(big, total=8188 * MIB)) is None
    assert card_of(msgspec.structs.replace(big, name="NVIDIA GeForce RTX 4090 Laptop GPU")) is None


def test_a_slice_has_its_share_of_the_card_and_no_price() -> None:
    name = "NVIDIA A100-SXM4-80GB MIG 2g.20gb"
    cut = Gpu(0, name, 19968 * MIB, 19955 * MIB, (8, 0), "MIG-1", slice="2g.20gb", parent="GPU-1")
    found = card_of(cut)
    assert found is not None
    assert found.rate == pytest.approx(312e12 * 2 / 7)
    assert found.bandwidth == pytest.approx(2039e9 * 19968 / 81920)
    assert found.price is None
    unnamed = card_of(msgspec.structs.replace(cut, name="NVIDIA A100-SXM4-80GB MIG slice", slice="slice"))
    assert unnamed is not None and unnamed.rate == pytest.approx(312e12 * 19968 / 81920)


def test_a_planned_machine_has_those_cards_and_nothing_that_is_not_known() -> None:
    machine = hardware_for("2xh100")
    assert machine.planned == "2xh100-80gb"
    assert [gpu.index for gpu in machine.gpus] == [0, 1]
    assert machine.gpu is not None and machine.gpu.free == 81106 * MIB and machine.gpu.bf16
    assert (machine.ram_total, machine.disk_free, machine.cpu.cores) == (0, 0, 0)
    assert hardware_for("T4").planned == "t4"


def test_a_card_of_another_vendor_is_told_which_are_known() -> None:
    with pytest.raises(PlanError) as refused:
        card("mi300x")
    assert refused.value.next_step.startswith("Known are t4")
