"""A text that is repainted only when it says something else: over a slow line an unchanged text must cost nothing."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Still(Static):
    """A Static whose text is never markup, and whose update with the same text does nothing."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)
        self._told: str | Content = text

    def show(self, text: str | Content) -> None:
        """Say this; repaint only where it is not said already."""
        if _same(text, self._told):
            return
        self._told = text
        self.update(text)


def _same(one: str | Content, other: str | Content) -> bool:
    """Whether both say the same in the same style."""
    if isinstance(one, Content) and isinstance(other, Content):
        return one.plain == other.plain and one.spans == other.spans
    return type(one) is type(other) and one == other
