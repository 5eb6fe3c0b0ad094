"""A data set on the Hugging Face Hub: its files are fetched into the Hub's cache, or found there without a network.

Which files belong to which split is what `datasets` says; the rows are read as those of any other file, so that one
that is wrong does not stop the rest. Code that a data set brings along is never run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.errors import DataError, HubError
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import PART
from tunesmith.core.prepare.read.formats import ENDINGS, HUB, READABLE, kind_of

_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)


class Fetched(NamedTuple):
    """One file of the data set, on this machine."""

    path: Path
    split: str


def fetch(source: str, part: str | None) -> list[Fetched]:
    """The files of `hub:owner/name` (or `hub:owner/name@revision`), of all splits or of that which `part` names.

    Args:
        part: A split, a configuration, or both as `configuration/split`.

    Raises:
        HubError: It is not on this machine and can't be fetched; says why.
        DataError: It holds nothing that is read here, or has no such part.
    """
    name = source.removeprefix(HUB)
    if not _NAME.fullmatch(name):
        raise HubError(f"{shown(source)} names no data set on the Hub.", next_step="Write it as hub:owner/name.")
    folder = _snapshot(name)
    splits = _splits(folder, name, part)
    found = [Fetched(path, split) for split, paths in splits.items() for path in paths]
    if not found or not all(kind_of(one.path.name).readable for one in found):
        raise DataError(f"The data set {shown(name)} holds files that are not read here.", next_step=f"{READABLE}.")
    return found


def _snapshot(name: str) -> Path:
    """The folder in the Hub's cache that holds the data set's files."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, _, revision = name.partition("@")
    endings = [f"*{ending}{packed}" for ending in ENDINGS for packed in ("", ".gz", ".zst", ".zip")]
    try:
        return Path(
            snapshot_download(
                repo, repo_type="dataset", revision=revision or None, allow_patterns=["README.md", *endings]
            )
        )
    except LocalEntryNotFoundError:
        offline = constants.HF_HUB_OFFLINE
        why = "the Hub is not asked: HF_HUB_OFFLINE is set" if offline else "the Hub can't be reached"
        raise HubError(
            f"The data set {shown(name)} is not on this machine, and {why}.",
            next_step=f"Fetch it where there is a network: hf download --repo-type dataset {shown(repo)}",
        ) from None
    except GatedRepoError:
        raise HubError(
            f"{shown(name)} is gated: its makers ask something of you first.",
            next_step=f"Accept their terms at {constants.ENDPOINT}/datasets/{shown(repo)}, then log in: hf auth login.",
        ) from None
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError):
        raise HubError(
            f"There is no data set {shown(name)} on the Hub, or it is private.",
            next_step="Check the spelling; for a private one, log in with `hf auth login`.",
        ) from None
    except HfHubHTTPError as error:
        raise HubError(
            f"The Hub answered with an error ({error.response.status_code}).", next_step="Try again later."
        ) from None
    except OSError as error:
        raise HubError(
            f"The data set {shown(name)} can't be fetched: {type(error).__name__}.",
            next_step="Check the network and the room on the disk, and do the same again; it goes on there.",
        ) from None


def _splits(folder: Path, name: str, part: str | None) -> dict[str, list[Path]]:
    """The files by split, as the data set's README or else its file names say."""
    from datasets import get_dataset_config_names, load_dataset_builder

    try:
        configs = [str(one) for one in get_dataset_config_names(str(folder))]
        config, split = _chosen(name, configs, part)
        builder = load_dataset_builder(str(folder), config)
        files = builder.config.data_files or {}
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001  datasets raises whatever it meets, in many kinds
        told = shown(str(error).split("\n", 1)[0].rstrip("."), most=160)
        raise DataError(
            f"The data set {shown(name)} can't be read: {told}.",
            next_step="Look at its page on the Hub, or name one of its files that you fetched yourself.",
        ) from None
    splits = {str(one): [Path(str(path)) for path in paths] for one, paths in files.items()}
    if not split:
        return splits
    if split not in splits:
        raise DataError(
            f"The data set {shown(name)} has no split {shown(split)}: it has {', '.join(map(shown, splits))}.",
            next_step="Name one of them as prepare.part.",
            asks=PART,
            names=splits if part == split else [f"{config}/{one}" for one in splits],
        )
    return {split: splits[split]}


def _chosen(name: str, configs: list[str], part: str | None) -> tuple[str | None, str]:
    """The configuration and the split that `part` means; no split for all."""
    first, _, second = (part or "").partition("/")
    if first in configs:
        return first, second
    if len(configs) > 1 and "default" not in configs:
        told = ", ".join(shown(one) for one in configs[:10])
        raise DataError(
            f"The data set {shown(name)} has several configurations: {told}.",
            next_step="Name one of them as prepare.part, with a split behind it if you like: CONFIGURATION/SPLIT.",
            asks=PART,
            names=configs,
        )
    return ("default" if len(configs) > 1 else None), part or ""
