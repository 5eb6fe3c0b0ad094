"""What a person prefers for the interface, kept beside the runs: the palette, and whether only ASCII is drawn."""

from __future__ import annotations

import msgspec

from tunesmith.core.run import runs_root, write_json


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """`settings.json`; whatever is missing or damaged counts as not said."""

    theme: str = ""
    ascii: bool = False


def read_settings() -> Settings:
    """What was kept last; the defaults where nothing can be read."""
    try:
        return msgspec.json.decode((runs_root() / "settings.json").read_bytes(), type=Settings)
    except (OSError, msgspec.DecodeError):
        return Settings()


def keep_settings(settings: Settings) -> None:
    """Keep them. Raises OSError where the folder can't be written to."""
    root = runs_root()
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / "settings.json", settings)
