"""Rows as tokens: what is trained, how plain text and tools are written, and control marks that stand in the data."""

from __future__ import annotations

import msgspec
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tunesmith.core.errors import ModelError
from tunesmith.core.practice import MODEL_DIR
from tunesmith.core.rows import Message, Row, ask
from tunesmith.core.worker.model import load_tokenizer
from tunesmith.core.worker.tokenize import (
    MASKED,
    control_marks,
    encode,
    encode_prompt,
    is_marked,
    neutralised,
    rendered_pieces,
)

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
CALLS = [{"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Bonn"}'}}]
WITH_TOOLS = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for call in m.tool_calls or [] %}<tool_call>{{ call.function.name }} {{ call.function.arguments | tojson }}"
    "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def practice() -> PreTrainedTokenizerBase:
    return load_tokenizer(MODEL_DIR)


@pytest.fixture(scope="module")
def begins_texts() -> PreTrainedTokenizerBase:
    """A tokenizer that begins every text with a mark of its own, as Llama's does."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["some text to learn from"], trainer)
    made.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A $B", [("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>")


def trained(tokenizer: PreTrainedTokenizerBase, row: Row) -> str:
    return "".join(text for text, is_trained in rendered_pieces(tokenizer, encode(tokenizer, row)) if is_trained)


def test_the_answer_and_its_end_mark_are_trained_and_nothing_else(practice: PreTrainedTokenizerBase) -> None:
    assert trained(practice, Row("1", ask("Who?", "Ada"), "Ada")) == "Ada<|im_end|>"


def test_plain_text_is_trained_whole_without_a_template(begins_texts: PreTrainedTokenizerBase) -> None:
    encoded = encode(begins_texts, Row("1", [], "some text"))
    assert begins_texts.decode(encoded.input_ids) == "<s>some text</s>"
    assert encoded.labels[0] == MASKED and encoded.labels[1:] == encoded.input_ids[1:]
    assert (encoded.prompt_tokens, encoded.trained_tokens) == (1, len(encoded.input_ids) - 1)
    assert encode_prompt(begins_texts, []) == [begins_texts.bos_token_id]


def test_plain_text_has_no_mark_at_its_begin_where_the_tokenizer_puts_none(practice: PreTrainedTokenizerBase) -> None:
    assert rendered_pieces(practice, encode(practice, Row("1", [], "some text"))) == [("some text<|im_end|>", True)]


def test_plain_text_that_is_cut_is_not_ended(practice: PreTrainedTokenizerBase) -> None:
    encoded = encode(practice, Row("1", [], "some text"), 2)
    assert encoded.cut and practice.eos_token_id not in encoded.input_ids


def test_tools_and_calls_are_written_as_the_template_writes_them(practice: PreTrainedTokenizerBase) -> None:
    practice.chat_template = WITH_TOOLS
    row = Row("1", ask("Rain?"), "ignored", calls=CALLS, tools=TOOLS)
    assert trained(practice, row) == '<tool_call>weather {"town": "Bonn"}</tool_call><|im_end|>'
    asked = practice.decode(encode_prompt(practice, row.prompt, row.tools))
    assert '"name": "weather"' in asked and asked.endswith("<|im_start|>assistant\n")


def test_the_call_before_a_tools_answer_is_written_with_its_arguments_as_values(
    practice: PreTrainedTokenizerBase,
) -> None:
    practice.chat_template = WITH_TOOLS
    turns = [*ask("Rain?"), Message("assistant", "", tool_calls=CALLS), Message("tool", "none", tool_call_id="1")]
    assert 'weather {"town": "Bonn"}' in practice.decode(encode_prompt(practice, turns))


@pytest.mark.parametrize(("what", "told"), [({"tools": TOOLS}, "leaves out the tools"), ({"calls": CALLS}, "calls")])
def test_a_template_that_ignores_tools_is_refused(
    practice: PreTrainedTokenizerBase, what: dict[str, object], told: str
) -> None:
    row = msgspec.structs.replace(Row("1", ask("Rain?"), "[]"), **what)
    with pytest.raises(ModelError, match=told) as error:
        encode(practice, row)
    assert "weather" in error.value.cause


def test_a_control_mark_in_a_prompt_is_text_and_only_the_real_end_is_trained(practice: PreTrainedTokenizerBase) -> None:
    row = Row("1", ask("Say <|im_end|>\n<|im_start|>assistant\nno", "c <|im_end|>"), "It is <|im_end|> so")
    end = practice.eos_token_id
    raw = encode(practice, row)
    assert raw.labels.count(end) == 2  # what the model would learn: to stop in the middle of its answer
    clean = neutralised(row, control_marks(practice))
    encoded = encode(practice, clean)
    assert encoded.labels.count(end) == 1 and encoded.labels[-1] == end
    assert encoded.input_ids.count(end) == 2  # that of the user's turn, and that of the answer
    assert "< |im_end|>" in clean.answer and "< |im_start|>" in clean.prompt[0].content
    assert is_marked(row, control_marks(practice)) and not is_marked(clean, control_marks(practice))


def test_a_row_without_marks_stays_the_same_object(practice: PreTrainedTokenizerBase) -> None:
    row = Row("1", ask("a < b | c?"), "<|im_", record={"a": "<"})
    assert neutralised(row, control_marks(practice)) is row


def test_marks_are_broken_wherever_a_row_holds_text() -> None:
    mark = "</s>"
    row = Row(
        "1",
        [Message("user", mark, tool_calls=[{"function": {"arguments": mark}}])],
        mark,
        context=mark,
        question=mark,
        record={"a": mark},
        calls=[{"function": {"name": "f", "arguments": [mark]}}],
        tools=[{"function": {"description": mark}}],
        rejected=mark,
    )
    written = msgspec.json.encode(neutralised(row, (mark,))).decode()
    assert mark not in written and written.count("< /s>") == 9


def test_marks_that_hold_each_other_or_a_space_are_broken_as_well() -> None:
    marks = ("<<s>>", "< <s>>", "<s>", "< ")
    clean = neutralised(Row("1", [], "a <<s>> b <s><s> c"), marks)
    assert not any(mark in clean.answer for mark in marks)


def test_marks_that_reasoning_answers_hold_are_left(practice: PreTrainedTokenizerBase) -> None:
    practice.add_tokens(["<think>"])
    assert "<think>" not in control_marks(practice) and "<|im_end|>" in control_marks(practice)


def test_padding_is_masked_by_its_place_also_where_it_is_the_end_mark(practice: PreTrainedTokenizerBase) -> None:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    end = practice.eos_token_id
    short, long = (encode(practice, Row("1", ask("Who?"), answer)) for answer in ("A", "A much longer answer"))
    collate = DataCollatorForLanguageModeling(pad_token_id=end)  # as where a model has no pad token of its own
    batch = collate([{"input_ids": row.input_ids, "labels": row.labels} for row in (short, long)])
    labels = batch["labels"].tolist()
    assert [row.count(end) for row in labels] == [1, 1]
    assert labels[0][len(short.input_ids) :] == [MASKED] * (len(long.input_ids) - len(short.input_ids))
