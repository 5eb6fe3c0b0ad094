"""Reads and writes the YAML of other tools, so that parsers of YAML 1.1 and 1.2 see the same values."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.core.errors import PlanError
from tunesmith.core.exchange.terms import Dropped, Settings

WIDTH = 100
PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")
WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""What YAML 1.1 reads as a truth value or nothing, whatever its case."""


def written(opening: Sequence[str], dropped: Sequence[Dropped], notes: Sequence[str], groups: Mapping[str, Any]) -> str:
    """The file: an opening, what it can't say, and the settings in groups with a title each."""
    lines = [line for text in opening for line in textwrap.wrap(text, WIDTH)]
    for title, texts in (
        ("What it means to say but does in another way:", notes),
        ("What it can't say:", [f"{one.path}: {one.why}" for one in dropped]),
    ):
        if texts:
            lines += ["", title]
            for text in texts:
                lines += textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")
    said = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    return said + "".join(f"\n# {title}\n{_dumped(settings)}" for title, settings in groups.items() if settings)


def parsed(text: str, name: str) -> Settings:
    """The file's keys and values.

    Raises:
        PlanError: It is not YAML, or holds no settings.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        tree = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PlanError(
            f"{name}: line {line}: this is not YAML: {error.problem}.",
            next_step="Mend that line; indentation and quotes are the usual causes.",
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise PlanError(f"{name} can't be read: {error}.", next_step="Name a YAML file of settings.") from None
    if not isinstance(tree, dict) or not tree:
        raise PlanError(f"{name} holds no settings.", next_step="Name a YAML file of TRL, Axolotl or LLaMA-Factory.")
    return {str(key): value for key, value in tree.items()}


def _dumped(settings: Settings) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(float, _number)
    text = io.StringIO()
    yaml.dump(_quoted(settings), text)
    return text.getvalue()


def _number(representer: Any, value: float) -> Any:
    """A float that YAML 1.1 reads as one, too: it wants a point before the exponent."""
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


def _quoted(node: Any) -> Any:
    """`node` with every text in quotes that a parser might take for something else."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(node, dict):
        return {key: _quoted(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_quoted(value) for value in node]
    if isinstance(node, str) and (not PLAIN.fullmatch(node) or node.lower() in WORDS):
        return DoubleQuotedScalarString(node)
    return node
