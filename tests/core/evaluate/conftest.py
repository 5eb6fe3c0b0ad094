"""A tiny model with random weights, and runs that look as Fine-tune leaves them; the heavy libraries load on demand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.events import EventWriter
from tunesmith.core.plan_yaml import validate, write_plan
from tunesmith.core.records import write_record
from tunesmith.core.rows import Row, ask, write_rows
from tunesmith.core.run import create_run
from tunesmith.core.worker.job import Job

FIELDS = ["name", "department", "hire_date", "salary"]
QUESTIONS = [
    {"ask": "When was {name} hired?", "answer": "{hire_date}"},
    {"ask": "Which department does {name} work in?", "answer": "{department}"},
    {"ask": "What is {name}'s salary?", "answer": "{salary}"},
]
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message['content'] }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

PEOPLE = [
    {"id": "1001", "name": "Alice Smith", "department": "Engineering", "hire_date": "2020-04-10", "salary": "85000"},
    {
        "id": "1002",
        "name": "Omar Haddad",
        "department": "Human Resources",
        "hire_date": "2011-12-01",
        "salary": "52500",
    },
    {"id": "1003", "name": "Zoe O'Neill", "department": "Sales", "hire_date": "2008-02-29", "salary": "140000"},
    {"id": "1004", "name": "Wei Chen", "department": "Legal", "hire_date": "2023-07-15", "salary": "61500"},
]


def rows_of(people: list[dict[str, str]], system: str = "") -> list[Row]:
    rows = []
    for person in people:
        context = write_record(person, FIELDS, "name", "lines")
        for number, template in enumerate(QUESTIONS):
            question, answer = template["ask"].format(**person), template["answer"].format(**person)
            rows.append(
                Row(
                    id=f"{person['id']}.{number}",
                    prompt=ask(question, context, system),
                    answer=answer,
                    group=person["name"],
                    context=context,
                    question=question,
                    record=person,
                )
            )
    return rows


@pytest.fixture
def test_rows() -> list[Row]:
    return rows_of(PEOPLE)


@pytest.fixture
def tree(plan_tree: dict[str, Any]) -> dict[str, Any]:
    """The shared plan with this folder's questions and all probes."""
    changed = copy.deepcopy(plan_tree)
    changed["prepare"] |= {"fields": FIELDS, "questions": QUESTIONS, "layouts": ["lines", "list", "json", "prose"]}
    changed["evaluate"] |= {
        "max_new_tokens": 8,
        "resamples": 200,
        "probes": ["context-withheld", "fields-reordered", "values-invented", "as-prose"],
    }
    return changed


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Llama of some 100,000 random weights and a tokenizer of its own, in Hugging Face layout."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "base"
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    backend.train_from_iterator([row.prompt[-1].content for row in rows_of(PEOPLE)], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|pad|>")
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,  # large, so that no two tokens are nearly alike and greedy answers are stable
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_adapter(job: Job, base: Path) -> None:
    """A random adapter that changes answers, as Fine-tune would save one."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(1)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora).save_pretrained(job.run.adapter)
    AutoTokenizer.from_pretrained(base).save_pretrained(job.run.adapter)


def write_whole(job: Job, base: Path) -> None:
    """Other weights of the same shape, as full fine-tuning would save them."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM

    torch.manual_seed(2)
    LlamaForCausalLM(AutoConfig.from_pretrained(base)).save_pretrained(job.run.merged)
    AutoTokenizer.from_pretrained(base).save_pretrained(job.run.merged)


@pytest.fixture
def make_job(tree: dict[str, Any], test_rows: list[Row], runs_folder: Path) -> Callable[..., Job]:
    """A run with its plan and test rows, and no tuned model yet; `model` is the base's folder."""

    def make(model: Path | str = "practice", method: str = "lora") -> Job:
        tree["select"] |= {"model": str(model), "method": method}
        if method == "full":
            tree["select"].pop("lora", None)
        if method == "qlora":
            tree["select"]["quantization"] = {"type": "nf4", "double": True}
        plan = validate(tree)
        run = create_run(plan.name, runs_folder)
        write_plan(run.plan_path, plan)
        write_rows(run.rows_path("test"), test_rows)
        return Job(run, plan, EventWriter(run.events_path))

    return make


@pytest.fixture
def tuned_job(make_job: Callable[..., Job], tiny_model: Path) -> Callable[[str], Job]:
    """A run that Fine-tune has finished by lora, qlora or full."""

    def make(method: str) -> Job:
        job = make_job(tiny_model, method)
        (write_whole if method == "full" else write_adapter)(job, tiny_model)
        return job

    return make
