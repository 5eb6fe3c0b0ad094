"""Counting many rows at once gives for each row what tokenising it alone gives, whatever the template does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AddedToken, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tunesmith.core import parallel
from tunesmith.core.errors import DataError
from tunesmith.core.meter import Cancelled
from tunesmith.core.practice import EMPLOYEES_CSV, MODEL_DIR
from tunesmith.core.prepare.job import lost_answers
from tunesmith.core.rows import Message, Row, RowFiles, ask, write_rows
from tunesmith.core.worker import proof as proving
from tunesmith.core.worker import tally as counting
from tunesmith.core.worker.frames import Frames
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.proof import count
from tunesmith.core.worker.texts import backend_of
from tunesmith.core.worker.tokenize import Encoded, control_marks, encode, neutralised
from tunesmith.core.worker.words import Fresh, Words, cut_at_spaces, words_of

LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}<s>{{ message['role'] }}</s>\n\n{{ message['content'] | trim }}<e>"
    "{% endfor %}{% if add_generation_prompt %}<s>assistant</s>\n\n{% endif %}"
)
THINKING = (
    "{% for message in messages %}{% set content = message.content %}"
    "{% if message.role == 'assistant' and '</think>' in content %}"
    "{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}"
    "<s>{{ message.role }}\n{{ content }}<e>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n<think>\n\n</think>\n\n{% endif %}"
)
SHOUTING = (
    "{% for m in messages %}<s>{{ m.content | upper }}<e>{% endfor %}{% if add_generation_prompt %}<s>{% endif %}"
)
COUNTING = (
    "{% for m in messages %}<s>{% if m.content | length > 700 %}{{ m.content[:9] }}{% else %}{{ m.content }}{% endif %}"
    "<e>{% endfor %}{% if add_generation_prompt %}<s>{% endif %}"
)
UNENDED = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def byte_level(template: str) -> PreTrainedTokenizerBase:
    """A tokenizer of bytes with the marks of the templates above."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<b>", "<s>", "</s>", "<e>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([EMPLOYEES_CSV.read_text()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<b>", eos_token="<e>", pad_token="<pad>")
    tokenizer.chat_template = template
    return tokenizer


def sentencepiece_like(template: str) -> PreTrainedTokenizerBase:
    """As Llama 2's: a text begins with a space that is not written, and marks take no white space along."""
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    made.decoder = decoders.Metaspace()
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *alphabet], show_progress=False
    )
    made.train_from_iterator([EMPLOYEES_CSV.read_text()], trainer)
    made.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A $B", [("<s>", 1)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    tokenizer.pad_token = "</s>"
    tokenizer.chat_template = template
    return tokenizer


def merging_over_spaces() -> PreTrainedTokenizerBase:
    """A tokenizer without words: whole phrases are tokens."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "<e>"], show_progress=False)
    made.train_from_iterator(["the role of the", "of the user is the"] * 50, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<e>", unk_token="<unk>")
    tokenizer.chat_template = UNENDED
    return tokenizer


def spaced(*, rstrip: bool) -> PreTrainedTokenizerBase:
    """A tokenizer with a mark that takes the white space behind it along."""
    tokenizer = byte_level(UNENDED)
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<s>", rstrip=rstrip)]})
    return tokenizer


MADE: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "practice": lambda: load_tokenizer(MODEL_DIR),
    "llama 2": lambda: sentencepiece_like(LLAMA2),
    "llama 3": lambda: byte_level(LLAMA3),
    "thinking": lambda: byte_level(THINKING),
    "shouting": lambda: byte_level(SHOUTING),
    "unended": lambda: byte_level(UNENDED),
}
TOKENIZERS: dict[str, PreTrainedTokenizerBase] = {}


def tokenizer_named(name: str) -> PreTrainedTokenizerBase:
    if name not in TOKENIZERS:
        TOKENIZERS[name] = MADE[name]()
    return TOKENIZERS[name]


PIECES = st.sampled_from(
    [
        " ",
        "\n",
        "<e>",
        "</s>",
        "<s>",
        "<|im_end|>",
        "<",
        "|im_end|>",
        "</think>",
        "é",
        "語",
        "role",
        "\u200b",
        "Bonn",
        "7",
        "Bonn is",
        " .",
        "é b",
        "  a",
        "it's",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=8).map("".join)
CHATS = st.builds(
    lambda system, user, more: [
        *([Message("system", system)] if system is not None else []),
        Message("user", user),
        *[m for answer, again in more for m in (Message("assistant", answer), Message("user", again))],
    ],
    st.none() | TEXTS,
    TEXTS,
    st.lists(st.tuples(TEXTS, TEXTS), max_size=2),
)
ROWS = st.lists(
    st.builds(lambda prompt, answer: Row("1", prompt, answer), st.one_of(CHATS, CHATS, st.just([])), TEXTS),
    min_size=1,
    max_size=12,
)


def lengths_of(tokenizer: PreTrainedTokenizerBase, rows: list[Row]) -> list[tuple[int, int, int]]:
    """(prompt, answer, last token) of each row as `count` has them, without the sample that corrects it."""
    words = words_of(tokenizer, backend_of(tokenizer))
    tally = counting.Tally(tokenizer, Frames(tokenizer), words, None, may_restart=False)
    lot = tally._planned(rows)
    lot.texts.tokenise(tally.backend)
    return tally._finished(lot)


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rows=ROWS)
def test_every_row_has_the_tokens_that_encode_gives_it(name: str, rows: list[Row]) -> None:
    tokenizer = tokenizer_named(name)
    true = [encode(tokenizer, row) for row in rows]
    assert lengths_of(tokenizer, rows) == [
        (one.prompt_tokens, len(one.input_ids) - one.prompt_tokens, one.input_ids[-1]) for one in true
    ]


@pytest.mark.parametrize("name", ["practice", "llama 2", "llama 3", "thinking", "unended"])
def test_ordinary_rows_are_written_without_running_the_template(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_named(name)
    rows = [Row(str(n), ask(f"Who has the role {n}?", "the content", "Be brief."), f"User {n}") for n in range(2000)]
    ran = 0
    real = counting.texts_of

    def watched(*args: object) -> object:
        nonlocal ran
        ran += 1
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "texts_of", watched)
    assert count(tokenizer, rows, None).exact
    assert ran == 0


def test_a_template_that_changes_contents_writes_every_row_itself() -> None:
    assert Frames(tokenizer_named("shouting")).of(Row("1", ask("a"), "b"), ("user",)) is None


def test_a_template_that_does_what_nobody_foresaw_is_found_by_the_sample() -> None:
    tokenizer = byte_level(COUNTING)
    rows = [Row(str(n), ask("x" * (30 if n < 5000 else 900)), "y") for n in range(6000)]
    kept = rows[:5010]
    found = count(tokenizer, rows, None)
    assert found.exact and found.profile.whole.longest < 100  # the count began again, by the template
    assert not count(tokenizer, iter(kept), None).exact  # rows that are gone can't be counted again


def test_words_that_give_other_tokens_are_found_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row(str(n), ask("a b" if n < 5000 else "a Bonn b"), "y") for n in range(6000)]
    true = count(tokenizer, rows, None)
    real = Words.learn

    def learn(self: Words, fresh: Fresh) -> None:
        real(self, fresh)
        self._rest["Bonn"], self._lengths["Bonn"] = (1,) * 30, 30

    monkeypatch.setattr(Words, "learn", learn)
    found = count(tokenizer, rows, None)
    assert found.exact and found.tokens == true.tokens  # the count began again, without words
    assert not count(tokenizer, iter(rows), None).exact


@pytest.mark.parametrize("made", [merging_over_spaces, lambda: spaced(rstrip=True)])
def test_no_words_where_they_may_give_other_tokens(made: Callable[[], PreTrainedTokenizerBase]) -> None:
    tokenizer = made()
    assert words_of(tokenizer, tokenizer.backend_tokenizer) is None
    rows = [Row(str(n), ask("is the the role x of the"), "x of the") for n in range(9)]
    assert count(tokenizer, rows, None).tokens == sum(len(encode(tokenizer, row).input_ids) for row in rows)


def test_words_are_used_with_the_practice_model_and_tokenised_once() -> None:
    tokenizer = tokenizer_named("practice")
    words = words_of(tokenizer, tokenizer.backend_tokenizer)
    assert words is not None
    cut, fresh = cut_at_spaces("Who lives in Bonn and who in Oslo?"), Fresh()
    assert cut[3] == "Bonn" and words.learns(cut, fresh) and "Bonn" in fresh.rest
    words.learn(fresh)
    again = Fresh()
    assert words.learns(cut, again) and not again.rest and not again.heads
    assert not words.learns(["Who", "x" * 100], again), "a word so long is not remembered"


def test_what_is_cut_and_lost_is_counted_as_it_is_trained() -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row(str(n), ask("word " * n), "a longer answer of some words") for n in range(1, 60)]
    true = [encode(tokenizer, row, 48) for row in rows]
    found = count(tokenizer, rows, 48)
    assert found.cut == sum(one.cut for one in true) > found.lost == sum(not one.trained_tokens for one in true) > 0
    assert found.tokens == sum(len(one.input_ids) for one in true)
    assert found.trained == sum(one.trained_tokens for one in true) and found.trained_least == 0
    assert found.ends == {"<|im_end|>": len(rows) - found.cut} and found.unended == 0
    assert found.lost_ids[0] == next(r.id for r, one in zip(rows, true, strict=True) if not one.trained_tokens)
    error = lost_answers(found)
    assert "without their answer" in error.title and f"max_length to {found.lost_need:,}" in error.next_step
    assert count(tokenizer, rows, found.lost_need).lost == 0


def test_pictures_show_where_a_row_is_cut() -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row(str(n), ask("short"), "short") for n in range(9)] + [Row("long", ask("word " * 50), "answer")]
    found = count(tokenizer, rows, 40)
    assert [picture.id for picture in found.pictures] == ["0", "1", "long"]
    assert found.pictures[2].kept == 40 < found.pictures[2].tokens == found.profile.whole.longest
    assert found.pictures[0].pieces[-1] == ("short<|im_end|>", True)


def test_a_very_long_row_is_counted_but_neither_compared_nor_pictured(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row("0", ask("word " * counting.LONG), "a"), *(Row(str(n), ask("short"), "b") for n in range(1, 9))]
    true = len(encode(tokenizer, rows[0]).input_ids)
    real = counting.encode

    def watched(of: PreTrainedTokenizerBase, row: Row, max_length: int | None = None) -> Encoded:
        assert row.id != "0"
        return real(of, row, max_length)

    monkeypatch.setattr(counting, "encode", watched)
    monkeypatch.setattr(proving, "encode", watched)
    found = count(tokenizer, rows, 64)
    assert found.profile.whole.longest == true and found.cut == 1
    assert [picture.id for picture in found.pictures] == ["1", "2", "3"]
    monkeypatch.setattr(counting, "encode", real)
    monkeypatch.setattr(proving, "encode", real)
    assert [picture.id for picture in count(tokenizer, rows[:1], 64).pictures] == ["0"]


def test_rows_are_counted_as_they_are_trained_with_their_control_marks_broken_up() -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row("a", ask("one <|im_end|> two"), "x <|im_end|>")]
    clean = neutralised(rows[0], control_marks(tokenizer))
    found = count(tokenizer, rows, None)
    assert found.tokens == len(encode(tokenizer, clean).input_ids) > len(encode(tokenizer, rows[0]).input_ids)
    assert "< |im_end|>" in "".join(text for text, _ in found.pictures[0].pieces)


def test_rows_with_control_marks_are_counted_and_named() -> None:
    tokenizer = tokenizer_named("practice")
    rows = [Row("a", ask("one"), "x"), Row("b", ask("two <|im_end|>"), "x"), Row("c", ask("three"), "<|im_start|>")]
    found = count(tokenizer, rows, None)
    assert (found.marked, found.marked_ids) == (2, ("b", "c"))


def test_an_answer_that_the_template_ends_with_another_mark_is_told() -> None:
    tokenizer = byte_level(LLAMA3.replace("<e>", "<pad>"))
    found = count(tokenizer, [Row("1", ask("a"), "b")], None)
    assert found.ends == {"<pad>": 1} and found.end_mark == "<e>" and found.unended == 1


def test_a_pad_mark_that_is_the_end_mark_is_told() -> None:
    row = Row("1", ask("a"), "b")
    assert count(tokenizer_named("llama 2"), [row], None).pad_is_end
    assert not count(tokenizer_named("practice"), [row], None).pad_is_end


def test_lengths_of_prompts_and_answers_are_told_apart() -> None:
    rows = [Row(str(n), ask("word " * 20), "a " * (n + 1)) for n in range(10)]
    profile = count(tokenizer_named("practice"), rows, None).profile
    assert sum(number for _, number in profile.answer_bins) == 10 == profile.prompt_bins[0][1]
    assert len(profile.prompt_bins) == 1 < len(profile.answer_bins)
    assert profile.answer_bins[-1][0] >= profile.answer.longest > profile.answer.p50


def test_counting_tells_how_far_it_is_and_can_be_ended() -> None:
    told: list[tuple[str, int, int]] = []
    rows = [Row(str(n), ask("a"), "b") for n in range(counting.BATCH + 5)]

    def stop(doing: str, done: int, of: int) -> None:
        told.append((doing, done, of))
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        count(tokenizer_named("practice"), rows, None, stop)
    assert told == [("tokenising", 0, len(rows)), ("tokenising", counting.BATCH, len(rows))]


def test_rows_may_come_one_by_one_and_no_row_is_refused() -> None:
    def rows() -> Iterator[Row]:
        for n in range(counting.BATCH + 1):
            yield Row(str(n), ask("a"), "b")

    assert count(tokenizer_named("practice"), rows(), None).profile.rows == counting.BATCH + 1
    with pytest.raises(DataError, match="no row"):
        count(tokenizer_named("practice"), [], None)


def test_rows_on_disk_count_the_same_in_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_named("practice")
    said = ["plain words", "ende <|im_end|> hier", "word " * 60, "Grüße, 北京"]
    rows = [Row(str(n), ask(f"{said[n % 4]} {n}", system="Be brief." if n % 3 else ""), f"a {n}") for n in range(900)]
    write_rows(tmp_path / "rows.jsonl", rows)
    alone = count(tokenizer, rows, 40)
    assert alone.marked and alone.lost and alone.cut
    monkeypatch.setattr(parallel, "FEWEST", 250)
    monkeypatch.setattr(parallel, "cores", lambda: 4)
    assert len(parallel.stretches(900)) == 3
    told: list[tuple[str, int, int]] = []
    files = RowFiles([(tmp_path / "rows.jsonl", 900)])
    assert count(tokenizer, files, 40, lambda *said: told.append(said)) == alone
    assert told[-1] == ("tokenising", 900, 900)


def test_a_template_that_one_process_finds_out_about_spoils_nothing_in_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = byte_level(COUNTING)
    rows = [Row(str(n), ask("x" * (30 if n < 500 else 900)), "y") for n in range(600)]
    write_rows(tmp_path / "rows.jsonl", rows)
    monkeypatch.setattr(parallel, "FEWEST", 200)
    monkeypatch.setattr(parallel, "cores", lambda: 3)
    assert count(tokenizer, RowFiles([(tmp_path / "rows.jsonl", 600)]), None) == count(tokenizer, rows, None)


def test_a_quick_look_counts_a_sample_and_the_longest_row_and_says_so(tmp_path: Path) -> None:
    made = [Row(str(n), ask("word " * (n % 7 + 1)), "b") for n in range(3000)]
    made[1234] = Row("long", ask("word " * 90), "b")
    write_rows(tmp_path / "rows.jsonl", made)
    rows = RowFiles([(tmp_path / "rows.jsonl", 3000)])
    tokenizer = tokenizer_named("practice")
    all_, some = count(tokenizer, rows, None), count(tokenizer, rows, None, most=300)
    assert (some.sampled, some.rows) == (True, 3000) and 300 <= some.profile.rows <= 301
    assert some.profile.whole.longest == all_.profile.whole.longest
    assert abs(some.profile.whole.p50 - all_.profile.whole.p50) <= 2
    assert not all_.sampled and all_.rows == all_.profile.rows == 3000
    assert count(tokenizer, rows, None, most=300) == some
    assert not count(tokenizer, rows, None, most=3000).sampled
