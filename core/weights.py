"""Reads the headers of safetensors files: every tensor's name, number format and shape, without loading one.

The format: 8 bytes with the length of the header (little-endian), the header as JSON, then the tensors
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core.errors import ModelError

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = ("pytorch_model*.bin", "*.pt", "*.pth", "pytorch_model.bin.index.json")
LONGEST_HEADER = 100_000_000
"""Bytes; the limit that the format's own reader sets."""
DTYPE_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1}
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn"}
EMBEDDING = re.compile(r"(^|\.)(embed\w*|w[tp]e|\w*embeddings?|embed_in)\.weight$")
HEAD = re.compile(r"(^|\.)(lm_head|embed_out|output_layer|output_embeddings)\.weight$")


@dataclass(frozen=True)
class Weights:
    """What the headers of a model's weight files say. Tied tensors count once, as they are stored."""

    parameters: int
    bytes: int
    dtype: str
    """The number format of most parameters, as torch names it."""
    linear_shapes: tuple[tuple[int, int, int], ...]
    """(inputs, outputs, how many) of the 2-D weights that are neither embedding nor output head."""
    has_head: bool
    """Whether an output head is stored beside the embedding."""


def has_weights(folder: Path) -> bool:
    """Whether `folder` holds weight files of any kind, whole or not."""
    return any(any(folder.glob(pattern)) for pattern in ("*.safetensors", INDEX, *PICKLED))


def read_weights(folder: Path) -> Weights:
    """What the weight files that transformers would load from `folder` hold.

    Raises:
        ModelError: There are none, only pickled ones, one is missing, damaged or cut off.
    """
    parameters, size, head = 0, 0, False
    formats: Counter[str] = Counter()
    shapes: Counter[tuple[int, int]] = Counter()
    for file in _files(folder):
        header = read_header(file)
        for name, tensor in header.items():
            count = math.prod(tensor["shape"])
            parameters += count
            size += tensor["data_offsets"][1] - tensor["data_offsets"][0]
            formats[tensor["dtype"]] += count
            head = head or HEAD.search(name) is not None
            if len(tensor["shape"]) == 2 and name.endswith(".weight") and not _is_table(name):
                outputs, inputs = tensor["shape"]
                shapes[inputs, outputs] += 1
    dtype = formats.most_common(1)[0][0] if formats else "F32"
    linear = tuple((inputs, outputs, count) for (inputs, outputs), count in sorted(shapes.items()))
    return Weights(parameters, size, DTYPES.get(dtype, dtype.lower()), linear, head)


def _is_table(name: str) -> bool:
    return EMBEDDING.search(name) is not None or HEAD.search(name) is not None


def _files(folder: Path) -> list[Path]:
    """The weight files, as transformers chooses them: the single one, else those that the index names."""
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    index = folder / INDEX
    if index.exists():
        try:
            names = sorted({str(name) for name in msgspec.json.decode(index.read_bytes())["weight_map"].values()})
        except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{index} can't be read.", next_step="Fetch that file again.") from None
        missing = [name for name in names if not (folder / name).exists()]
        if missing:
            raise ModelError(
                f"{folder} lacks {len(missing)} of {len(names)} weight files, e.g. {missing[0]}.",
                cause="The download was not finished.",
                next_step="Fetch the model again; what is there already is kept.",
            )
        return [folder / name for name in names]
    if any(any(folder.glob(pattern)) for pattern in PICKLED):
        raise ModelError(
            f"{folder} holds its weights as Python pickles, which are refused: opening one can run any code.",
            next_step="Take a version with model.safetensors, or convert it on a machine that you can lose.",
        )
    raise ModelError(
        f"{folder} holds no weights (model.safetensors).",
        cause="The download may not be finished, or only the tokenizer was fetched.",
        next_step="Fetch the whole model.",
    )


def read_header(file: Path) -> dict[str, dict[str, Any]]:
    """Name to {dtype, shape, data_offsets} of each tensor in `file`.

    Raises:
        ModelError: The file is cut off, is no safetensors file, or only a pointer to one.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            start = opened.read(8)
            length = int.from_bytes(start, "little")
            text = opened.read(length) if length <= min(size, LONGEST_HEADER) else b""
    except OSError as error:
        raise ModelError(f"{file} can't be read: {error.strerror}.", next_step="Mend its permissions.") from error
    if start == b"version ":
        raise ModelError(
            f"{file} is only a Git LFS pointer to the weights.",
            next_step="Run `git lfs pull` in that folder, or fetch the model with `tunesmith fetch`.",
        )
    try:
        header = msgspec.json.decode(text)
        header.pop("__metadata__", None)
        end = 8 + length + max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        if any(math.prod(tensor["shape"]) < 0 or "dtype" not in tensor for tensor in header.values()):
            raise ValueError
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise ModelError(
            f"{file} is not a safetensors file, or its beginning is damaged.", next_step="Fetch that file again."
        ) from None
    if end > size:
        raise ModelError(
            f"{file} is cut off: it has {size:,} bytes and should have {end:,}.",
            cause="The download was not finished, or the disk was full.",
            next_step="Fetch that file again.",
        )
    return dict(header)
