"""Talks to the Hugging Face Hub through huggingface_hub: search, access, and fetching a model whole.

What the library says when something goes wrong is put into sentences here; its own messages may hold addresses with
much in them, so only their kind is passed on.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
from huggingface_hub import HfApi, constants, get_token, set_client_factory, snapshot_download
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils._http import default_client_factory
from huggingface_hub.utils._validators import validate_repo_id
from huggingface_hub.utils.tqdm import disable_progress_bars

from tunesmith.core.errors import HubError, ModelError, SpaceError
from tunesmith.core.figures import size
from tunesmith.core.hub import Access, HubModel
from tunesmith.core.models import hub_cache

PATIENCE_SECONDS = 3.0
"""For each answer of the Hub to a question; a download waits as long as huggingface_hub does."""
DESCRIBING = ["*.json", "*.jinja", "tokenizer*", "vocab*", "merges*", "README.md", "LICENSE*"]
"""What tells of a model without its weights."""
WHOLE = [*DESCRIBING, "*.safetensors", "*.model"]
BESIDE = ["consolidated*", "*/*", "*.index.json.metadata"]
"""Copies of the weights in other forms, and everything in folders of their own (`original/`, `onnx/`)."""
SPARE_DISK = 1.05
"""Disk to have for each byte that is fetched."""
POLL_SECONDS = 0.5

# Its own words hold whole addresses, and come line by line into whatever is being shown.
logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)


class Planned(msgspec.Struct, frozen=True):
    """What a download would bring."""

    files: int
    bytes: int
    """Of all files."""
    missing: int
    """Bytes that are not in the cache yet."""
    folder: str


def search(text: str, most: int) -> list[HubModel]:
    """Models that write text, in safetensors, whose name holds `text`; the most downloaded first."""
    with _told(text), _hasty() as api:
        found = api.list_models(
            search=text,
            filter=["safetensors"],
            pipeline_tag="text-generation",
            sort="downloads",
            limit=most,
            expand=["safetensors", "gated", "downloads", "tags"],
        )
        return [
            HubModel(
                name=one.id,
                parameters=int(one.safetensors.total) if one.safetensors else 0,
                gated=bool(one.gated),
                licence=next((tag.partition(":")[2] for tag in one.tags or () if tag.startswith("license:")), ""),
                downloads=int(one.downloads or 0),
            )
            for one in found
        ]


def access(name: str) -> Access:
    """Whether the model can be fetched with the account of this machine, if it has one."""
    with _told(name), _hasty() as api:
        validate_repo_id(name)
        try:
            api.auth_check(name)
        except GatedRepoError:
            return Access(False, f"{name} is gated: its makers ask something of you first.", _terms(name))
    return Access(True, f"{name} can be fetched from here.")


def describe(name: str) -> None:
    """Fetch what tells of the model: its config, tokenizer and card."""
    with _told(name), _hasty() as api:
        validate_repo_id(name)
        api.auth_check(name)
        snapshot_download(name, allow_patterns=DESCRIBING, ignore_patterns=BESIDE)


def plan_download(name: str) -> Planned:
    """What `download` would bring, before anything is fetched.

    Raises:
        HubError: The Hub can't be reached, or does not give the model to this person.
        ModelError: It has no weights in safetensors.
        SpaceError: There is no room for them.
    """
    with _told(name), _hasty() as api:
        validate_repo_id(name)
        api.auth_check(name)
        files = snapshot_download(name, allow_patterns=WHOLE, ignore_patterns=BESIDE, dry_run=True)
    weights = [file for file in files if file.filename.endswith(".safetensors")]
    if not weights:
        raise ModelError(
            f"{name} has no weights in safetensors.",
            cause="Weights as Python pickles are not fetched: opening one can run any code.",
            next_step="Take a version that has *.safetensors.",
        )
    planned = Planned(
        files=len(files),
        bytes=sum(file.file_size or 0 for file in files),
        missing=sum(file.file_size or 0 for file in files if file.will_download),
        folder=str(_repo_folder(name)),
    )
    free = _free(hub_cache())
    if planned.missing * SPARE_DISK > free:
        raise SpaceError(
            f"{name} needs {size(planned.missing)} more on disk, and {hub_cache()} has {size(free)} free.",
            next_step="Free some room, or set HF_HOME to a folder on a larger disk.",
        )
    return planned


def download(name: str, report: Callable[[int], None]) -> str:
    """Fetch the model into the cache and return its folder; goes on where an earlier download ended.

    Args:
        report: Called now and then with the bytes that the model's folder in the cache holds.

    Raises:
        HubError: The connection broke, or the Hub does not give the model to this person.
        SpaceError: The disk is full.
    """
    disable_progress_bars()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            report(_held(_repo_folder(name)))

    watcher = threading.Thread(target=watch, daemon=True, name="download progress")
    watcher.start()
    try:
        with _told(name):
            return str(snapshot_download(name, allow_patterns=WHOLE, ignore_patterns=BESIDE))
    except HubError as error:
        raise HubError(
            f"{name} was fetched only in part: {error.title}",
            cause=error.cause,
            next_step="Do the same again: it goes on where it was.",
        ) from None
    finally:
        done.set()
        watcher.join()


def _repo_folder(name: str) -> Path:
    return hub_cache() / ("models--" + name.replace("/", "--"))


def _held(folder: Path) -> int:
    """Bytes of the files in the cache's folder of a model, whole or not."""
    total = 0
    for file in (folder / "blobs").glob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue  # renamed between the listing and the look
    return total


def _free(folder: Path) -> int:
    """Free bytes on the disk that `folder` is, or will be, on."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(there).free


@contextmanager
def _hasty() -> Iterator[HfApi]:
    """The Hub's interface with little patience; asked at once whether anybody answers.

    huggingface_hub tries several times over half a minute where nobody does; so does no screen.
    """

    def in_time(request: httpx2.Request) -> None:
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE_SECONDS)

    def client() -> httpx2.Client:
        made = default_client_factory()
        made.event_hooks = {**made.event_hooks, "request": [*made.event_hooks["request"], in_time]}
        return made

    set_client_factory(client)
    try:
        if not constants.is_offline_mode():
            with client() as probe:
                probe.head(constants.ENDPOINT)
        yield HfApi()
    finally:
        set_client_factory(default_client_factory)


def _terms(name: str) -> str:
    page = f"{constants.ENDPOINT}/{name}"
    if get_token() is None:
        return f"Accept its terms on {page}, then log in here with `hf auth login`, and come back."
    return f"Accept its terms on {page} with the account that is logged in here (`hf auth whoami` names it)."


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What goes wrong, as a sentence with the remedy."""
    try:
        yield
    except (OfflineModeIsEnabled, GatedRepoError, RepositoryNotFoundError, HfHubHTTPError, httpx2.HTTPError) as error:
        raise _sentence(error, name) from None
    except (DryRunError, LocalEntryNotFoundError) as error:
        raise _sentence(error.__cause__ or error, name) from None
    except HFValidationError:
        raise HubError(f"{name} is no name of a model on the Hub.", next_step="Name it as org/name.") from None
    except OSError as error:
        if error.errno in (28, 122):  # ENOSPC and EDQUOT
            raise SpaceError(
                f"The disk is full: {name} was fetched in part.",
                next_step="Free some room and do the same again; what is there is kept.",
            ) from None
        raise HubError(
            f"{name} could not be fetched: {type(error).__name__}.", next_step="Do the same again; it goes on there."
        ) from None


def _sentence(error: BaseException, name: str) -> HubError:
    hub = constants.ENDPOINT
    if isinstance(error, OfflineModeIsEnabled):
        return HubError(
            "The Hub is not asked: HF_HUB_OFFLINE is set.",
            next_step="Models on this machine and the catalogue are there all the same; unset it to search or fetch.",
        )
    if isinstance(error, GatedRepoError):
        return HubError(f"{name} is gated: its makers ask something of you first.", next_step=_terms(name))
    if isinstance(error, RepositoryNotFoundError):
        return HubError(
            f"There is no model {name} on the Hub, or it is private.",
            next_step="Check the spelling; for a private one, log in with `hf auth login`.",
        )
    if isinstance(error, HfHubHTTPError):
        return HubError(
            f"The Hub ({hub}) answered with an error ({error.response.status_code}).",
            next_step="Try again later; models on this machine and the catalogue are there all the same.",
        )
    return HubError(
        f"The Hub ({hub}) can't be reached.",
        cause=f"{type(error).__name__}.",
        next_step="Models on this machine and the catalogue are there all the same; check the network or the proxy.",
    )
