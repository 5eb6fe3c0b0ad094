"""A small real run: the practice model on a few invented records, seconds instead of minutes."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

from tunesmith.core.plan_yaml import validate, write_plan
from tunesmith.core.rows import Row, ask, write_rows
from tunesmith.core.run import Run, create_run


def make_rows(count: int, seed: int = 0) -> list[Row]:
    """Questions about rooms and their colours; none of it is the employees' format."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        colour, floor = rng.choice(("red", "blue", "green")), str(rng.randint(1, 9))
        context = f"Room: R{number}, Colour: {colour}, Floor: {floor}"
        question = f"Which colour has R{number}?"
        rows.append(
            Row(
                id=str(number),
                prompt=ask(question, context),
                answer=colour,
                group=f"R{number}",
                context=context,
                question=question,
                record={"Room": f"R{number}", "Colour": colour, "Floor": floor},
            )
        )
    return rows


def make_run(root: Path, tree: dict[str, Any], *, steps: int = 12, save_every: int = 4, **select: Any) -> Run:
    """A run with its rows prepared; `steps` steps of 4 rows, scored at the beginning and at the end.

    Nothing is asked before the training unless the tree says so.
    """
    tree = copy.deepcopy(tree)
    tree["understand"].setdefault("evidence", {"shots": []})
    tree["select"] |= select
    tree["select"]["hyperparameters"] |= {"batch_size": 4, "epochs": steps * 4 / 24, "max_length": 96}
    tree["finetune"] |= {
        "log_every": 1,
        "evaluate_every": steps,
        "save_every": save_every,
        "validation_rows": 2,
        "keep_checkpoints": 10,
    }
    run = create_run("small", root)
    write_plan(run.plan_path, validate(tree))
    rows = make_rows(36)
    write_rows(run.rows_path("train"), rows[:24])
    write_rows(run.rows_path("validation"), rows[24:28])
    write_rows(run.rows_path("test"), rows[28:])
    return run
