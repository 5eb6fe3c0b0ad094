"""The practice model and table hold what their cards promise."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from subprocess import run
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunesmith.core.practice import EMPLOYEES_CSV, MODEL_DIR
from tunesmith.core.practice.employees import FLAWS, as_csv, employees
from tunesmith.core.practice.pretrain.corpus import EASY, FULL, draw_document, sample_text
from tunesmith.core.practice.pretrain.model import build_model
from tunesmith.core.practice.pretrain.tokenizer import train_tokenizer
from tunesmith.core.practice.pretrain.train import Schedule, batch_at, loss_of, train

PROBES = (
    "Name: Alice Smith, Department: Engineering, Hire Date: 2020-04-10, Salary: 85000",
    "What is Zoë O'Neill-Ångström's salary?  \t\n\n two spaces",
    "0 1 12 123 1234567890 3.14 $85,000 50% ½ ² ٣",
    "漢字 русский العربية e\u0301 \u00e9 ﬁ",
    "🙂👩‍👩‍👧 \u200b \u00a0 \ufeff",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
    "<|im_startx|> <|pad|>",
    "".join(map(chr, range(1, 256))),
    " ",
)
CHAT = [
    {"role": "system", "content": "Answer."},
    {"role": "user", "content": "Name: Alice Smith\n\nWhen was Alice Smith hired?"},
    {"role": "assistant", "content": "2020-04-10"},
    {"role": "user", "content": "Again?"},
    {"role": "assistant", "content": "2020-04-10, as I said."},
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_DIR)


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)


@pytest.mark.parametrize("text", PROBES)
def test_auto_tokenizer_gives_the_ids_of_the_file_and_loses_no_byte(tokenizer: Any, text: str) -> None:
    plain = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
    ids = tokenizer(text)["input_ids"]
    assert ids == plain.encode(text).ids
    assert tokenizer.decode(ids) == text


def test_special_tokens_are_single_and_distinct(tokenizer: Any) -> None:
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    assert [len(tokenizer(t)["input_ids"]) for t in ("<|pad|>", "<|im_start|>", "<|im_end|>")] == [1, 1, 1]


def test_every_pair_of_digits_is_one_token(tokenizer: Any) -> None:
    assert all(len(tokenizer(f"{n:02d}")["input_ids"]) == 1 for n in range(100))


def test_a_word_has_the_same_ids_in_a_sentence_and_alone(tokenizer: Any) -> None:
    alone = tokenizer("Engineering")["input_ids"]
    assert tokenizer("in Engineering")["input_ids"][-len(alone) :] == alone


def test_the_chat_template_marks_exactly_the_answers_with_their_end(tokenizer: Any) -> None:
    out = tokenizer.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    marked = [i for i, on in zip(out["input_ids"], out["assistant_masks"], strict=True) if on]
    assert tokenizer.decode(marked) == "2020-04-10<|im_end|>2020-04-10, as I said.<|im_end|>"


def test_the_generation_prompt_opens_the_assistant_turn(tokenizer: Any) -> None:
    asked = tokenizer.apply_chat_template(CHAT[:2], tokenize=False, add_generation_prompt=True)
    told = tokenizer.apply_chat_template(CHAT[:3], tokenize=False)
    assert asked.endswith("<|im_start|>assistant\n")
    assert told == asked + "2020-04-10<|im_end|>\n"


def test_the_file_is_small_and_its_weights_are_finite() -> None:
    path = MODEL_DIR / "model.safetensors"
    assert path.stat().st_size <= 8_000_000
    state = load_file(path)
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    assert all(value.dtype == torch.float16 for value in state.values())


def test_two_to_five_million_parameters_in_widths_that_4_bit_loading_takes(model: Any) -> None:
    assert 2_000_000 <= model.num_parameters() <= 5_000_000
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            assert module.in_features % 64 == 0, name
            assert module.out_features % 64 == 0, name


def test_no_heavy_or_unsafe_file_is_shipped() -> None:
    names = {path.name for path in MODEL_DIR.iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "README.md"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".py"))]


@torch.no_grad()
def test_greedy_generation_ends_by_itself_and_has_the_value(model: Any, tokenizer: Any) -> None:
    asked = "Member: Mara Tellowin\nJoined: 2019-05-23\nClub: Bralvik\n\nWhen did Mara Tellowin join?"
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
    )
    batch = tokenizer(text, return_tensors="pt")
    out = model.generate(**batch, max_new_tokens=60)[0, batch["input_ids"].shape[1] :]
    answer = tokenizer.decode(out)
    assert answer.endswith("<|im_end|>")
    assert "2019-05-23" in answer


def test_the_corpus_is_a_function_of_its_seed() -> None:
    assert sample_text(3, 50) == sample_text(3, 50)
    assert sample_text(3, 50) != sample_text(4, 50)


def test_the_corpus_never_holds_the_practice_task() -> None:
    rng = Random(11)
    for number in range(6000):
        mixture = EASY if number % 5 == 0 else FULL
        text = "".join(part for part, _ in draw_document(rng, mixture, 512 if number % 7 == 0 else 256)).lower()
        assert not re.search(r"\bemployees?\b|\bhire[ds]?\b|hire[ _]?date|\bhiring\b", text)
        assert not ("salary" in text and "department" in text)


def test_a_few_pretraining_steps_write_a_model_that_loads_and_go_on_where_they_stopped(tmp_path: Path) -> None:
    short = Schedule(seed=1, repeat_steps=2, easy_steps=2, full_steps=2, tokens=512, text_documents=300)
    train(tmp_path, short, every=4)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert loaded.num_parameters() > 2_000_000
    assert AutoTokenizer.from_pretrained(tmp_path).eos_token == "<|im_end|>"
    kept = torch.load(tmp_path / "latest" / "resume.pt", weights_only=True)
    assert kept["done"]["step"] == 4
    again = train(tmp_path, short, every=4)
    # The same steps again from the same state: float16 on disk is the only difference.
    assert torch.allclose(again.model.norm.weight, loaded.model.norm.weight, atol=2e-3)
    assert '"step": 6' in (tmp_path / "pretraining.json").read_text("utf-8")


def test_a_batch_depends_on_seed_and_step_alone_and_trains_answers_only() -> None:
    schedule = Schedule(seed=5, repeat_steps=1, easy_steps=1, full_steps=1, tokens=1024)
    small = train_tokenizer(sample_text(0, 300))
    for step in range(3):
        first, again = batch_at(step, schedule, small), batch_at(step, schedule, small)
        assert torch.equal(first.ids, again.ids)
        assert torch.equal(first.trained, again.trained)
        assert 0 < int(first.trained.sum()) < first.trained.numel()
        assert not bool(first.trained[first.document == 0].any())


def test_a_packed_document_is_read_as_if_it_stood_alone() -> None:
    schedule = Schedule(seed=2, repeat_steps=0, easy_steps=1, full_steps=0, tokens=384)
    small = train_tokenizer(sample_text(0, 300))
    batch = batch_at(0, schedule, small)
    model = build_model(small.get_vocab_size(), pad_id=0, end_id=2, seed=0)
    model.train(False)
    before = loss_of(model, batch)
    # Another first document must not change the loss of the others.
    others = batch.document > 1
    changed = batch.ids.clone()
    changed[batch.document == 1] = 7
    batch.trained[~others] = False
    kept = loss_of(model, batch)
    batch.ids.copy_(changed)
    assert torch.isclose(kept, loss_of(model, batch), atol=1e-4)
    assert torch.isfinite(before)


def test_the_table_is_what_its_script_writes() -> None:
    made = run(
        [sys.executable, "-m", "tunesmith.core.practice.employees", "-"], check=True, capture_output=True, text=True
    ).stdout
    assert made == EMPLOYEES_CSV.read_text("utf-8") == as_csv(employees())


def test_the_table_has_the_promised_flaws_and_400_sound_people() -> None:
    rows = list(csv.DictReader(io.StringIO(EMPLOYEES_CSV.read_text("utf-8"))))
    assert list(rows[0]) == ["id", "name", "department", "hire_date", "salary"]
    copies = sum(count - 1 for count in Counter(tuple(row.values()) for row in rows).values())
    missing = [row for row in rows if not all(row.values())]
    dates = [row for row in rows if row["hire_date"] and not re.fullmatch(r"\d{4}-\d\d-\d\d", row["hire_date"])]
    out = [row for row in rows if row["salary"] and not 20_000 <= int(row["salary"]) <= 500_000]
    found = (copies, len(missing), len(dates), len(out))
    assert found == tuple(FLAWS.values())
    sound = {row["name"]: row for row in rows if row not in missing + dates + out}
    assert len(sound) == 400
    assert len({row["name"] for row in rows}) == len(rows) - FLAWS["exact duplicate row"]
    assert all(date.fromisoformat(row["hire_date"]) for row in sound.values())
    assert "Alice Smith" in sound


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "('torch', 'transformers', 'tokenizers')"
    code = f"import sys, tunesmith.core.practice; print([m for m in {heavy} if m in sys.modules])"
    assert run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
