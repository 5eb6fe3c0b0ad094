"""The rows in the model's tokens: how long prompts and answers are, what is cut, and whether the end is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from tunesmith.core.facts import Lengths, TokenProfile
from tunesmith.core.figures import percent
from tunesmith.core.proof import Proof, lost_told
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.widgets.histogram import histogram

BAR = 30
"""Cells of the longest bar."""


def lengths_told(tokens: TokenProfile, proof: Proof | None, longest: int, glyphs: Glyphs) -> Content:
    """Figures and pictures.

    Args:
        tokens: What was counted, or estimated from characters.
        proof: What the tokenizer itself told; None where it is not here.
        longest: The plan's sequence length in tokens.
    """
    counted = ""
    if tokens.estimated:
        counted = "Estimated from characters: the model's tokenizer is not here.\n"
    elif proof is not None and proof.sampled:
        counted = f"A sample of {tokens.rows:,} rows was counted; the run counts every row before it trains.\n"
    parts: list[Content | str | tuple[str, str]] = [
        (counted, "$text-warning"),
        _line("rows", tokens.whole),
        _line("prompts", tokens.prompt),
        _line("answers", tokens.answer),
        *_cut(tokens, proof, longest, glyphs),
    ]
    if proof is not None:
        parts.append(_ends(proof))
    for name, bins in (("Prompts", tokens.prompt_bins), ("Answers", tokens.answer_bins), ("Rows", tokens.bins)):
        if bins and (name != "Rows" or not tokens.prompt_bins):
            parts += ["\n", (f"{name}, in tokens\n", "$text-muted"), histogram(bins, glyphs, BAR, ""), "\n"]
    return Content.assemble(*parts).rstrip()


def _line(name: str, found: Lengths) -> str:
    return (
        f"{name:<8} half up to {found.p50:,}, 95 % up to {found.p95:,}, 99 % up to {found.p99:,}, "
        f"longest {found.longest:,} tokens\n"
    )


def _cut(tokens: TokenProfile, proof: Proof | None, longest: int, glyphs: Glyphs) -> Iterator[str | tuple[str, str]]:
    """What the sequence length leaves out; without a proof at that length from the bins, and said as `about`."""
    at = f"At the sequence length of {longest:,}"
    if tokens.whole.longest <= longest:
        yield f"{at} no row is cut.\n"
    elif proof is None or proof.max_length != longest:
        share = _share_above(tokens.bins, longest)
        yield f"{at} about {percent(share)} of the rows lose the end of their answer.\n"
    else:
        of = f"of the {tokens.rows:,} rows that were counted" if proof.sampled else f"of {tokens.rows:,} rows"
        ended = proof.cut - proof.lost
        if ended:
            yield f"{at} {ended:,} {of} {'loses the end of its' if ended == 1 else 'lose the end of their'} answer.\n"
        if proof.lost:
            yield f"{glyphs.error} {'' if ended else f'{at} '}{harmless(lost_told(proof))}\n", "$text-error"


def _share_above(bins: Sequence[tuple[int, int]], longest: int) -> float:
    every = sum(count for _, count in bins) or 1
    return sum(count for upper, count in bins if upper > longest) / every


def _ends(proof: Proof) -> str:
    if proof.unended:
        return f"{proof.unended:,} answers do not end with {harmless(proof.end_mark)}, at which a server stops.\n"
    pad = "padding is masked by its place" if proof.pad_is_end else f"padding is {harmless(proof.pad_mark)}"
    return f"Every answer ends with {harmless(proof.end_mark)}, and that is trained; {pad}.\n"
