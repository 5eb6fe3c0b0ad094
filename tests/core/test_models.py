"""A model is described from its config and headers; what is no model is refused with one sentence and the next step."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import models
from tunesmith.core.errors import ModelError
from tunesmith.core.models import (
    absence,
    config_of,
    find_model,
    how_to_fetch,
    hub_cache,
    list_models,
    model_here,
    native,
)

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "intermediate_size": 128,
    "vocab_size": 256,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
LAYER = {
    "self_attn.q_proj": (128, 64),
    "self_attn.k_proj": (64, 64),
    "self_attn.v_proj": (64, 64),
    "self_attn.o_proj": (64, 128),
    "mlp.gate_proj": (128, 64),
    "mlp.up_proj": (128, 64),
    "mlp.down_proj": (64, 128),
}
LINEAR = 2 * sum(a * b for a, b in LAYER.values())
PARAMETERS = 256 * 64 + LINEAR + 2 * 2 * 64 + 64 + 2 * 128


def safetensors(path: Path, tensors: dict[str, tuple[int, ...]], dtype: str = "F16", width: int = 2) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        size = width
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * at)


def tensors() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (256, 64), "model.norm.weight": (64,)}
    for layer in range(2):
        for name, shape in LAYER.items():
            found[f"model.layers.{layer}.{name}.weight"] = shape
        found[f"model.layers.{layer}.self_attn.q_proj.bias"] = (128,)
        found[f"model.layers.{layer}.input_layernorm.weight"] = (64,)
        found[f"model.layers.{layer}.post_attention_layernorm.weight"] = (64,)
    return found


def model_at(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**LLAMA, **changes}))
    safetensors(folder / "model.safetensors", tensors())
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def cached(cache: Path, name: str, commit: str = "abc123", ref: bool = True) -> Path:
    repo = cache / ("models--" + name.replace("/", "--"))
    if ref:
        (repo / "refs").mkdir(parents=True, exist_ok=True)
        (repo / "refs" / "main").write_text(commit)
    return model_at(repo / "snapshots" / commit)


def test_parameters_and_shapes_are_counted_from_the_headers(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "small")
    facts = find_model(str(folder))
    assert (facts.name, facts.path, facts.architecture) == ("small", str(folder), "LlamaForCausalLM")
    assert facts.parameters == PARAMETERS
    assert facts.weight_bytes == 2 * PARAMETERS
    assert facts.dtype == "float16"
    assert facts.linear_parameters == LINEAR
    assert facts.linear_shapes == ((64, 64, 4), (64, 128, 6), (128, 64, 4))
    assert (facts.hidden_size, facts.layers, facts.heads, facts.kv_heads, facts.head_size) == (64, 2, 4, 2, 32)
    assert (facts.intermediate_size, facts.vocabulary, facts.max_positions) == (128, 256, 512)
    assert facts.tied_embeddings
    assert not facts.has_chat_template
    assert facts.license == ""


def test_an_untied_head_counts_as_parameters_but_not_as_a_linear_layer(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "m", tie_word_embeddings=False)
    safetensors(folder / "model.safetensors", {**tensors(), "lm_head.weight": (256, 64)})
    facts = find_model(str(folder))
    assert facts.parameters == PARAMETERS + 256 * 64
    assert facts.linear_parameters == LINEAR
    assert not facts.tied_embeddings


def test_a_model_in_several_files_is_read_through_its_index(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    names = list(tensors())
    half = {1: names[:9], 2: names[9:]}
    for number, part in half.items():
        safetensors(folder / f"model-0000{number}-of-00002.safetensors", {name: tensors()[name] for name in part})
    where = {name: f"model-0000{number}-of-00002.safetensors" for number, part in half.items() for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    assert find_model(str(folder)).parameters == PARAMETERS
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks 1 of 2 weight files, e\.g\. model-00002-of-00002") as caught:
        find_model(str(folder))
    assert "Fetch the model again" in caught.value.next_step


def test_a_multimodal_config_is_read_through_its_text_part(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "m")
    outer = {"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": LLAMA}
    (folder / "config.json").write_text(json.dumps(outer))
    assert find_model(str(folder)).hidden_size == 64


def test_gpt2s_names_are_understood(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "m")
    config = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": 64,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 1024,
        "vocab_size": 256,
    }
    (folder / "config.json").write_text(json.dumps(config))
    facts = find_model(str(folder))
    assert (facts.hidden_size, facts.layers, facts.kv_heads, facts.head_size) == (64, 2, 4, 16)
    assert (facts.intermediate_size, facts.max_positions, facts.tied_embeddings) == (256, 1024, True)


@pytest.mark.parametrize("where", ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"])
def test_a_chat_template_is_found_in_each_of_its_places(tmp_path: Path, where: str) -> None:
    folder = model_at(tmp_path / "m")
    (folder / where).write_text(json.dumps({"chat_template": "{{ messages }}"}))
    assert find_model(str(folder)).has_chat_template


@pytest.mark.parametrize(
    ("front", "licence"),
    [
        ("license: apache-2.0\ntags: [a]", "apache-2.0"),
        ("license: 'mit' # free", "mit"),
        ("license: other\nlicense_name: llama3.2", "llama3.2"),
        ("tags: [a]", ""),
    ],
)
def test_the_licence_is_read_from_the_model_card(tmp_path: Path, front: str, licence: str) -> None:
    folder = model_at(tmp_path / "m")
    (folder / "README.md").write_text(f"---\n{front}\n---\n\n# Card\nlicense: not here\n")
    assert find_model(str(folder)).license == licence


def test_practice_names_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "MODEL_DIR", model_at(tmp_path / "shipped"))
    facts = find_model("practice")
    assert (facts.source, facts.name) == ("practice", "practice model")
    monkeypatch.setattr(models, "MODEL_DIR", tmp_path / "gone")
    with pytest.raises(ModelError, match=r"There is no model folder at .*gone\. Reinstall Tunesmith"):
        find_model("practice")


def test_a_name_is_found_in_the_cache_at_the_version_main_points_to(cache: Path) -> None:
    cached(cache, "org/small", "old", ref=False)
    main = cached(cache, "org/small", "new")
    facts = find_model("org/small")
    assert (facts.source, facts.name, facts.path) == ("org/small", "org/small", str(main))


def test_a_cached_version_without_refs_is_found_too(cache: Path) -> None:
    assert find_model_path("org/small", cached(cache, "org/small", ref=False))
    assert find_model_path("gpt2", cached(cache, "gpt2"))


def find_model_path(name: str, path: Path) -> bool:
    return find_model(name).path == str(path)


def test_the_caches_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub_cache() == Path.home() / ".cache/huggingface/hub"
    monkeypatch.setenv("HF_HOME", "/data/hf")
    assert hub_cache() == Path("/data/hf/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/data/hub")
    assert hub_cache() == Path("/data/hub")


def test_the_list_holds_what_can_be_tuned_and_passes_over_the_rest(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MODEL_DIR", model_at(tmp_path / "shipped"))
    cached(cache, "org/small")
    (cache / "models--org--half" / "snapshots" / "x").mkdir(parents=True)
    (cache / "datasets--org--rows").mkdir()
    assert [facts.source for facts in list_models()] == ["practice", "org/small"]


def refused(change: Callable[[Path], object], tmp_path: Path) -> ModelError:
    folder = model_at(tmp_path / "m")
    change(folder)
    with pytest.raises(ModelError) as caught:
        find_model(str(folder))
    return caught.value


def config(**changes: Any) -> Callable[[Path], object]:
    return lambda folder: (folder / "config.json").write_text(json.dumps({**LLAMA, **changes}))


def only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def no_weights_of_an_unknown_kind(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "config.json").write_text(json.dumps({**LLAMA, "model_type": "gpt_neox"}))


def only_adapter(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')


def cut_off(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1000])


@pytest.mark.parametrize(
    ("change", "says", "then"),
    [
        (lambda f: (f / "config.json").unlink(), "holds no config.json", "Name the folder with config.json"),
        (lambda f: (f / "config.json").write_text('{"a":'), "config.json can't be read as JSON.", "Fetch that file"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json can't be read as JSON.", "Fetch that file"),
        (config(hidden_size=None), "does not say the model's hidden_size.", "Llama, Qwen"),
        (no_weights_of_an_unknown_kind, "holds no weights (model.safetensors).", "Fetch the whole"),
        (only_pickles, "as Python pickles, which are refused", "model.safetensors"),
        (
            config(auto_map={"AutoModel": "x.Y"}, model_type="own_kind"),
            "Python code of its own (auto_map",
            "transformers",
        ),
        (cut_off, "is cut off: it has", "Fetch that file again."),
        (only_adapter, "holds an adapter, not a whole model; it was made for org/base.", "Name that base model"),
        (config(architectures=["BertForMaskedLM"]), "BertForMaskedLM, which does not write text", "causal"),
        (config(is_encoder_decoder=True, architectures=None, model_type="t5"), "is a t5, which", "causal"),
        (config(quantization_config={"quant_method": "gptq"}), "is packed already (gptq)", "unpacked original"),
        (lambda f: (f / "model.safetensors").write_bytes(b"no"), "is not a safetensors file", "Fetch that file"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 99), "is not a safetensors file", "Fetch that file"),
        (
            lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid x\n"),
            "only a Git LFS pointer",
            "git lfs pull",
        ),
        (
            lambda f: (
                (f / "model.safetensors").unlink(),
                (f / "model.safetensors.index.json").write_text("{}"),
            ),
            "index.json can't be read.",
            "Fetch that file again.",
        ),
    ],
)
def test_what_is_no_model_is_refused_with_what_to_do(
    tmp_path: Path, change: Callable[[Path], object], says: str, then: str
) -> None:
    error = refused(change, tmp_path)
    assert says in error.title
    assert then in error.next_step
    assert error.title.endswith(".")


def test_own_code_is_no_obstacle_where_transformers_knows_the_model(tmp_path: Path) -> None:
    assert native("llama")
    assert not native("own_kind")
    assert find_model(str(model_at(tmp_path / "m", auto_map={"AutoModelForCausalLM": "modeling.X"}))).layers == 2


def test_a_name_that_is_not_in_the_cache_tells_the_command_that_fetches_it(cache: Path) -> None:
    with pytest.raises(ModelError, match=r"Nothing is downloaded unasked\. Check the name"):
        find_model("org/none")


def test_a_path_that_is_not_there_and_a_path_to_a_file_are_told_apart(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model at /no/such/folder/here\. Check the path"):
        find_model("/no/such/folder/here")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match=r"is a file, not a folder with a model\. Name the folder"):
        find_model(str(tmp_path / "file"))


def test_a_folder_without_weights_is_counted_from_its_config_and_can_not_be_run(tmp_path: Path) -> None:
    folder = model_at(tmp_path / "m")
    whole = find_model(str(folder))
    (folder / "model.safetensors").unlink()
    facts = find_model(str(folder))
    assert whole.here and not facts.here
    biases = 2 * 128  # this folder's weights have biases that its config does not tell
    assert facts.parameters == whole.parameters - biases
    assert facts.linear_shapes == whole.linear_shapes
    assert facts.tied_embeddings
    with pytest.raises(ModelError, match="is not on this machine yet: it can be planned with") as caught:
        model_here(str(folder))
    assert caught.value.next_step == f"Put its weights (model.safetensors) into {folder}."
    assert config_of(facts)["hidden_size"] == 64


def test_a_model_of_the_catalogue_can_be_planned_with_and_not_run(cache: Path) -> None:
    facts = find_model("Qwen/Qwen2.5-0.5B-Instruct")
    assert (facts.here, facts.path, facts.kind, facts.license) == (False, "", "instruct", "apache-2.0")
    assert config_of(facts)["model_type"] == "qwen2"
    with pytest.raises(ModelError, match=r"Qwen/Qwen2\.5-0\.5B-Instruct is not on this machine yet") as caught:
        model_here("Qwen/Qwen2.5-0.5B-Instruct")
    assert "`tunesmith fetch Qwen/Qwen2.5-0.5B-Instruct`" in caught.value.next_step
    assert model_here("practice").here


def test_a_gated_model_says_what_comes_before_its_download(cache: Path) -> None:
    facts = find_model("google/gemma-3-1b-it")
    assert "accept its terms on https://huggingface.co/google/gemma-3-1b-it" in how_to_fetch(facts)
    assert "`hf auth login`" in how_to_fetch(facts)
    assert absence(facts).startswith("google/gemma-3-1b-it is not on this machine yet")
    assert absence(find_model("practice")) == ""


def test_a_cached_model_of_the_catalogue_is_here_with_what_the_catalogue_knows_of_it(cache: Path) -> None:
    cached(cache, "meta-llama/Llama-3.2-1B")
    facts = find_model("meta-llama/Llama-3.2-1B")
    assert facts.here and facts.parameters == PARAMETERS
    assert (facts.license, facts.gated, facts.kind) == ("llama3.2", True, "base")
    assert "Built with Llama" in facts.catch


@pytest.mark.parametrize(
    ("name", "says", "then"),
    [
        ("google-bert/bert-base-uncased", "is an encoder: it reads text", "take a small model that writes"),
        ("openai/gpt-oss-20b", "is published packed (MXFP4)", "Take unsloth/gpt-oss-20b-BF16"),
        ("Qwen/Qwen3-4b-Instruct", "not in the catalogue", "did you mean Qwen/Qwen3-4B"),
        ("qwen3-0.6b", "There is no model at qwen3-0.6b.", "did you mean Qwen/Qwen3-0.6B"),
    ],
)
def test_a_name_that_can_not_be_trained_or_is_not_known_says_what_to_take(
    cache: Path, name: str, says: str, then: str
) -> None:
    with pytest.raises(ModelError) as caught:
        find_model(name)
    assert says in caught.value.title
    assert then in caught.value.next_step
