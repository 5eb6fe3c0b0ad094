"""`tunesmith models` and `fetch` as a script meets them; what is refused before it starts where a model is not here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.hub_server import Shelf, hub
from tests.core.test_hub import SECRET, files
from tests.core.test_models import PARAMETERS

from .conftest import Command
from .test_cli import refused

HUB = {"HF_HUB_OFFLINE": "0"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    for name in ("HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    made = files(tmp_path)
    models = {"org/small": made, "org/closed": made, "org/pickled": {"config.json": b"{}", "pytorch_model.bin": b""}}
    with hub(Shelf(models, {"org/closed"})) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        yield there


@pytest.fixture
def plan(tunesmith: Command, here: Path) -> Path:
    """A plan with a model that is not on this machine."""
    done = tunesmith("plan", "new", "practice", "--model", "Qwen/Qwen2.5-0.5B-Instruct")
    assert done.returncode == 0, done.stderr
    assert "estimated from characters because the tokenizer is not here" in done.stdout
    assert "`tunesmith fetch Qwen/Qwen2.5-0.5B-Instruct`" in done.stdout
    return here / "plan.yaml"


def test_models_are_listed_a_line_each_for_scripts(tunesmith: Command) -> None:
    lines = [line.split("\t") for line in tunesmith("models").stdout.splitlines()]
    assert lines[0][0] == "practice" and lines[0][-1] == "here"
    assert all(len(line) == 6 for line in lines)
    assert [line[0] for line in lines if line[2] == "never"]
    by_size = [line.split("\t")[0] for line in tunesmith("models", "--sort", "size").stdout.splitlines()]
    assert by_size[0] == "practice" and "70B" in by_size[-2] + by_size[-3] + by_size[-4]


def test_models_as_json_have_what_the_table_has_and_the_catches(tunesmith: Command) -> None:
    found = json.loads(tunesmith("models", "llama", "--json").stdout)
    one: dict[str, Any] = next(one for one in found if one["name"] == "meta-llama/Llama-3.2-1B-Instruct")
    assert one["gated"] and not one["here"] and one["licence"] == "llama3.2" and "Built with Llama" in one["catch"]
    assert one["fits"] in ("full", "lora", "qlora", None)
    encoder = json.loads(tunesmith("models", "google-bert/bert-base-uncased", "--json").stdout)
    assert encoder[0]["fits"] is None and "writes none" in encoder[0]["refused"]
    assert json.loads(tunesmith("models", "no-such-model", "--json").stdout) == []
    assert "in its name" in tunesmith("models", "no-such-model").stdout


def test_a_plan_with_a_model_that_is_not_here_is_checked_and_not_run(
    tunesmith: Command, plan: Path, runs_folder: Path
) -> None:
    checked = tunesmith("plan", "check", str(plan))
    assert checked.returncode == 2
    assert "is a valid plan" in checked.stdout and "Memory, an estimate" in checked.stdout
    assert "is not on this machine yet" in checked.stdout and "`tunesmith fetch Qwen/Qwen2.5-0.5B" in checked.stdout
    assert json.loads(tunesmith("plan", "check", str(plan), "--json").stdout)["model_here"] is False
    refused(tunesmith("run", str(plan)), "is not on this machine yet", "`tunesmith fetch Qwen/Qwen2.5-0.5B-Instruct`")
    assert not list(runs_folder.glob("*/plan.yaml"))


def test_an_encoder_is_refused_in_a_plan(tunesmith: Command) -> None:
    refused(
        tunesmith("plan", "new", "practice", "--model", "distilbert/distilbert-base-uncased"),
        "is an encoder: it reads text",
        "take a small model that writes",
    )


def test_a_model_is_fetched_without_what_is_of_no_use_and_found_by_its_name(
    tunesmith: Command, shelf: Shelf, tmp_path: Path
) -> None:
    done = tunesmith("fetch", "org/small", **HUB)
    assert done.returncode == 0, done.stderr
    assert re.search(r"5 files, \d+ KiB, of which \d+ KiB are not here yet", done.stdout)
    assert "select.model: org/small" in done.stdout
    assert not any("pytorch_model.bin" in asked or "original" in asked for asked in shelf.asked)
    found = json.loads(tunesmith("models", "org/small", "--json").stdout)[0]
    assert found["here"] and found["parameters"] == PARAMETERS and found["licence"] == "mit"
    again = tunesmith("fetch", "org/small", **HUB)
    assert "of which 0 bytes are not here yet" in again.stdout


def test_a_download_that_broke_goes_on_with_the_same_command(tunesmith: Command, shelf: Shelf) -> None:
    shelf.breaks_after = 1000
    broken = tunesmith("fetch", "org/small", **HUB)
    refused(broken, "org/small was fetched only in part", "Do the same again: it goes on where it was.")
    assert "resolve" not in broken.stderr
    assert not json.loads(tunesmith("models", "org/small", "--json").stdout)[0]["here"]
    shelf.breaks_after = None
    assert tunesmith("fetch", "org/small", **HUB).returncode == 0
    assert json.loads(tunesmith("models", "org/small", "--json").stdout)[0]["here"]


def test_what_can_not_be_fetched_says_why_and_what_to_do(tunesmith: Command, shelf: Shelf, tmp_path: Path) -> None:
    refused(tunesmith("fetch", "org/closed", **HUB), "org/closed is gated", f"{shelf.url}/org/closed", "hf auth login")
    secret = tunesmith("fetch", "org/closed", **HUB, HF_TOKEN=SECRET)
    refused(secret, "with the account that is logged in here")
    assert SECRET not in secret.stdout + secret.stderr
    refused(tunesmith("fetch", "org/nothing", **HUB), "There is no model org/nothing on the Hub, or it is private.")
    refused(tunesmith("fetch", "nothing at all", **HUB), "is no name of a model on the Hub")
    refused(tunesmith("fetch", "org/pickled", **HUB), "has no weights in safetensors", "Take a version")
    refused(tunesmith("fetch", "org/small"), "HF_HUB_OFFLINE is set")
    refused(tunesmith("fetch", "openai/gpt-oss-20b", **HUB), "published packed", "unsloth/gpt-oss-20b-BF16")
    elsewhere = tunesmith("fetch", "org/small", **HUB, HF_ENDPOINT="http://127.0.0.1:9")
    refused(elsewhere, "The Hub (http://127.0.0.1:9) can't be reached.")


def test_a_model_that_the_disk_has_no_room_for_is_refused_before_anything_is_fetched(
    tunesmith: Command, shelf: Shelf
) -> None:
    shelf.claims = 1 << 60
    refused(tunesmith("fetch", "org/small", **HUB), "more on disk, and", "set HF_HOME to a folder on a larger disk")
    assert not any(asked.startswith("GET /org/small/resolve") for asked in shelf.asked)
