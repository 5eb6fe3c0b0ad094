"""The Hub is asked over real connections: a small server on this machine, and addresses where nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.hub_server import Shelf, hub
from tests.core.test_models import PARAMETERS, model_at
from tunesmith.core.errors import HubError
from tunesmith.core.hub import check_access, describe_from_hub, search_hub
from tunesmith.core.jobs import Helper, worker_environment
from tunesmith.core.models import find_model
from tunesmith.core.practice import MODEL_DIR

SECRET = "hf_not_to_be_seen"


def files(tmp_path: Path) -> dict[str, bytes]:
    folder = model_at(tmp_path / "made")
    found = {name: (folder / name).read_bytes() for name in ("config.json", "model.safetensors")}
    found |= {name: (MODEL_DIR / name).read_bytes() for name in ("tokenizer.json", "tokenizer_config.json")}
    return {**found, "README.md": b"---\nlicense: mit\n---\n", "pytorch_model.bin": b"pickle", "original/x.json": b"{}"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    for name in ("HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    models = {"org/small": files(tmp_path), "org/closed": files(tmp_path), "org/pickled": {"config.json": b"{}"}}
    with hub(Shelf(models, {"org/closed"})) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        yield there


def test_a_search_tells_size_licence_and_whether_a_model_is_gated(shelf: Shelf) -> None:
    with Helper(online=True) as helper:
        found = {one.name: one for one in search_hub("org/", helper)}
    assert set(found) == {"org/small", "org/closed", "org/pickled"}
    assert found["org/closed"].gated and not found["org/small"].gated
    assert (found["org/small"].parameters, found["org/small"].licence) == (2_200_000, "apache-2.0")


def test_access_is_told_when_a_model_is_chosen_with_what_to_do(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    with Helper(online=True) as helper:
        assert check_access("org/small", helper).granted
        closed = check_access("org/closed", helper)
        with pytest.raises(HubError, match="There is no model org/nothing on the Hub, or it is private"):
            check_access("org/nothing", helper)
        with pytest.raises(HubError, match="is no name of a model on the Hub"):
            check_access("no such name", helper)
    assert not closed.granted and "org/closed is gated" in closed.text
    assert f"{shelf.url}/org/closed" in closed.remedy and "`hf auth login`" in closed.remedy
    assert all("org/small" in asked or asked == "HEAD /" for asked in shelf.asked[:2])
    monkeypatch.setenv("HF_TOKEN", SECRET)
    with Helper(online=True) as helper:
        refused = check_access("org/closed", helper)
    assert "with the account that is logged in here" in refused.remedy
    assert SECRET not in refused.text + refused.remedy
    assert f"Bearer {SECRET}" in shelf.tokens


def test_what_tells_of_a_model_is_fetched_without_its_weights(shelf: Shelf) -> None:
    with Helper(online=True) as helper:
        describe_from_hub("org/small", helper)
    model = find_model("org/small")
    assert not model.here and model.parameters > 0.9 * PARAMETERS
    assert model.license == "mit"
    assert not any("safetensors" in asked or "original" in asked for asked in shelf.asked)


@pytest.mark.parametrize("question", ["search", "access", "describe"])
def test_a_hub_that_does_not_answer_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, question: str
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    ask = {"search": search_hub, "access": check_access, "describe": describe_from_hub}[question]
    with Helper(online=True) as helper, pytest.raises(HubError) as caught:
        ask("org/small", helper)
    assert caught.value.title == "The Hub (http://127.0.0.1:9) can't be reached."
    assert "the catalogue are there all the same" in caught.value.next_step


def test_offline_is_honoured_and_said(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with Helper(online=True) as helper, pytest.raises(HubError, match="The Hub is not asked: HF_HUB_OFFLINE is set"):
        search_hub("small", helper)
    assert shelf.asked == []


def test_only_the_helper_that_is_meant_for_it_may_ask_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert worker_environment()["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in worker_environment(online=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert worker_environment(online=True)["HF_HUB_OFFLINE"] == "1"


def test_a_question_about_the_data_asks_nobody(shelf: Shelf, tmp_path: Path) -> None:
    from tunesmith.core.survey import survey

    with Helper() as helper:
        survey({"prepare.data": "practice", "select.model": "Qwen/Qwen3-0.6B"}, tmp_path, helper)
        with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
            search_hub("small", helper)
    assert shelf.asked == []
