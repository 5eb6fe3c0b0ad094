"""A box to name a file: typed, or chosen from a tree of folders. Typing is checked before the box closes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import DirectoryTree, Input, Static
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from tunesmith.core.errors import TunesmithError
from tunesmith.core.paths import is_file, spelled_out
from tunesmith.core.plan_schema import SCHEMA_NAME
from tunesmith.tui.glyphs import Glyphs
from tunesmith.tui.plain_text import harmless
from tunesmith.tui.screens.calm import CalmModal
from tunesmith.tui.widgets.box_keys import BoxKeys

DATA = "a file, a folder, data/*.jsonl, hub:owner/name or sqlite:///shop.db"


class Files(DirectoryTree):
    """Folders, and the files that can be used here."""

    ICON_NODE = ""
    ICON_NODE_EXPANDED = ""
    ICON_FILE = ""

    def __init__(self, folder: Path, suffixes: tuple[str, ...]) -> None:
        super().__init__(folder, id="browse-files")
        self._suffixes = suffixes
        self.show_root = False
        self.guide_depth = 2

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        """The name, harmless: a file can be called anything."""
        label = super().render_label(node, base_style, style)
        safe = harmless(label.plain)
        return label if safe == label.plain else Text(safe, style=base_style)

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """No hidden ones, and no files of another kind."""
        for path in paths:
            try:
                if path.name == SCHEMA_NAME:
                    continue  # what `w` writes beside a plan, and no data
                if not path.name.startswith(".") and (path.suffix.lower() in self._suffixes or path.is_dir()):
                    yield path
            except OSError:
                continue


class Completion(Suggester):
    """Completes a path from what is in its folder; the right key takes it."""

    def __init__(self, base: Path) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._base = base

    async def get_suggestion(self, value: str) -> str | None:
        """The first name in the folder that goes on like this."""
        try:
            path = spelled_out(value, self._base)
            folder, begun = (path, "") if value.endswith("/") else (path.parent, path.name)
            names = await asyncio.to_thread(_names, folder, begun)
        except (OSError, TunesmithError, ValueError):
            return None
        return value + names[0][len(begun) :] if names and names[0] != begun else None


def _names(folder: Path, begun: str) -> list[str]:
    """Names in a folder that go on like this; those that a terminal would obey are left out."""
    return sorted(one.name for one in folder.iterdir() if one.name.startswith(begun) and harmless(one.name) == one.name)


class Browse(CalmModal[str]):
    """Closes with the path that was named, or with an empty text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Back", id="browse.back", tooltip="Without a choice", key_display="Esc")
    ]

    def __init__(
        self,
        question: str,
        base: Path,
        suffixes: tuple[str, ...],
        glyphs: Glyphs,
        *,
        folders: bool = False,
        data: bool = False,
    ) -> None:
        """Args:
        folders: Whether a folder can be the answer (a model, or data in several files).
        data: Whether a pattern, a name on the Hub or the address of a database can be, as well.
        """
        super().__init__(classes="box")
        self._question, self._base, self._suffixes = question, base, suffixes
        self._glyphs, self._folders, self._data = glyphs, folders or data, data

    def compose(self) -> ComposeResult:
        """A field, and the folder that the person is in."""
        with Vertical(classes="box-body browse"):
            yield Static(Content.styled(self._question, "bold"), classes="box-title")
            kinds = "a path: a folder" if self._folders else f"a path: {', '.join(self._suffixes)}"
            yield Input(
                placeholder=DATA if self._data else kinds,
                compact=True,
                suggester=Completion(self._base),
                id="browse-path",
            )
            yield Static("", id="browse-error", markup=False)
            yield Files(self._base, self._suffixes)
            yield BoxKeys(("Enter", "takes it"), ("Tab", "to the list and back"), ("Esc", "back"))

    def on_mount(self) -> None:
        """Typing first: a path can be pasted."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(event.value)

    @on(DirectoryTree.FileSelected)
    def _file(self, event: DirectoryTree.FileSelected) -> None:
        event.stop()
        self._take(str(event.path))

    @on(DirectoryTree.DirectorySelected)
    def _folder(self, event: DirectoryTree.DirectorySelected) -> None:
        event.stop()
        if self._folders:
            self.query_one(Input).value = str(event.path)

    def _take(self, text: str) -> None:
        text = text.strip().strip("'\"")
        if not text:
            self._complain("Nothing is named yet: type a path, or press Tab and choose one.")
            return
        try:
            path = spelled_out(text, self._base)
        except TunesmithError as error:
            self._complain(f"{error.title} {error.next_step}")
            return
        if self._data and (not is_file(text) or (set(text) & set("*?[") and not path.exists())):
            self.dismiss(text if not is_file(text) else str(path))
            return
        try:
            folder, there = path.is_dir(), path.exists()
        except (OSError, ValueError) as error:  # too long, no permission to look, a NUL in it
            self._complain(f"That path can't be looked at: {getattr(error, 'strerror', None) or error}.")
            return
        if folder and not self._folders:
            self._complain(f"{text} is a folder: name a file in it.")
        elif not there:
            self._complain(f"There is no file {path}. Check the spelling; Tab leads to the list.")
        else:
            self.dismiss(str(path))

    def _complain(self, text: str) -> None:
        self.query_one("#browse-error", Static).update(f"{self._glyphs.error} {harmless(text)}")

    def action_cancel(self) -> None:
        """Back without a choice."""
        self.dismiss("")
