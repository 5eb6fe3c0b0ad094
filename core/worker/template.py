"""The template that rows were written with: kept with the run's data, and held against every tokenizer that follows.

A model that was trained on one template and is served with another is asked in a language it has not learnt; it still
answers, only worse, and nobody is told. So the template is compared byte by byte wherever it goes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
from transformers import PreTrainedTokenizerBase

from tunesmith.core.errors import ModelError
from tunesmith.core.proof import Template, differences
from tunesmith.core.run import Run, write_json


def template_of(tokenizer: PreTrainedTokenizerBase) -> Template:
    """How this tokenizer makes text of rows."""
    template = tokenizer.chat_template
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True, ensure_ascii=False)
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as jinja reads it, and as a file gives it back
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    ids = {token.content: id_ for id_, token in sorted(tokenizer.added_tokens_decoder.items()) if token.special}
    digest = hashlib.sha256(json.dumps([text, special, ids], sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return Template(text, special, ids, digest)


def template_path(run: Run) -> Path:
    """Where Prepare leaves it, in the run's `data/`."""
    return run.data / "template.json"


def keep_template(run: Run, tokenizer: PreTrainedTokenizerBase) -> Template:
    """Write down, with the run's data, the template that its rows are written with; returns it."""
    template = template_of(tokenizer)
    write_json(template_path(run), template)
    return template


def check_template(run: Run, tokenizer: PreTrainedTokenizerBase, whose: str) -> None:
    """See that `tokenizer` writes rows as the one did that they were prepared with, byte by byte.

    A run that was prepared before templates were kept has nothing to compare with, and passes.

    Args:
        whose: Which tokenizer this is, for the error: `the merged model`.

    Raises:
        ModelError: Template, control marks or their tokens differ.
    """
    try:
        kept = msgspec.json.decode(template_path(run).read_bytes(), type=Template)
    except FileNotFoundError:
        return
    found = differences(kept, template_of(tokenizer))
    if not found:
        return
    raise ModelError(
        f"The rows of this run were prepared for another chat template than that of {whose}.",
        cause=f"Not the same: {', '.join(found)}. The model would be asked otherwise than it was trained.",
        next_step=f"Put the template back as it was, or prepare again: `tunesmith run {run.plan_path} --from prepare`.",
    )
