"""The catalogue of open models that people fine-tune: what is worth knowing of each before anything is fetched.

The data stand in `catalogue.json`, by family. Each model has the values of its config.json from a public copy of it
(`source`), so that its memory can be forecast without a network, and the parameters that its makers or others state
(`stated`), against which the count from the config is held. A model and its siblings of the same shape (the base model
of an instruct model) share one record.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from tunesmith.core.facts import ModelFacts, ModelKind
from tunesmith.core.shapes import Shapes, shapes_of

FILE = Path(__file__).with_name("catalogue.json")
BYTES = 2
"""Of a parameter: all of them are published in bfloat16 (the older encoders in fp32)."""

Task = Literal["text", "encoder"]


class Entry(msgspec.Struct, frozen=True):
    """One name on the Hub with what is known of it."""

    name: str
    family: str
    kind: ModelKind
    task: Task
    """Whether it writes text, or only reads it and gives classes or vectors."""
    licence: str
    catch: str
    """What the licence asks for, in one plain sentence."""
    gated: bool
    languages: str
    released: str
    """Year and month."""
    when: str
    """When to take it."""
    chat_template: bool
    stated: int
    """Parameters as they are published."""
    stated_from: str
    source: str
    """Where the config's values are from."""
    config: dict[str, Any]
    """Values of config.json as transformers reads them."""
    siblings: tuple[str, ...] = ()
    """Other names with the same shape."""
    suggested: bool = False
    """Whether it is one of the few to begin with."""
    packed: str = ""
    """The number format of the published weights, where they are packed and can't be trained as they are."""
    unpacked: str = ""
    """The name of a copy that is not packed."""

    @property
    def label(self) -> str:
        """The name without its organisation."""
        return self.name.rpartition("/")[2]

    @property
    def shapes(self) -> Shapes:
        """What it is made of."""
        return _shapes(self.name)

    @property
    def parameters(self) -> int:
        """Counted from the config."""
        return self.shapes.parameters

    @property
    def context(self) -> int:
        """The longest sequence in tokens."""
        return int(text_config(self.config)["max_position_embeddings"])

    @property
    def hindrance(self) -> str:
        """Why it can't be trained here; empty where it can."""
        if self.task == "encoder":
            return (
                f"{self.name} is an encoder: it reads text and gives classes or vectors, and writes none. Tunesmith "
                "trains models that write text."
            )
        if self.packed:
            return f"{self.name} is published packed ({self.packed}), and packed weights can't be trained as they are."
        return ""

    @property
    def remedy(self) -> str:
        """What to do about `hindrance`."""
        if self.task == "encoder":
            return (
                "For classification with thousands of examples an encoder serves well, with another tool (the "
                "transformers library's Trainer); here, take a small model that writes, e.g. "
                "HuggingFaceTB/SmolLM2-360M-Instruct, and have it write the class."
            )
        return f"Take {self.unpacked}, the same model unpacked." if self.unpacked else ""


class _Model(msgspec.Struct, forbid_unknown_fields=True):
    """One model as the file has it; what is None is as in its family."""

    name: str
    stated: int
    stated_from: str
    source: str
    config: dict[str, Any]
    also: dict[str, _Sibling] = {}
    suggested: bool = False
    kind: ModelKind = ""
    licence: str = ""
    catch: str = ""
    languages: str = ""
    released: str = ""
    when: str = ""


class _Sibling(msgspec.Struct, forbid_unknown_fields=True):
    """Another name with the same shape: only what is another way."""

    kind: ModelKind
    context: int = 0
    when: str = ""
    packed: str = ""
    unpacked: str = ""


class _Family(msgspec.Struct, forbid_unknown_fields=True):
    family: str
    licence: str
    catch: str
    languages: str
    released: str
    when: str
    models: list[_Model]
    gated: bool = False
    kind: ModelKind = "instruct"
    task: Task = "text"
    base_template: bool = False
    """Whether base models bring a chat template, too."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    families: list[_Family]


BASE_WHEN = (
    "The base model, which only goes on with a text: for thousands of rows, a language or a form of its own; with "
    "fewer rows its instruct sibling learns sooner."
)


def entries() -> tuple[Entry, ...]:
    """Every model of the catalogue, by family."""
    return tuple(_by_name().values())


def find(name: str) -> Entry | None:
    """The entry of that name on the Hub, upper and lower case alike; None where there is none."""
    exact = _by_name().get(name)
    return exact or next((one for one in entries() if one.name.lower() == name.lower()), None)


def near(name: str, most: int = 3) -> list[str]:
    """Names of the catalogue that `name` may have been meant for, the likeliest first."""
    whole = {one.name.lower(): one.name for one in entries()}
    label = {one.label.lower(): one.name for one in entries()}
    wanted = name.lower()
    last = wanted.rpartition("/")[2]
    found = [full for short, full in label.items() if last and last in short]
    found += [whole[one] for one in get_close_matches(wanted, whole, n=most, cutoff=0.7)]
    found += [label[one] for one in get_close_matches(last, label, n=most, cutoff=0.7)]
    return list(dict.fromkeys(found))[:most]


def facts_of(entry: Entry) -> ModelFacts:
    """The entry as the facts of a model that is not on this machine."""
    text, shapes = text_config(entry.config), entry.shapes
    hidden = text.get("hidden_size") or text["dim"]
    heads = text.get("num_attention_heads") or text["n_heads"]
    experts = text.get("num_experts") or text.get("num_local_experts") or 0
    return ModelFacts(
        source=entry.name,
        path="",
        name=entry.name,
        architecture=str(entry.config["architectures"][0]),
        parameters=shapes.parameters,
        weight_bytes=BYTES * shapes.parameters,
        dtype="bfloat16",
        hidden_size=hidden,
        layers=text.get("num_hidden_layers") or text["n_layers"],
        heads=heads,
        kv_heads=text.get("num_key_value_heads") or heads,
        head_size=text.get("head_dim") or hidden // heads,
        intermediate_size=text.get("intermediate_size") or text["hidden_dim"],
        vocabulary=text["vocab_size"],
        max_positions=entry.context,
        tied_embeddings=bool(text["tie_word_embeddings"]),
        has_chat_template=entry.chat_template,
        linear_parameters=shapes.linear_parameters,
        linear_shapes=shapes.linear,
        license=entry.licence,
        here=False,
        gated=entry.gated,
        catch=entry.catch,
        kind=entry.kind,
        experts=experts,
        active_parameters=shapes.active if experts else 0,
    )


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes the language model; in one that also sees or hears, `text_config`."""
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Entry]:
    families = msgspec.json.decode(FILE.read_bytes(), type=_File).families
    return {entry.name: entry for family in families for model in family.models for entry in _made(family, model)}


def _made(family: _Family, model: _Model) -> list[Entry]:
    """The model and its siblings."""
    kind = model.kind or family.kind
    names = [model.name, *model.also]
    first = Entry(
        name=model.name,
        family=family.family,
        kind=kind,
        task=family.task,
        licence=model.licence or family.licence,
        catch=model.catch or family.catch,
        gated=family.gated,
        languages=model.languages or family.languages,
        released=model.released or family.released,
        when=model.when or family.when,
        chat_template=family.task == "text" and (kind != "base" or family.base_template),
        stated=model.stated,
        stated_from=model.stated_from,
        source=model.source,
        config=_spread(model.config),
        siblings=tuple(names[1:]),
        suggested=model.suggested,
    )
    found = [first]
    for name, other in model.also.items():
        config = _spread(model.config)
        if other.context:
            config["max_position_embeddings"] = other.context
        base = other.kind == "base"
        found.append(
            msgspec.structs.replace(
                first,
                name=name,
                kind=other.kind,
                when=other.when or (BASE_WHEN if base else first.when),
                chat_template=not base or family.base_template,
                config=config,
                siblings=tuple(one for one in names if one != name),
                suggested=False,
                packed=other.packed,
                unpacked=other.unpacked,
            )
        )
    return found


def _spread(config: dict[str, Any]) -> dict[str, Any]:
    """The config with patterns of layers written out: the file has a pattern that repeats once (`layer_pattern`)."""
    found: dict[str, Any] = {key: _spread(value) if isinstance(value, dict) else value for key, value in config.items()}
    pattern = found.pop("layer_pattern", None)
    if pattern:
        layers = found["num_hidden_layers"]
        found["layer_types"] = [pattern[place % len(pattern)] for place in range(layers)]
    return found


@lru_cache(maxsize=256)
def _shapes(name: str) -> Shapes:
    found = shapes_of(_by_name()[name].config)
    assert found is not None, f"the catalogue has {name}, whose kind can't be counted"
    return found
