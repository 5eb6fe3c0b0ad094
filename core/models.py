"""Finds a model and tells what it is from its config and the headers of its weight files; nothing is loaded for it.

A model is named in one of three ways: `practice` (the one that is shipped), a folder in Hugging Face layout, or a name
on the Hub. The last is looked for in the local Hugging Face cache, then in the catalogue: a model that is only there
can be planned with, and not run. Nothing is ever downloaded from here.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from tunesmith.core import catalogue
from tunesmith.core.errors import ModelError
from tunesmith.core.facts import ModelFacts
from tunesmith.core.practice import MODEL_DIR, PRACTICE
from tunesmith.core.shapes import Shapes, shapes_of, tied
from tunesmith.core.weights import DTYPE_BYTES, Weights, has_weights, read_weights

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
CAUSAL = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""How transformers names the classes that write text."""

ALIASES: dict[str, tuple[str, ...]] = {
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "num_heads"),
    "intermediate_size": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"),
    "max_positions": ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
    "vocabulary": ("vocab_size",),
}
"""A fact, and the names that configurations give it."""
UNSTATED_POSITIONS = 2048
"""Models that state no longest sequence (ALiBi, state space): what most of them were trained with."""


def find_model(source: str) -> ModelFacts:
    """The model that `source` names: `practice`, a folder, or a name in the Hugging Face cache or the catalogue.

    Raises:
        ModelError: There is nothing there, or it is not a model that can be fine-tuned; says which and what to do.
    """
    entry = catalogue.find(source) if HUB_NAME.fullmatch(source) else None
    if source == PRACTICE:
        return describe(MODEL_DIR, source, "practice model")
    path = Path(source).expanduser()
    if path.is_dir():
        return describe(path.absolute(), source, path.absolute().name)
    if path.exists():
        raise ModelError(
            f"{source} is a file, not a folder with a model.",
            next_step=f"Name the folder that holds it: {path.parent}.",
        )
    if entry is not None and entry.hindrance:
        raise ModelError(entry.hindrance, next_step=entry.remedy)
    cached = _snapshot(source)
    if cached is not None:
        return _with_what_is_known(cached, source, entry)
    if entry is not None:
        return catalogue.facts_of(entry)
    near = catalogue.near(source)
    meant = f" Or did you mean {' or '.join(near)}?" if near else ""
    if HUB_NAME.fullmatch(source):
        look = f":{meant[3:]}" if meant else "; `tunesmith models` lists those that are known."
        raise ModelError(
            f"{source} is not a folder here, not in the Hugging Face cache ({hub_cache()}) and not in the catalogue.",
            cause="Nothing is downloaded unasked.",
            next_step=f"Check the name{look} Where it is right, `tunesmith fetch {source}` brings it here.",
        )
    raise ModelError(
        f"There is no model at {source}.",
        next_step=f"Check the path, or name `practice`, a folder, or a model as org/name.{meant}",
    )


def model_here(source: str) -> ModelFacts:
    """The same, for work that needs the weights.

    Raises:
        ModelError: There is no such model, or its weights are not on this machine; says how to fetch them.
    """
    model = find_model(source)
    if not model.here:
        raise ModelError(absence(model), next_step=how_to_fetch(model))
    return model


def has_tokenizer(model: ModelFacts) -> bool:
    """Whether its tokenizer is on this machine: it may be there without the weights."""
    names = ("tokenizer.json", "tokenizer.model", "vocab.json")
    return bool(model.path) and any((Path(model.path) / name).exists() for name in names)


def absence(model: ModelFacts) -> str:
    """That the weights are not on this machine, as a sentence; empty where they are."""
    if model.here:
        return ""
    return f"{model.name} is not on this machine yet: it can be planned with, and not trained."


def how_to_fetch(model: ModelFacts) -> str:
    """How the weights of a model that is not here are had, as sentences."""
    if not HUB_NAME.fullmatch(model.source) or Path(model.source).expanduser().is_dir():
        return f"Put its weights (model.safetensors) into {model.path}."
    fetch = f"Fetch it with `tunesmith fetch {model.source}`."
    if not model.gated:
        return fetch
    page = f"https://huggingface.co/{model.source}"
    return f"First accept its terms on {page} and log in with `hf auth login`. {fetch}"


def config_of(model: ModelFacts) -> dict[str, Any]:
    """The values of its config.json as transformers reads them; from the catalogue for a model that is not here.

    Raises:
        ModelError: Its folder's config.json can't be read.
    """
    if model.path:
        return _config(Path(model.path))
    entry = catalogue.find(model.source)
    if entry is None:
        raise ModelError(f"Nothing is known of the shape of {model.name}.", next_step=how_to_fetch(model))
    return dict(entry.config)


def _with_what_is_known(cached: Path, source: str, entry: catalogue.Entry | None) -> ModelFacts:
    """A cached model with what the catalogue adds to its folder."""
    if entry is None:
        return describe(cached, source, source)
    if not has_weights(cached):  # only its config and tokenizer were fetched
        return msgspec.structs.replace(catalogue.facts_of(entry), path=str(cached))
    model = describe(cached, source, source)
    licence = model.license or entry.licence
    return msgspec.structs.replace(model, license=licence, gated=entry.gated, catch=entry.catch, kind=entry.kind)


def list_models() -> list[ModelFacts]:
    """The practice model and every model in the Hugging Face cache that could be fine-tuned, in order of name."""
    names = [PRACTICE]
    names += sorted(
        path.name.removeprefix("models--").replace("--", "/") for path in hub_cache().glob("models--*") if path.is_dir()
    )
    found = []
    for name in names:
        try:
            found.append(find_model(name))
        except ModelError:
            continue  # half-downloaded, or no language model: the cache holds all sorts of things
    return found


def hub_cache() -> Path:
    """Where huggingface_hub keeps models: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub.

    Read here rather than through huggingface_hub, whose constants are fixed at import.
    """
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "huggingface" / "hub"


def _snapshot(name: str) -> Path | None:
    """The folder of the cached version that `refs/main` points to, else of the newest one."""
    repo = hub_cache() / ("models--" + name.replace("/", "--"))
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) or not repo.is_dir():
        return None
    try:
        main = repo / "snapshots" / (repo / "refs" / "main").read_text(encoding="utf-8").strip()
        if main.is_dir():
            return main
    except OSError:
        pass  # fetched by a commit or a tag: no `main` was noted
    versions = [path for path in (repo / "snapshots").glob("*") if path.is_dir()]
    return max(versions, key=lambda path: path.stat().st_mtime, default=None)


def describe(path: Path, source: str, name: str) -> ModelFacts:
    """The facts of the model in the folder `path`, known to the person as `source`.

    Raises:
        ModelError: It is not a model that can be fine-tuned here.
    """
    if not path.is_dir():
        raise ModelError(
            f"There is no model folder at {path}.", next_step="Reinstall Tunesmith, or name another model."
        )
    config = _config(path)
    _refuse(config, path)
    text = catalogue.text_config(config)
    weights = _counted(config) if not has_weights(path) else None
    here = weights is None
    if weights is None:
        weights = read_weights(path)
    experts = _first(text, ("num_experts", "num_local_experts"))
    shapes = _shapes(config) if experts else None
    known = {fact: _first(text, names) for fact, names in ALIASES.items()}
    missing = [ALIASES[fact][0] for fact in ("hidden_size", "layers", "heads", "vocabulary") if not known[fact]]
    if missing:
        raise ModelError(
            f"{path / 'config.json'} does not say the model's {missing[0]}.",
            next_step="Take a model of a kind that transformers trains, e.g. Llama, Qwen, Mistral or Gemma.",
        )
    hidden, heads = known["hidden_size"], known["heads"]
    tokenizer = _json(path / "tokenizer_config.json") or {}
    return ModelFacts(
        source=source,
        path=str(path),
        name=name,
        architecture=_architecture(config),
        parameters=weights.parameters,
        weight_bytes=weights.bytes,
        dtype=weights.dtype,
        hidden_size=hidden,
        layers=known["layers"],
        heads=heads,
        kv_heads=_first(text, ("num_key_value_heads", "num_kv_heads")) or heads,
        head_size=_first(text, ("head_dim",)) or hidden // heads,
        intermediate_size=known["intermediate_size"] or 4 * hidden,
        vocabulary=known["vocabulary"],
        max_positions=known["max_positions"] or UNSTATED_POSITIONS,
        tied_embeddings=_tied(config, text, weights),
        has_chat_template=_has_chat_template(path, tokenizer),
        linear_parameters=sum(inputs * outputs * count for inputs, outputs, count in weights.linear_shapes),
        linear_shapes=weights.linear_shapes,
        license=_license(path),
        here=here,
        experts=experts,
        active_parameters=shapes.active if shapes else 0,
    )


def _counted(config: dict[str, Any]) -> Weights | None:
    """What the weights of a folder without them would be, by its config; None where its kind can't be counted."""
    shapes = _shapes(config)
    if shapes is None:
        return None
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    size = DTYPE_BYTES.get(dtype, 2) * shapes.parameters
    return Weights(shapes.parameters, size, dtype, shapes.linear, has_head=not tied(catalogue.text_config(config)))


def _shapes(config: dict[str, Any]) -> Shapes | None:
    try:
        return shapes_of(config)
    except (KeyError, TypeError):
        return None  # a config that relies on its class for a value


def _config(path: Path) -> dict[str, Any]:
    file = path / "config.json"
    adapter = _json(path / "adapter_config.json")
    if not file.exists() and adapter is not None:
        base = str(adapter.get("base_model_name_or_path") or "a base model that it does not name")
        raise ModelError(
            f"{path} holds an adapter, not a whole model; it was made for {base}.",
            next_step="Name that base model, or a merged model.",
        )
    if not file.exists():
        raise ModelError(
            f"{path} holds no config.json, so it is no model in Hugging Face layout.",
            next_step="Name the folder with config.json, tokenizer.json and *.safetensors.",
        )
    config = _json(file)
    if config is None:
        raise ModelError(
            f"{file} can't be read as JSON.",
            cause="It may be damaged, or a download that was cut off.",
            next_step="Fetch that file again.",
        )
    return config


def _refuse(config: dict[str, Any], path: Path) -> None:
    """Say no to what can't be trained here, or must not be run."""
    kind = str(config.get("model_type", ""))
    if config.get("auto_map") and not native(kind):
        raise ModelError(
            f"{path} needs Python code of its own (auto_map in config.json), which is not run.",
            cause="A model's code can do anything on this machine.",
            next_step="Take a model that transformers knows by itself.",
        )
    architecture = _architecture(config)
    if config.get("is_encoder_decoder") or (architecture and not architecture.endswith(CAUSAL)):
        raise ModelError(
            f"{path} is a {architecture or kind}, which does not write text after a prompt.",
            next_step="Take a causal language model (its architecture ends in ForCausalLM). An encoder serves "
            "classification and search, with another tool.",
        )
    if config.get("quantization_config"):
        how = str(config["quantization_config"].get("quant_method", "some method"))
        raise ModelError(
            f"{path} is packed already ({how}), so its weights can't be trained or merged as they are.",
            next_step="Take the unpacked original; Tunesmith packs it to 4 bits itself where that helps.",
        )


@lru_cache
def native(model_type: str) -> bool:
    """Whether the installed transformers has its own code for this `model_type`; read from its tables, not imported."""
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None or not model_type:
        return False
    table = Path(spec.origin).parent / "models" / "auto" / "modeling_auto.py"
    try:
        return f'("{model_type}", "' in table.read_text(encoding="utf-8")
    except OSError:
        return False


def _architecture(config: dict[str, Any]) -> str:
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def _tied(config: Mapping[str, Any], text: Mapping[str, Any], weights: Weights) -> bool:
    """Whether the output head is the embedding; where it is not stated, transformers' default is that it is."""
    stated = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    return bool(stated) if stated is not None else not weights.has_head


def _has_chat_template(path: Path, tokenizer: dict[str, Any]) -> bool:
    return bool(tokenizer.get("chat_template")) or any(
        (path / name).exists() for name in ("chat_template.jinja", "chat_template.json")
    )


def _license(path: Path) -> str:
    """The licence that the model card's front matter states, or nothing."""
    try:
        text = (path / "README.md").read_text(encoding="utf-8", errors="replace")[:20_000]
    except OSError:
        return ""
    front = re.match(r"---\s*\n(.*?)\n---\s*\n", text, re.DOTALL)
    if front is None:
        return ""
    stated = dict(re.findall(r"^(license|license_name):[ \t]*['\"]?([^'\"\n#]+)", front[1], re.MULTILINE))
    name = stated.get("license", "").strip()
    return str(stated.get("license_name", name)).strip() if name == "other" else str(name)


def _first(config: Mapping[str, Any], names: tuple[str, ...]) -> int:
    """The first of `names` that holds a whole number; 0 where none does."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def _json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return found if isinstance(found, dict) else None
