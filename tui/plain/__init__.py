"""The wizard as plain numbered questions, one thing a line: for screen readers, `TERM=dumb` and pipes."""

from tunesmith.tui.plain.wizard import plain

__all__ = ["plain"]
