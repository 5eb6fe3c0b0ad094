"""Which kinds of file are read, by the ending of their name. Light: the interface lists files by it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tunesmith.core.prepare.records import Format

ENDINGS: Mapping[str, Format] = MappingProxyType(
    {
        ".csv": "csv",
        ".tsv": "csv",
        ".json": "json",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".parquet": "parquet",
        ".xlsx": "excel",
        ".xls": "excel",
        ".ods": "excel",
        ".txt": "text",
        ".md": "text",
    }
)
"""What a file holds, by its ending."""
PACKED: Mapping[str, str] = MappingProxyType({".gz": "gzip", ".zst": "zstd", ".zip": "zip"})
"""How a file is compressed, by its last ending."""
FORMATS: Mapping[str, str] = MappingProxyType({**ENDINGS, **PACKED})
"""All endings that a readable file can have."""
READABLE = (
    "CSV (.csv, .tsv), JSON (.json), JSON lines (.jsonl, .ndjson), Parquet (.parquet), workbooks (.xlsx, .xls, .ods) "
    "and text (.txt, .md) are read, also compressed (.gz, .zst, .zip)"
)
"""A sentence without its full stop."""
SCHEMES = ("sqlite", "postgresql", "mysql", "mariadb", "mssql", "oracle")
"""How the address of a database begins; a driver may follow, as in `postgresql+psycopg`."""
HUB = "hub:"
"""How the name of a data set on the Hugging Face Hub begins."""
VARIABLE = re.compile(r"\$\{(\w+)\}")
"""A variable of the environment in an address, e.g. `${DB_PASSWORD}`."""
_ADDRESS = re.compile(rf"(?:{'|'.join(SCHEMES)})(?:\+\w+)?://", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Whether a source is the address of a database, or a variable that holds one."""
    whole = VARIABLE.fullmatch(source.strip())
    return bool(_ADDRESS.match(os.environ.get(whole[1], "") if whole else source.strip()))


class Kind(NamedTuple):
    """What the name of a file tells about it."""

    format: Format | None
    """None where it is not told, or not read; of an archive, whose files have names of their own, always."""
    packed: str
    """`gzip`, `zstd`, `zip` or nothing."""

    @property
    def readable(self) -> bool:
        """Whether a file of that name can be read."""
        return self.format is not None or self.packed == "zip"


def kind_of(name: str) -> Kind:
    """What a file's name tells: `b.csv.gz` is CSV inside gzip, `b.zip` an archive of whatever it holds."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    packed = PACKED.get(suffixes[-1], "") if suffixes else ""
    if packed == "zip":
        return Kind(None, packed)
    if packed:
        suffixes.pop()
    return Kind(ENDINGS.get(suffixes[-1]) if suffixes else None, packed)
