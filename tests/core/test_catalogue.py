"""The catalogue holds what it says: counts against published ones and against models that transformers builds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunesmith.core.catalogue import Entry, entries, facts_of, find, near
from tunesmith.core.shapes import shapes_of


def one_of_each_shape() -> list[Entry]:
    """One entry for each config: siblings differ in nothing that is counted."""
    found: dict[str, Entry] = {}
    for entry in entries():
        encoder = entry.task == "encoder"
        config = {k: v for k, v in entry.config.items() if encoder or k != "max_position_embeddings"}
        found.setdefault(json.dumps(config, sort_keys=True), entry)
    return list(found.values())


SHAPES = one_of_each_shape()


def test_the_families_that_people_ask_for_are_there() -> None:
    families = {entry.family for entry in entries()}
    asked = {"Llama 3.1", "Llama 3.2", "Llama 3.3", "Qwen2.5", "Qwen3", "Gemma 2", "Gemma 3", "Phi", "Mistral"}
    asked |= {"SmolLM", "OLMo 2", "Olmo 3", "GPT-OSS", "DeepSeek-R1 distilled", "BERT"}
    assert asked <= families
    assert len(SHAPES) >= 25


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_parameters_counted_from_the_config_are_those_published(entry: Entry) -> None:
    assert abs(entry.parameters / entry.stated - 1) < 0.01
    assert entry.shapes.active <= entry.parameters


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_every_entry_says_what_a_person_must_know(entry: Entry) -> None:
    for text in (entry.catch, entry.when):
        assert text.endswith(".") and text[0].isupper()
    assert entry.licence and entry.languages and entry.source and entry.stated_from
    assert entry.released[4] == "-" and 2018 <= int(entry.released[:4]) <= 2026
    assert entry.kind in ("base", "instruct", "reasoning")
    assert all(find(name) is not None for name in entry.siblings)


@pytest.mark.parametrize("entry", SHAPES, ids=lambda entry: entry.name)
def test_transformers_builds_a_model_of_just_as_many_parameters_and_linear_layers(entry: Entry) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoModelForCausalLM
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = CONFIG_MAPPING[entry.config["model_type"]](**entry.config)
    kind: Any = AutoModel if entry.task == "encoder" else AutoModelForCausalLM
    with torch.device("meta"):
        model = kind.from_config(config)
    assert sum(tensor.numel() for tensor in model.parameters()) == entry.parameters
    head = model.get_output_embeddings()
    built: dict[tuple[int, int], int] = {}
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            shape = (module.in_features, module.out_features)
            built[shape] = built.get(shape, 0) + 1
    assert built == {(inputs, outputs): count for inputs, outputs, count in entry.shapes.linear}


def test_the_arithmetic_of_one_small_config_is_that_done_by_hand() -> None:
    config = {
        "model_type": "qwen2",
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 10,
        "tie_word_embeddings": False,
    }
    attention = (8 * 8 + 8) + 2 * (8 * 4 + 4) + 8 * 8
    layer = attention + 3 * 8 * 16 + 2 * 8
    found = shapes_of(config)
    assert found is not None
    assert found.parameters == 2 * 10 * 8 + 2 * layer + 8
    assert found.linear == ((8, 4, 4), (8, 8, 4), (8, 16, 4), (16, 8, 2))
    assert found.active == found.parameters
    assert shapes_of({"model_type": "unheard-of"}) is None


def test_of_a_mixture_a_token_goes_through_the_published_share() -> None:
    # 20.91 B in all and 3.61 B a token without the embedding, by OpenAI 2025, arXiv:2508.10925, table 1
    entry = find("unsloth/gpt-oss-20b-BF16")
    assert entry is not None
    embedding = entry.config["vocab_size"] * entry.config["hidden_size"]
    assert abs((entry.shapes.active - embedding) / 3.61e9 - 1) < 0.01
    assert facts_of(entry).experts == 32


def test_a_base_model_shares_the_shape_of_its_sibling_and_has_a_context_of_its_own() -> None:
    base, tuned = find("Qwen/Qwen3-8B-Base"), find("qwen/qwen3-8b")
    assert base is not None and tuned is not None
    assert base.parameters == tuned.parameters
    assert (base.kind, base.context, tuned.kind, tuned.context) == ("base", 32768, "instruct", 40960)
    assert tuned.siblings == ("Qwen/Qwen3-8B-Base",) and base.siblings == ("Qwen/Qwen3-8B",)
    assert "only goes on with a text" in base.when


def test_facts_of_an_entry_are_those_of_a_model_that_is_not_here() -> None:
    entry = find("meta-llama/Llama-3.2-3B-Instruct")
    assert entry is not None
    facts = facts_of(entry)
    assert (facts.source, facts.path, facts.here, facts.gated) == (entry.name, "", False, True)
    assert (facts.hidden_size, facts.layers, facts.heads, facts.kv_heads, facts.head_size) == (3072, 28, 24, 8, 128)
    assert facts.linear_parameters == facts.parameters - 128256 * 3072 - (2 * 28 + 1) * 3072
    assert "Built with Llama" in facts.catch


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qwen3-4b", "Qwen/Qwen3-4B"),
        ("meta-lama/Llama-3.2-1B", "meta-llama/Llama-3.2-1B"),
        ("SmolLM2-360M", "HuggingFaceTB/SmolLM2-360M-Instruct"),
    ],
)
def test_a_name_that_is_nearly_right_leads_to_the_one_that_was_meant(typed: str, meant: str) -> None:
    assert meant in near(typed)
    assert near("nobody/has-heard-of-this") == []


def test_what_can_not_be_trained_says_so_and_what_to_take() -> None:
    encoder, packed = find("google-bert/bert-base-uncased"), find("openai/gpt-oss-20b")
    assert encoder is not None and packed is not None
    assert "reads text and gives classes or vectors, and writes none" in encoder.hindrance
    assert "encoder serves well" in encoder.remedy
    assert "published packed (MXFP4)" in packed.hindrance
    assert packed.remedy == "Take unsloth/gpt-oss-20b-BF16, the same model unpacked."
    assert sum(bool(one.hindrance) for one in entries()) == 7
