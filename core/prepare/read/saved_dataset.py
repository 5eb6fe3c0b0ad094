"""A data set as `datasets` saves it to disk: Arrow files beside a state.json, or such a folder for each split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from tunesmith.core.errors import DataError
from tunesmith.core.meter import Meter
from tunesmith.core.prepare.cells import shown
from tunesmith.core.prepare.meant import PART
from tunesmith.core.prepare.read.arrow_text import put_batch, unnamed
from tunesmith.core.prepare.read.sink import Sink
from tunesmith.core.prepare.records import BATCH, name_of

_BROKEN = (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError, RecursionError)
_AGAIN = "Save it anew with save_to_disk."


class Part(NamedTuple):
    """One file of a data set."""

    path: Path
    split: str
    """Empty where it is not divided."""


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` has saved a data set or several splits there."""
    try:
        return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()
    except (OSError, ValueError):  # no name that a folder can have
        return False


def parts_of(folder: Path, part: str | None) -> list[Part]:
    """The Arrow files, of the split that `part` names or of all.

    Raises:
        DataError: The folder is damaged, or has no such split.
    """
    try:
        if not (folder / "dataset_dict.json").is_file():
            return [Part(path, "") for path in _files(folder)]
        splits = [str(name) for name in json.loads((folder / "dataset_dict.json").read_bytes())["splits"]]
        if part is not None and part not in splits:
            told = ", ".join(shown(name) for name in splits[:10])
            raise DataError(
                f"{name_of(folder)} has no split {shown(part)}: it has {told}.",
                next_step="Name one of them as prepare.part.",
                file=folder,
                asks=PART,
                names=splits,
            )
        wanted = splits if part is None else [part]
        return [Part(path, name) for name in wanted for path in _files(folder / name)]
    except (KeyError, TypeError, ValueError, OSError, RecursionError) as error:
        raise DataError(
            f"{name_of(folder)} looks like a saved data set and can't be read: {shown(str(error), most=160)}.",
            next_step=_AGAIN,
            file=folder,
        ) from None


def _files(folder: Path) -> list[Path]:
    """The files that state.json lists, which must lie in the folder itself."""
    names = [str(one["filename"]) for one in json.loads((folder / "state.json").read_bytes())["_data_files"]]
    return [folder / Path(name).name for name in names]


def read_arrow(part: Part, first: int, sink: Sink, meter: Meter) -> int:
    """Read one Arrow file, whose first row is row `first` of its split; returns how many rows there were.

    Raises:
        DataError: It is no Arrow file, or two columns are named alike.
    """
    row = first
    sink.extra = {"split": part.split} if part.split else {}
    try:
        with part.path.open("rb") as file, pa.ipc.open_stream(pa.PythonFile(file, mode="r")) as reader:
            if wrong := unnamed(reader.schema):
                raise DataError(
                    f"{name_of(part.path)}: {wrong}.", next_step="Give each column a name.", file=part.path, line=1
                )
            for batch in reader:
                for at in range(0, batch.num_rows, BATCH):
                    piece = batch.slice(at, BATCH)
                    put_batch(sink, piece, row)
                    row += piece.num_rows
                    meter("reading", row - first, 0)
    except _BROKEN as error:
        told = shown((str(error).split("\n", 1)[0] or type(error).__name__).rstrip("."), most=160)
        if row == first:
            raise DataError(
                f"{name_of(part.path)} can't be read as Arrow: {told}.", next_step=_AGAIN, file=part.path, line=1
            ) from None
        sink.reject(row, f"the rest of the file can't be read: {told}", "", _AGAIN)
    return row - first
