"""The box in which a model is chosen, in the real app by the keyboard, with a small Hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.core.hub_server import Shelf, hub
from tests.core.test_hub import files
from tests.tui.test_wizard import PRODUCTS, row, until, wizard
from tunesmith.core.project import Project, new_project
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.screens.dialogs import ChooseCard
from tunesmith.tui.screens.models import Models
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets.named_lines import NamedLines
from tunesmith.tui.widgets.next_line import NextLine
from tunesmith.tui.widgets.still import Still


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    made = files(tmp_path)
    gated = {"google/gemma-3-1b-it"}
    names = ("org/small-writer", "Qwen/Qwen3-0.6B", "google/gemma-3-1b-it")
    with hub(Shelf(dict.fromkeys(names, made), gated)) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        yield there


@pytest.fixture
def products(tmp_path: Path) -> Project:
    (tmp_path / "products.csv").write_text(PRODUCTS)
    return new_project("products.csv", tmp_path)


async def opened(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> Models:
    """The box, opened by the keyboard from the row of the model."""
    await pilot.press("enter")
    await pilot.pause(0.2)
    await pilot.press("enter")
    await until(pilot, lambda: bool(shell.query("#knob-select-model")))
    row(shell, "select.model").control.focus()
    await pilot.press("space")
    await until(pilot, lambda: isinstance(app.screen, Models) and app.screen.query_one(OptionList).option_count > 50)
    assert isinstance(app.screen, Models)
    return app.screen


def said(box: Models) -> str:
    return str(box.query_one("#models-word", Still).content)


def lines(box: Models) -> list[str]:
    listed = box.query_one(OptionList)
    return [str(listed.get_option_at_index(place).prompt) for place in range(listed.option_count)]


async def filtered(pilot: Pilot[Any], letters: str) -> None:
    await pilot.press("slash", *letters, "enter")
    await pilot.pause(0.1)


def test_the_list_has_size_fit_licence_and_place_and_sorts_by_key(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        assert "practice" in lines(box)[0] and "here" in lines(box)[0]
        assert "Qwen/Qwen3-0.6B" in lines(box)[1] and "to fetch" in lines(box)[1] and "apache-2.0" in lines(box)[1]
        assert max(len(line) for line in lines(box)) <= 74
        await pilot.press("s")
        await pilot.pause(0.1)
        assert "distilbert" in lines(box)[1] and "never" in lines(box)[1]
        await filtered(pilot, "llama-3.1-8b-i")
        assert len(lines(box)) == 1
        await until(pilot, lambda: "Built with Llama" in str(box.query_one("#models-about", Still).content))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Shell))
        assert "select.model" not in products.wishes

    wizard(products, act, counted=True)


def test_a_model_that_is_not_here_is_chosen_after_the_hub_was_asked_for_it(products: Project, shelf: Shelf) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await opened(app, pilot, shell)
        assert shelf.asked == []
        await filtered(pilot, "qwen3-0.6b")
        await pilot.press("enter")
        await until(pilot, lambda: products.wishes.get("select.model") == "Qwen/Qwen3-0.6B" and shell.session.counted)
        assert any("Qwen/Qwen3-0.6B/auth-check" in asked for asked in shelf.asked)
        tokens = products.facts.data.tokens
        assert tokens is not None and tokens.estimated
        await shell.open("review")
        await pilot.pause(0.2)
        line = str(shell.query_one("#step-review").query_one(NextLine).render())
        assert "the model must be fetched first: Qwen/Qwen3-0.6B" in line
        assert "tunesmith fetch Qwen/Qwen3-0.6B" in str(shell.query_one("#review-summary", NamedLines).lines)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert products.run is None and isinstance(app.screen, Shell)

    wizard(products, act, counted=True)


def test_missing_access_to_a_gated_model_is_told_when_it_is_chosen(products: Project, shelf: Shelf) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        await filtered(pilot, "gemma-3-1b-it")
        await pilot.press("enter")
        await until(pilot, lambda: "is gated" in said(box))
        assert "hf auth login" in said(box) and "Enter once more takes it to plan with" in said(box)
        await pilot.press("enter")
        await until(pilot, lambda: products.wishes.get("select.model") == "google/gemma-3-1b-it")

    wizard(products, act, counted=True)


def test_a_search_of_the_hub_brings_what_tells_of_a_model(products: Project, shelf: Shelf) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        await pilot.press("h", *"writer", "enter")
        await until(pilot, lambda: "small-writer" in lines(box)[0])
        assert "the Hub" in lines(box)[0] and "2.2 M" in lines(box)[0]
        await pilot.press("enter")
        await until(pilot, lambda: products.wishes.get("select.model") == "org/small-writer" and shell.session.counted)
        model, tokens = products.facts.model, products.facts.data.tokens
        assert not model.here and tokens is not None and not tokens.estimated
        assert not any(asked.endswith(".safetensors") for asked in shelf.asked)

    wizard(products, act, counted=True)


def test_a_hub_that_does_not_answer_is_told_once_and_the_choice_goes_on(
    products: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        await filtered(pilot, "smollm2-135m-i")
        await pilot.press("enter")
        await until(pilot, lambda: "can't be reached" in said(box))
        assert "tunesmith fetch HuggingFaceTB/SmolLM2-135M-Instruct" in said(box)
        await filtered(pilot, "smollm2-360m-i")
        assert len(lines(box)) == 1 and said(box) == ""
        await pilot.press("enter")
        await until(pilot, lambda: "SmolLM2-360M-Instruct" in str(products.wishes.get("select.model")))

    wizard(products, act, counted=True)


def test_an_encoder_is_refused_with_what_it_is_good_for(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        await filtered(pilot, "modernbert-base")
        await pilot.press("enter")
        await until(pilot, lambda: "It can't be chosen" in said(box))
        assert "trains models that write text" in said(box) and "For classification" in said(box)
        assert isinstance(app.screen, Models)
        await pilot.press("escape")

    wizard(products, act, counted=True)


def test_the_review_says_that_the_practice_model_is_a_rehearsal(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        for _ in range(3):
            await pilot.press("enter")
            await pilot.pause(0.2)
        await until(pilot, lambda: bool(shell.query("#review-summary")))
        await until(pilot, lambda: "only a rehearsal" in str(shell.query_one("#review-summary", NamedLines).lines))
        assert "for real work take" in str(shell.query_one("#review-summary", NamedLines).lines)

    wizard(products, act, counted=True)


def test_a_key_that_comes_while_the_list_becomes_shorter_is_no_crash(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        listed = box.query_one(OptionList)
        late = OptionList.OptionHighlighted(listed, listed.get_option_at_index(50), 50)
        chosen = OptionList.OptionSelected(listed, listed.get_option_at_index(50), 50)
        await filtered(pilot, "llama-3.1-8b-i")
        box.post_message(late)
        box.post_message(chosen)
        await pilot.resize_terminal(90, 30)
        await until(pilot, lambda: len(lines(box)) == 1)
        assert app.screen is box

    wizard(products, act, counted=True)


def test_a_letter_begins_the_filter(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        box = await opened(app, pilot, shell)
        await pilot.press(*"gemma")
        await until(pilot, lambda: all("gemma" in line for line in lines(box)))

    wizard(products, act, counted=True)


def test_several_cards_are_typed_and_the_list_is_filtered(products: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("select")
        row(shell, "select.gpu").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, ChooseCard))
        listed = app.screen.query_one(OptionList)
        assert max(len(str(listed.get_option_at_index(n).prompt)) for n in range(listed.option_count)) <= 70
        await pilot.press(*"2xrtx4090")
        await until(pilot, lambda: listed.option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: products.wishes.get("select.gpu") == "2xrtx4090" and shell.session.counted)
        mark = row(shell, "select.gpu").query_one(".knob-mark", Still)
        assert str(mark.content) == "yours"
        assert "Methods on 2 x RTX 4090" in str(shell.query_one("#methods-title", Still).content)

    wizard(products, act, counted=True)
