"""The one way from a file to rows: for the screen that shows them beforehand and for the job that trains on them.

What is made is kept in the cache, keyed by what was read and by the recipe, so that the same is never made twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tunesmith.core.errors import AccessError, SpaceError
from tunesmith.core.meter import Meter, silent
from tunesmith.core.plan import Prepare
from tunesmith.core.prepare.account import Account
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.making import Making, named_columns
from tunesmith.core.prepare.prepared import SET_ASIDE, Note, Prepared
from tunesmith.core.prepare.read import cache
from tunesmith.core.prepare.read.load import read_records
from tunesmith.core.prepare.records import Records, name_of
from tunesmith.core.prepare.shape import check_columns
from tunesmith.core.rows import SPLITS
from tunesmith.core.run import write_json

RECIPE_VERSION = 10
"""Of what is made of a recipe; another one makes everything anew."""

ACCOUNT = "account.json"
MAKING = ".making-"
"""What the name of a set that is being made begins with."""
MINUTE, DAY = 60, 24 * 3600


def prepare_rows(prepare: Prepare, base: Path | None = None, meter: Meter = silent) -> Prepared:
    """Read the file, mend it, make the rows and split them, all as the plan says.

    Args:
        prepare: The plan's section.
        base: The folder that relative paths start from: the plan's.
        meter: Told how far it is.

    Raises:
        DataError: The file can't be read or lacks a column that the plan names, no row can be made, or a part of
            the split would be empty.
        AccessError: The file system refuses to let it be read, or the cache to be written.
        SpaceError: There is no room for the rows.
        PlanError: A question names a column that does not exist, or a repair lacks what it needs.
        Cancelled: The meter says so.
    """
    records = read_records(
        prepare.data, base, query=prepare.query, part=prepare.part, encoding=prepare.encoding, meter=meter
    )
    check_columns(named_columns(prepare), records.columns)
    others = {
        name: _fingerprint(name, base, meter) for name in (prepare.split.test_file, *prepare.split.compare) if name
    }
    folder = _sets_root() / _key(records, prepare, others)
    kept = _kept(folder)
    if kept is None:
        _make_anew(folder, records, prepare, base, meter)
        kept = _kept(folder)
        assert kept is not None, "it was just made"
    notes = _changed(records, prepare) + kept.notes
    # The same bytes may have been read from another place before.
    files = [str(path) for path in records.files] or [str(records.path)]
    account = msgspec.structs.replace(kept.account, source=records.source, files=files)
    return Prepared(str(folder), account, notes)


def _sets_root() -> Path:
    """The folder of all sets: in the cache, or where that can't be written, one of the person's own for the time being.

    Raises:
        AccessError: Neither can be written.
    """
    for root in (cache.cache_root(), Path(tempfile.gettempdir()) / f"tunesmith-{os.getuid()}"):
        folder = root / "prepared"
        try:
            for one in (root, folder):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise AccessError(
        f"The rows can't be kept in {name_of(cache.cache_root())}.",
        next_step="Mend its permissions, or name another folder as TUNESMITH_CACHE.",
    )


def _remove_unused(root: Path) -> None:
    """Remove sets that nobody used for 30 days, and those that a killed process left half-made."""
    now = time.time()
    for one in root.iterdir():
        with contextlib.suppress(OSError):
            age = now - one.stat().st_mtime
            made = not one.name.startswith(MAKING)
            if age > 30 * DAY or (not made and (age > DAY or (age > MINUTE and _abandoned(one)))):
                shutil.rmtree(one, ignore_errors=True)


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """While this lasts others see that somebody is at work there; however this process ends, the system lets go."""
    held = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: its age decides then
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(held)


def _abandoned(folder: Path) -> bool:
    """Whether nobody is at work there any more. Raises OSError where that can't be told."""
    asked = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(asked, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(asked)
    return True


class Kept(msgspec.Struct, frozen=True):
    """What account.json holds."""

    account: Account
    notes: list[Note]
    sizes: dict[str, int]
    """Bytes of each part's file: another size is damage."""


def _key(records: Records, prepare: Prepare, others: dict[str, str]) -> str:
    """What decides the rows: what was read, and the recipe; where the data is from and its licence do not."""
    recipe = prepare.model_dump(mode="json", exclude={"data", "source", "licence", "fingerprint"})
    said = {"version": RECIPE_VERSION, "read": records.key or records.fingerprint, "recipe": recipe, "others": others}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]


def _fingerprint(source: str, base: Path | None, meter: Meter) -> str:
    records = read_records(source, base, meter=meter)
    return records.key or records.fingerprint


def _kept(folder: Path) -> Kept | None:
    """What is in the cache already; None where nothing is, or where it is damaged."""
    try:
        kept = msgspec.json.decode((folder / ACCOUNT).read_bytes(), type=Kept)
        os.utime(folder)
    except (OSError, msgspec.DecodeError):
        return None
    return kept if kept.sizes == _sizes(folder) and (folder / SET_ASIDE).is_file() else None


def _sizes(folder: Path) -> dict[str, int]:
    files = {split: folder / f"{split}.jsonl" for split in SPLITS}
    return {split: path.stat().st_size for split, path in files.items() if path.is_file()}


def _make_anew(folder: Path, records: Records, prepare: Prepare, base: Path | None, meter: Meter) -> None:
    """Make the set beside its place in the cache, and move it there whole."""
    _remove_unused(folder.parent)
    work = Path(tempfile.mkdtemp(prefix=MAKING, dir=folder.parent))
    try:
        try:
            with _claimed(work):
                account, notes = Making(work, records, prepare, base, meter).run()
            kept = Kept(account, notes, _sizes(work))
            write_json(work / ACCOUNT, kept)
        except OSError as error:
            raise SpaceError(
                f"The rows can't be kept in {name_of(folder.parent)}: {error.strerror or error}.",
                next_step="Make room there, or name another folder as TUNESMITH_CACHE.",
            ) from error
        if folder.exists():  # damaged, or made by another process in the meantime
            shutil.rmtree(folder, ignore_errors=True)
        try:
            work.rename(folder)
        except OSError:
            if _kept(folder) is None:
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _changed(records: Records, prepare: Prepare) -> list[Note]:
    """A warning where the file is not the one that the plan was made from."""
    if not prepare.fingerprint or prepare.fingerprint == records.fingerprint:
        return []
    text = f"{shown(records.path.name)} has changed since the plan was made; the rows are made from what it holds now."
    return [Note(text, "warning")]
