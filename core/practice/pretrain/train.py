"""Pre-train the practice model: seeded batches, three phases counted in steps, Muon for matrices, AdamW for the rest.

Everything depends on the step's number and the seed, never on the clock, so a slow machine makes the same model later.
(Bit for bit only with the same torch, processor and number of threads: floating-point sums differ otherwise.)
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import LlamaForCausalLM

from tunesmith.core.practice.pretrain.corpus import EASY, FULL, Document, Writer, draw_document, sample_text
from tunesmith.core.practice.pretrain.model import build_model
from tunesmith.core.practice.pretrain.tokenizer import END, PAD, save_tokenizer, train_tokenizer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """The seed, how long each phase lasts in steps of ``tokens`` tokens, and the two peak learning rates."""

    seed: int = 0
    repeat_steps: int = 240
    easy_steps: int = 460
    full_steps: int = 4100
    tokens: int = 4096
    matrix_rate: float = 5e-3
    other_rate: float = 4e-3
    text_documents: int = 12_000
    # Share of documents read whole: it teaches the language, but half of the tokens in it are chance, so it falls.
    whole_until: int = 1500
    whole_before: float = 0.12
    whole_after: float = 0.03

    @property
    def steps(self) -> int:
        """All steps together."""
        return self.repeat_steps + self.easy_steps + self.full_steps


@dataclass(frozen=True)
class Batch:
    """Rows of packed documents, each tensor of shape (rows, length).

    ``document`` numbers the document that a token belongs to (0 is padding); ``trained`` is true where the loss is
    taken on predicting that token.
    """

    ids: torch.Tensor
    document: torch.Tensor
    position: torch.Tensor
    trained: torch.Tensor


def repeat_batch(rng: Random, vocabulary: int, tokens: int, length: int = 128) -> Batch:
    """Random tokens said two or more times over; the loss is on the repetitions."""
    rows = tokens // length
    ids, trained = [], []
    for _ in range(rows):
        row: list[int] = []
        mask: list[bool] = []
        while len(row) < length:
            piece = [rng.randrange(3, vocabulary) for _ in range(rng.randint(4, 40))]
            times = rng.randint(2, 3)
            row += piece * times
            mask += [False] * len(piece) + [True] * (len(piece) * (times - 1))
        ids.append(row[:length])
        trained.append(mask[:length])
    shape = torch.zeros(rows, length, dtype=torch.long)
    return Batch(torch.tensor(ids), shape + 1, shape + torch.arange(length), torch.tensor(trained))


def encode(tokenizer: Tokenizer, document: Document) -> tuple[list[int], list[bool]]:
    """Token ids of a document and, for each, whether the loss is taken on it."""
    ids: list[int] = []
    trained: list[bool] = []
    for (_, flag), part in zip(document, tokenizer.encode_batch([text for text, _ in document]), strict=True):
        ids += part.ids
        trained += [flag] * len(part.ids)
    return ids, trained


def text_batch(
    rng: Random, tokenizer: Tokenizer, mixture: dict[Writer, int], shape: tuple[int, int], whole: float
) -> Batch:
    """Documents packed first-fit into a ``shape`` of rows and length; one that is longer than a row is left out."""
    count, length = shape
    rows: list[list[tuple[list[int], list[bool]]]] = [[] for _ in range(count)]
    room = [length] * len(rows)
    misses = 0
    while misses < 60 and sum(room) > 0.04 * count * length:
        ids, trained = encode(tokenizer, draw_document(rng, mixture, length, whole))
        fits = next((i for i, left in enumerate(room) if left >= len(ids)), None)
        if fits is None:
            misses += 1
            continue
        rows[fits].append((ids, trained))
        room[fits] -= len(ids)
    return _stack(rows, length)


def _stack(rows: list[list[tuple[list[int], list[bool]]]], length: int) -> Batch:
    """Tensors from rows of documents; padding has id 0, document 0 and no loss."""
    shape = (len(rows), length)
    ids, document, position = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    trained = torch.zeros(shape, dtype=torch.bool)
    for r, row in enumerate(rows):
        start = 0
        for number, (tokens, mask) in enumerate(row, start=1):
            end = start + len(tokens)
            ids[r, start:end] = torch.tensor(tokens)
            document[r, start:end] = number
            position[r, start:end] = torch.arange(len(tokens))
            trained[r, start:end] = torch.tensor(mask)
            trained[r, start] = False
            start = end
    return Batch(ids, document, position, trained)


def batch_at(step: int, schedule: Schedule, tokenizer: Tokenizer) -> Batch:
    """The batch of one step: a function of the step and the schedule's seed alone."""
    rng = Random(f"{schedule.seed}-{step}")
    if step < schedule.repeat_steps:
        return repeat_batch(rng, tokenizer.get_vocab_size(), schedule.tokens)
    if step < schedule.repeat_steps + schedule.easy_steps:
        return text_batch(rng, tokenizer, EASY, (schedule.tokens // 192, 192), schedule.whole_before)
    length = min(rng.choices((256, 512, 1024), (84, 13, 3))[0], schedule.tokens)
    whole = schedule.whole_before if step < schedule.whole_until else schedule.whole_after
    return text_batch(rng, tokenizer, FULL, (schedule.tokens // length, length), whole)


def loss_of(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy over the trained tokens; a token sees its own document only."""
    same = batch.document[:, :, None] == batch.document[:, None, :]
    allowed = torch.tril(same)
    mask = torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)[:, None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(
            input_ids=batch.ids, attention_mask=mask, position_ids=batch.position, use_cache=False
        ).last_hidden_state
        chosen = batch.trained[:, 1:]
        logits = model.lm_head(hidden[:, :-1][chosen])
    return functional.cross_entropy(logits.float(), batch.ids[:, 1:][chosen])


def optimizers(model: LlamaForCausalLM, schedule: Schedule) -> list[torch.optim.Optimizer]:
    """Muon (with AdamW's scale of updates) for the layers' matrices; AdamW for embeddings, biases and norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(
            matrices, lr=schedule.matrix_rate, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(others, lr=schedule.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate_factor(step: int, steps: int) -> float:
    """Share of the peak learning rate: 40 steps of warm-up, level to the middle, then linear to a fiftieth."""
    warm = min(1.0, (step + 1) / 40)
    return warm * min(1.0, max(0.02, 2 * (1 - step / steps)))


@dataclass
class Progress:
    """How far a pre-training is: the next step, the tokens seen and the seconds spent, over all sittings."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def train(folder: Path, schedule: Schedule | None = None, every: int = 250, fuse: bool = False) -> LlamaForCausalLM:
    """Train a model from nothing and write it to ``folder``.

    Each ``every`` steps a copy goes to ``folder/latest`` with the state of the optimizers; where such a copy lies, the
    training goes on from it. ``fuse`` compiles the layers (needs a C++ compiler): 1.7 times as fast on two cores, the
    same sums but for rounding.
    """
    schedule = schedule or Schedule()
    tokenizer = train_tokenizer(sample_text(schedule.seed, schedule.text_documents))
    special = tokenizer.get_vocab()
    model = build_model(tokenizer.get_vocab_size(), special[PAD], special[END], schedule.seed)
    model.train()
    parts = optimizers(model, schedule)
    done = _resume(folder / "latest" / "resume.pt", model, parts)
    if fuse:
        model.model.compile(dynamic=False)
    before, started = done.seconds, time.monotonic()
    for loss, tokens in _steps(model, parts, tokenizer, schedule, done.step):
        done.tokens += tokens
        done.seconds = before + time.monotonic() - started
        if done.step % 25 == 0:
            log.info("step %d loss %.4f tokens %d seconds %.0f", done.step, loss, done.tokens, done.seconds)
        done.step += 1
        if done.step % every == 0:
            save(model, tokenizer, folder / "latest")
            _keep(folder / "latest" / "resume.pt", model, parts, done)
    save(model, tokenizer, folder)
    (folder / "pretraining.json").write_text(json.dumps({"seed": schedule.seed, **asdict(done)}) + "\n", "utf-8")
    return model


def _keep(path: Path, model: LlamaForCausalLM, parts: list[torch.optim.Optimizer], done: Progress) -> None:
    """Write all that is needed to go on, aside and then renamed."""
    aside = path.with_suffix(".new")
    kept = {"model": model.state_dict(), "optimizers": [part.state_dict() for part in parts], "done": asdict(done)}
    torch.save(kept, aside)
    aside.replace(path)


def _resume(path: Path, model: LlamaForCausalLM, parts: list[torch.optim.Optimizer]) -> Progress:
    """Take up what ``_keep`` wrote, if it is there; returns how far it had come."""
    if not path.is_file():
        return Progress()
    kept = torch.load(path, weights_only=True)
    model.load_state_dict(kept["model"])
    for part, state in zip(parts, kept["optimizers"], strict=False):
        part.load_state_dict(state)
    return Progress(**kept["done"])


def _steps(
    model: LlamaForCausalLM,
    parts: list[torch.optim.Optimizer],
    tokenizer: Tokenizer,
    schedule: Schedule,
    first: int,
) -> Iterator[tuple[float, int]]:
    """Run the schedule from step ``first``; yields each step's loss and its tokens that were not padding."""
    peaks = (schedule.matrix_rate, schedule.other_rate)
    for step in range(first, schedule.steps):
        batch = batch_at(step, schedule, tokenizer)
        for part, peak in zip(parts, peaks, strict=True):
            part.param_groups[0]["lr"] = peak * rate_factor(step, schedule.steps)
        loss = loss_of(model, batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at step {step}")
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for part in parts:
            part.step()
        model.zero_grad(set_to_none=True)
        yield value, int((batch.document > 0).sum())


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model in float16 and its tokenizer as a Hugging Face folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # The output layer is the embedding once more (tied): written once.
    state = {n: v.detach().to(torch.float16) for n, v in model.state_dict().items() if n != "lm_head.weight"}
    model.generation_config.do_sample = False
    model.generation_config.max_new_tokens = 64
    model.save_pretrained(folder, state_dict=state)
    # The model in memory is float32 and its configuration is written as such; the file holds float16.
    config = folder / "config.json"
    config.write_text(
        json.dumps({**json.loads(config.read_text("utf-8")), "dtype": "float16"}, indent=2) + "\n", "utf-8"
    )
    save_tokenizer(tokenizer, folder)
