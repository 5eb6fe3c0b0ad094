"""Where what was read is kept: one folder an entry, named by what was read and how, so that nothing is read twice.

An entry is written aside and renamed when it is whole. Entries that nobody used for 30 days go when a new one comes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tunesmith.core.errors import AccessError
from tunesmith.core.meter import Meter
from tunesmith.core.prepare.read.sink import Meta, Sink, StoreFailed
from tunesmith.core.prepare.read.store import Store
from tunesmith.core.prepare.records import name_of

VERSION = 2
"""Of the readers and of the store's form: to be raised when either changes, which makes all entries anew."""
_KEEP_SECONDS = 30 * 24 * 3600
_ASIDE_SECONDS = 24 * 3600
"""After which what a killed process left half-written is removed."""
_SETTLED_NS = 2_000_000_000
"""A file that changed less than this ago may change again within the same tick of its clock, so its digest is not
remembered."""

_tidied: set[Path] = set()
"""Folders that this process has rid of old entries."""

Fill = Callable[[Sink], Meta]
"""Reads the source into a sink and closes it."""


class Digest(msgspec.Struct, frozen=True):
    """The SHA-256 of a file's bytes and by what it is known to be still the same file."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str


def cache_root() -> Path:
    """$TUNESMITH_CACHE, else tunesmith in $XDG_CACHE_HOME, else in ~/.cache."""
    if own := os.environ.get("TUNESMITH_CACHE"):
        return Path(own).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home and Path(home).is_absolute() else Path.home() / ".cache") / "tunesmith"


def digest_of(path: Path, meter: Meter) -> str:
    """The SHA-256 of a file's bytes in hex; one that has not changed since is not read again.

    Raises:
        OSError: It can't be read.
    """
    found = path.stat()
    memo = cache_root() / "digests" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:40]}.json"
    try:
        known = msgspec.json.decode(memo.read_bytes(), type=Digest)
        if known == _digest(found, known.sha256):
            return known.sha256
    except (OSError, msgspec.MsgspecError, ValueError):
        pass
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
            done += len(chunk)
            meter("looking for changes", done, found.st_size)
    if time.time_ns() - found.st_mtime_ns > _SETTLED_NS and done == found.st_size:
        _remember(memo, _digest(found, digest.hexdigest()))
    return digest.hexdigest()


def _digest(found: os.stat_result, sha256: str) -> Digest:
    return Digest(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, sha256)


def _remember(memo: Path, digest: Digest) -> None:
    """Write it down where that is possible; it is only there to save time."""
    try:
        _private(memo.parent)
        aside = memo.with_name(f"{memo.name}.{os.getpid()}")
        aside.write_bytes(msgspec.json.encode(digest))
        aside.replace(memo)
    except OSError:
        pass


def key_of(*parts: str) -> str:
    """The name of an entry: what was read and all that decides how, e.g. digest, format and sheet."""
    return hashlib.sha256("\0".join((str(VERSION), *parts)).encode("utf-8", "surrogateescape")).hexdigest()


def find(key: str) -> Store | None:
    """The entry of that name; None where there is none, or where it is damaged, which removes it."""
    folder = cache_root() / "rows" / key
    try:
        store = Store(folder)
    except FileNotFoundError:
        if not folder.exists():
            return None
    except (OSError, ValueError, msgspec.MsgspecError):
        pass
    else:
        _touch(folder)
        return store
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            folder.unlink()
    return None


def make(key: Callable[[Path], str], fill: Fill) -> tuple[Store, object]:
    """A new entry, filled by `fill` and named by what `key` makes of its folder.

    Where the cache can't be written, it is a temporary one. Returns the store and what must live as long as it is used.

    Raises:
        AccessError: Neither the cache folder nor a temporary one can be written.
        Exception: Whatever `fill` raises.
    """
    root = cache_root() / "rows"
    try:
        _private(root)
        _remove_old(root)
        aside = Path(tempfile.mkdtemp(prefix=".aside-", dir=root))
    except OSError:
        return _temporary(key, fill)
    try:
        _filled(aside, fill)
        return _placed(aside, root / key(aside)), None
    except StoreFailed:
        shutil.rmtree(aside, ignore_errors=True)
        return _temporary(key, fill)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def scratch() -> Path | None:
    """A folder for files without a name, such as what an archive holds; None for that of the system."""
    root = cache_root()
    try:
        _private(root)
        return root if os.access(root, os.W_OK) else None
    except OSError:
        return None


def _filled(folder: Path, fill: Fill) -> Meta:
    sink = Sink(folder)
    try:
        return fill(sink)
    except BaseException:
        sink.abandon()
        raise


def _placed(aside: Path, folder: Path) -> Store:
    """The store under its name; another process may have put the same there meanwhile."""
    try:
        aside.rename(folder)
    except OSError:
        try:
            store = Store(folder)
        except (OSError, ValueError, msgspec.MsgspecError):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                aside.rename(folder)
            except OSError as error:
                raise StoreFailed(error) from error
        else:
            shutil.rmtree(aside, ignore_errors=True)
            return store
    try:
        return Store(folder)
    except OSError as error:
        raise StoreFailed(error) from error


def _temporary(key: Callable[[Path], str], fill: Fill) -> tuple[Store, object]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="tunesmith-")
        _filled(Path(folder.name), fill)
        key(Path(folder.name))
        return Store(Path(folder.name)), folder
    except (StoreFailed, OSError) as error:
        reason = error.reason if isinstance(error, StoreFailed) else error
        raise AccessError(
            f"What was read can't be kept in {name_of(cache_root())}: {reason.strerror or reason}.",
            next_step="Make room there, or name another folder as TUNESMITH_CACHE.",
        ) from error


def _private(folder: Path) -> None:
    """Make a folder that nobody else may look into."""
    root = cache_root()
    for one in (root, folder):
        if not one.is_dir():
            one.mkdir(mode=0o700, parents=True, exist_ok=True)


def _touch(folder: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(folder / "meta.json")


def _remove_old(root: Path) -> None:
    """Remove entries that nobody used for 30 days, and what was left half-written a day ago; once in a process."""
    if root in _tidied:
        return
    _tidied.add(root)
    now = time.time()
    for entry in [*root.iterdir(), *(root.parent / "digests").glob("*")]:
        try:
            if entry.name.startswith(".aside-"):
                old = entry.stat().st_mtime < now - _ASIDE_SECONDS
            else:
                used = entry / "meta.json" if entry.is_dir() else entry
                old = used.stat().st_mtime < now - _KEEP_SECONDS
            if old and entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif old:
                entry.unlink()
        except OSError:
            continue
