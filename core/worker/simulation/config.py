"""Model configurations as transformers knows them, made shorter: layers repeat, so a few of them tell of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from transformers import AutoConfig, PretrainedConfig

from tunesmith.core.errors import ModelError

SEEING = "vision_config"
WINDOWED = ("sliding_attention", "chunked_attention")
"""Kinds of layers that differ from full attention in the mask alone."""
DENSE_FIRST = "first_k_dense_replace"
"""How many of the first layers have no experts (DeepSeek)."""


def read_config(folder: Path | str) -> dict[str, Any]:
    """The values in a model folder's config.json.

    Raises:
        ModelError: It can't be read.
    """
    file = Path(folder) / "config.json"
    try:
        values = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelError(
            f"{file} can't be read.", cause=str(error), next_step="Take a model in Hugging Face layout."
        ) from error
    return values


class Layers:
    """The layers of a model by kind: which there are, and configurations with fewer of them.

    Args:
        values: What config.json says.
        masked_alike: Whether layers with a window hold the same as those without: where all get a mask.

    Raises:
        ModelError: transformers does not know such a model.
    """

    def __init__(self, values: Mapping[str, Any], *, masked_alike: bool = False) -> None:
        self._values = dict(values)
        text = self._values.get("text_config")
        self._nested = isinstance(text, Mapping)
        self._text: dict[str, Any] = dict(text) if isinstance(text, Mapping) else self._values
        whole = self._config(self._values).get_text_config()
        self.count = int(whole.num_hidden_layers)
        self._lists = {
            name: listed
            for name, listed in whole.to_dict().items()
            if name.endswith("layer_types") and isinstance(listed, list) and len(listed) == self.count
        }
        seen = self._values.get(SEEING)
        self.unread = int(seen.get("num_hidden_layers", 1)) - 1 if isinstance(seen, Mapping) else 0
        """Layers of the part that sees pictures, beyond the one that `of` leaves: text does not go through them."""
        # Gemma 4's layers differ in the width of their heads as well.
        self._masked_alike = masked_alike and not getattr(whole, "global_head_dim", None)
        self._dense = int(getattr(whole, DENSE_FIRST, 0) or 0)
        self.kinds = [self._kind(place) for place in range(self.count)]

    def _kind(self, place: int) -> Hashable:
        kinds = [listed[place] for listed in self._lists.values()]
        if self._masked_alike:
            kinds = ["full_attention" if kind in WINDOWED else kind for kind in kinds]
        return (*kinds, place < self._dense)

    def few(self) -> list[int]:
        """Places of the fewest layers to begin with: the first and the last, and one of each kind."""
        places = {0, self.count - 1}
        seen = {self.kinds[place] for place in places}
        for place, kind in enumerate(self.kinds):
            if kind not in seen:
                seen.add(kind)
                places.add(place)
        return sorted(places)

    def more(self, few: Sequence[int]) -> dict[Hashable, tuple[list[int], int]]:
        """For each kind with further layers: places with one more of it, and how many there are beyond `few`."""
        missing = Counter(self.kinds) - Counter(self.kinds[place] for place in few)
        found = {}
        for kind, count in missing.items():
            spare = next(p for p in range(self.count) if self.kinds[p] == kind and p not in few)
            found[kind] = (sorted([*few, spare]), count)
        return found

    def of(self, places: Sequence[int]) -> PretrainedConfig:
        """The configuration of a model with only the layers at `places`."""
        changes: dict[str, Any] = {"num_hidden_layers": len(places)}
        changes |= {name: [listed[place] for place in places] for name, listed in self._lists.items()}
        if self._dense:
            changes[DENSE_FIRST] = sum(place < self._dense for place in places)
        text = {**self._text, **changes}
        if "max_window_layers" in text:
            text["max_window_layers"] = min(int(text["max_window_layers"] or 0), len(places))
        if not self._nested:
            return self._config(text)
        values = {**self._values, "text_config": text}
        if self.unread > 0:
            values[SEEING] = {**self._values[SEEING], "num_hidden_layers": 1}
        return self._config(values)

    def _config(self, values: Mapping[str, Any]) -> PretrainedConfig:
        kind = str(values.get("model_type", ""))
        plain = {name: value for name, value in values.items() if name not in ("model_type", "dtype", "torch_dtype")}
        try:
            made: PretrainedConfig = AutoConfig.for_model(kind, **plain)
        except Exception as error:  # each kind of model has checks of its own
            raise ModelError(
                f"transformers can't build a model of the kind {kind or 'that the config does not name'}.",
                cause=str(error).partition("\n")[0],
                next_step="Take a model of a kind that it knows, e.g. Llama, Qwen, Mistral or Gemma.",
            ) from error
        return made
