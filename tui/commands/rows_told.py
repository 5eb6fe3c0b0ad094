"""What becomes of the data, how long the rows are and how the model will see some of them, in the console."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from tunesmith.core.figures import percent
from tunesmith.core.prepare.cells import counted
from tunesmith.core.prepare.prepared import Preview
from tunesmith.core.proof import lost_told
from tunesmith.core.survey import Survey
from tunesmith.tui.model_words import ESTIMATED
from tunesmith.tui.plain_text import harmless

LONGEST = 800
"""Characters of a row that are printed."""


def show_parts(screen: Console, title: str, preview: Preview) -> None:
    """What was read and mended, and how the rows are divided."""
    screen.print(title, style="bold")
    for note in preview.notes:
        screen.print(f"  {'!' if note.level == 'warning' else '·'} {harmless(note.text)}")
    parts = ", ".join(f"{count:,} {split}" for split, count in preview.parts.items())
    rejected = preview.account.rejected if preview.account is not None else 0
    unread = f", {counted(rejected, 'row')} not readable" if rejected else ""
    screen.print(f"  {preview.read:,} records read, {preview.aside:,} set aside{unread}; rows: {parts}.")


def show_lengths(screen: Console, seen: Survey) -> None:
    """How long the rows are in tokens, and what the sequence length does to them; nothing where that is not known."""
    tokens, proof = seen.facts.data.tokens, seen.proof
    if tokens is not None:
        how = ESTIMATED if tokens.estimated else ""
        screen.print(
            f"  Lengths in tokens{how}: half up to {tokens.whole.p50}, 99 % up to {tokens.whole.p99}, longest "
            f"{tokens.whole.longest}. {percent(tokens.trained_share)} of all tokens are trained."
        )
    if proof is not None and proof.cut:
        cut = f"{counted(proof.cut, 'row')} cut at {proof.max_length:,} tokens"
        screen.print(f"  ! {cut}: the end of the answer is lost.", highlight=False)
    if proof is not None and proof.lost:
        screen.print(f"  ! {lost_told(proof)}", highlight=False)


def show_rendered(screen: Console, seen: Survey, most: int) -> None:
    """Some rows as the model will see them, the trained part in brackets."""
    rows = seen.rendered[:most]
    if not rows:
        return
    what = "A row as the model sees it" if len(rows) == 1 else f"{len(rows)} rows as the model sees them"
    screen.print(f"\n{what}; ⟦only this⟧ is trained", style="bold")
    for pieces in rows:
        text = Text("  ")
        for piece, trained in pieces:
            shown = harmless(piece).replace("⏎", "⏎ ")
            if len(shown) > LONGEST:
                shown = f"{shown[: LONGEST // 2]} … {shown[-LONGEST // 2 :]}"
            text.append(f"⟦{shown}⟧" if trained else shown, style="bold" if trained else "dim")
        screen.print(text)
