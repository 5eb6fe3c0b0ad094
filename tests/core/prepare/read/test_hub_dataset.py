"""Data sets of the Hub, from the Hub's cache: no test asks the Hub itself."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from tests.core.prepare.read.files import clear
from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.core.prepare.read.load import read_records

COMMIT = "b" * 40


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def cached(hub: Path, name: str, files: dict[str, str]) -> None:
    """Put a data set into the Hub's cache as huggingface_hub does."""
    folder = hub / f"datasets--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT)
    for path, text in files.items():
        (folder / "snapshots" / COMMIT / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "snapshots" / COMMIT / path).write_text(text)


def refused(source: str, part: str | None = None) -> TunesmithError:
    with pytest.raises(TunesmithError) as caught:
        read_records(source, part=part)
    clear(caught.value)
    return caught.value


def test_a_data_set_in_the_cache_is_read_without_a_network_with_its_splits(hub: Path) -> None:
    files = {"data/train.csv": "q,a\nx,1\ny\nz,3\n", "data/test.csv": "q,a\nw,4\n", "README.md": "# About\n"}
    cached(hub, "me/set", files)
    found = read_records("hub:me/set")
    assert (found.format, found.source, found.columns) == ("hub", "hub:me/set", ("q", "a", "split"))
    assert [(row.values["q"], row.values["split"]) for row in found.rows] == [
        ("x", "train"),
        ("z", "train"),
        ("w", "test"),
    ]
    assert [(one.file, one.line) for one in found.rejected] == [("train.csv", 3)]
    assert found.notes == (
        "All splits are read together and mixed (train, test); the column split tells them apart. To keep its own "
        "test: prepare.part: train, and prepare.split.test_file: a file with the rows of test.",
    )
    only = read_records("hub:me/set", part="test")
    assert [row.values for row in only.rows] == [{"q": "w", "a": "4"}]
    error = refused("hub:me/set", "dev")
    assert error.title == "The data set me/set has no split dev: it has train, test."
    assert isinstance(error, DataError) and (error.asks, error.names) == ("prepare.part", ("train", "test"))


def test_of_several_configurations_the_part_names_one(hub: Path) -> None:
    card = (
        "---\nconfigs:\n- config_name: small\n  data_files: small.jsonl\n"
        "- config_name: big\n  data_files:\n  - split: train\n    path: big.jsonl\n---\n"
    )
    cached(hub, "me/set", {"README.md": card, "small.jsonl": '{"a": 1}\n', "big.jsonl": '{"a": 2}\n'})
    error = refused("hub:me/set")
    assert error.title == "The data set me/set has several configurations: small, big."
    assert isinstance(error, DataError) and (error.asks, error.names) == ("prepare.part", ("small", "big"))
    split = refused("hub:me/set", "big/dev")
    assert isinstance(split, DataError) and split.names == ("big/train",), "as prepare.part takes it"
    assert [row.values for row in read_records("hub:me/set", part="big").rows] == [{"a": "2"}]
    assert [row.values for row in read_records("hub:me/set", part="small/train").rows] == [{"a": "1"}]


def test_one_that_is_not_on_this_machine_says_how_to_get_it(hub: Path) -> None:
    error = refused("hub:me/other")
    assert error.title == (
        "The data set me/other is not on this machine, and the Hub is not asked: HF_HUB_OFFLINE is set."
    )
    assert "hf download --repo-type dataset me/other" in error.next_step


def test_names_that_are_none_and_sets_without_data_are_refused(hub: Path) -> None:
    for name in ("hub:", "hub:one", "hub:../../etc/passwd", "hub:a/b/c", "hub:\x1b/x"):
        assert "names no data set on the Hub" in refused(name).title
    cached(hub, "me/empty", {"README.md": "# Nothing\n"})
    assert "me/empty can't be read" in refused("hub:me/empty").title
