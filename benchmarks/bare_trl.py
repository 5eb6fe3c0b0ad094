"""The script that a person would write for the same plan: TRL alone, reading rows of prompt and completion.

    python benchmarks/bare_trl.py PLAN ROWS

ROWS is JSON lines with `prompt` and `completion`, both lists of messages. Prints, as JSON, when it began, when its
first step was done, and its pace between the first and the last step.
"""

import json
import os
import sys
import time

BEGAN = time.time()
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
import yaml  # noqa: E402
from datasets import load_dataset  # noqa: E402
from peft import LoraConfig  # noqa: E402
from transformers import TrainerCallback  # noqa: E402
from trl import SFTConfig, SFTTrainer  # noqa: E402


class Clock(TrainerCallback):
    first = last = 0.0

    def on_step_end(self, args, state, control, **kwargs):
        self.last = time.time()
        self.first = self.first or self.last


def main(plan_path: str, rows: str, output: str) -> None:
    with open(plan_path) as file:  # noqa: PTH123
        select = yaml.safe_load(file)["select"]
    knobs, lora = select["hyperparameters"], select["lora"]
    clock = Clock()
    trainer = SFTTrainer(
        model=select["model"],
        args=SFTConfig(
            output_dir=output,
            learning_rate=knobs["learning_rate"],
            lr_scheduler_type=knobs["schedule"],
            warmup_steps=knobs["warmup"],
            num_train_epochs=knobs["epochs"],
            per_device_train_batch_size=knobs["batch_size"],
            gradient_accumulation_steps=knobs["accumulation"],
            weight_decay=knobs["weight_decay"],
            max_grad_norm=knobs["max_grad_norm"],
            optim=knobs["optimizer"],
            activation_checkpointing=knobs["gradient_checkpointing"],
            max_length=knobs["max_length"],
            seed=knobs["seed"],
            use_cpu=select["device"] == "cpu",
            bf16=select["precision"] == "bf16",
            fp16=select["precision"] == "fp16",
            logging_steps=10,
            save_strategy="no",
            disable_tqdm=True,
            report_to=[],
        ),
        train_dataset=load_dataset("json", data_files=rows, split="train"),
        peft_config=LoraConfig(
            r=lora["rank"],
            lora_alpha=lora["alpha"],
            lora_dropout=lora["dropout"],
            target_modules=lora["target_modules"],
            task_type="CAUSAL_LM",
        ),
        callbacks=[clock],
    )
    trainer.train()
    steps = trainer.state.global_step
    found = {"began": BEGAN, "first": clock.first, "steps": steps, "pace": (steps - 1) / (clock.last - clock.first)}
    print("\n" + json.dumps(found | {"threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
