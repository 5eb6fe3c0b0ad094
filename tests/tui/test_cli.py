"""What a person or a script meets at the command line: answers, messages and exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import __version__
from tunesmith.core.events import EventWriter, StageStarted, Validation
from tunesmith.core.plan_yaml import validate, write_plan
from tunesmith.core.run import create_run
from tunesmith.tui.failures import tell

from .conftest import Command


def refused(done: subprocess.CompletedProcess[str], *said: str) -> None:
    """The command ended with code 2, said this, and showed no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for words in said:
        assert words in done.stderr, done.stderr


def test_version_and_help_answer(tunesmith: Command) -> None:
    assert tunesmith("--version").stdout == f"tunesmith {__version__}\n"
    text = tunesmith("--help").stdout
    for command in ("demo", "run", "plan", "models", "fetch", "runs", "attach", "stop", "serve", "doctor"):
        assert f"\n  {command} " in text
    assert "Exit codes" in text


def test_a_word_that_is_no_command_is_a_usage_error(tunesmith: Command) -> None:
    done = tunesmith("dmeo")
    assert done.returncode == 2
    assert "No such command 'dmeo'" in done.stderr


def test_runs_says_how_to_begin_where_there_are_none(tunesmith: Command) -> None:
    done = tunesmith("runs")
    assert done.returncode == 0
    assert "Start one with `tunesmith demo`" in done.stdout
    assert json.loads(tunesmith("runs", "--json").stdout) == []


def test_runs_tells_the_newest_score_by_the_metric_of_its_plan(
    tunesmith: Command, runs_folder: Path, plan_tree: dict[str, Any]
) -> None:
    run = create_run("summaries", runs_folder)
    write_plan(run.plan_path, validate(plan_tree))
    writer = EventWriter(run.events_path)
    writer.write(StageStarted(stage="finetune"))
    writer.write(Validation(step=20, loss=0.5, exact_match=0.0, f1=0.3, rows=4, metric="rouge_l", score=0.45))
    writer.close()
    assert "\tFine-tune, step 20, ROUGE-L 45.0 %\t" in tunesmith("runs").stdout
    told = json.loads(tunesmith("runs", "--json").stdout)[0]
    assert (told["metric"], told["score"], told["how_far"]) == ("rouge_l", 0.45, "Fine-tune, step 20, ROUGE-L 45.0 %")


@pytest.mark.parametrize("command", ["attach", "stop", "serve"])
def test_commands_on_a_run_say_that_there_is_none(tunesmith: Command, command: str) -> None:
    refused(tunesmith(command), "There are no runs yet.")


def test_a_missing_plan_is_named(tunesmith: Command) -> None:
    refused(tunesmith("run", "nowhere.yaml"), "There is no plan at nowhere.yaml.", "tunesmith plan new")
    refused(tunesmith("plan", "check", "nowhere.yaml"), "There is no plan at nowhere.yaml.")


def test_only_and_from_exclude_each_other(tunesmith: Command) -> None:
    refused(tunesmith("run", "x.yaml", "--only", "prepare", "--from", "select"), "--only and --from were both given.")


def test_a_setting_without_a_value_is_refused(tunesmith: Command) -> None:
    refused(tunesmith("plan", "new", "practice", "--set", "select.lora.rank"), "says no value", "PATH=VALUE")


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest(tunesmith: Command) -> None:
    done = tunesmith("plan", "new", "practice", "--set", "select.lora.rnak=8")
    refused(done, "`select.lora.rnak` is not a setting of a plan.", "Did you mean `rank`?")


def test_missing_data_is_named(tunesmith: Command, here: Path) -> None:
    (here / "employees.csv").write_text("name,team\nA B,x\n")
    refused(tunesmith("plan", "new", "employee.csv"), "employee.csv", "employees.csv")


def test_data_that_can_not_be_used_is_named_with_its_line(tunesmith: Command, here: Path) -> None:
    (here / "empty.csv").write_text("")
    refused(tunesmith("plan", "new", "empty.csv"), "empty.csv", "is empty")
    (here / "rows.jsonl").write_text('{"question": \n{"answer"\n')
    refused(tunesmith("plan", "new", "rows.jsonl"), "rows.jsonl: line 1")


def test_a_folder_that_is_no_model_is_named(tunesmith: Command, here: Path) -> None:
    (here / "folder").mkdir()
    refused(tunesmith("plan", "new", "practice", "--model", "folder"), "folder", "config.json")


def test_an_existing_plan_is_not_overwritten_unasked(tunesmith: Command, here: Path) -> None:
    (here / "plan.yaml").write_text("mine")
    refused(tunesmith("plan", "new", "practice"), "plan.yaml exists already.", "--force")
    assert (here / "plan.yaml").read_text() == "mine"
    refused(tunesmith("plan", "new", "practice", "--out", "no/such/plan.yaml"), "There is no folder")


def test_runs_that_can_not_be_kept_are_refused_before_anything_starts(tunesmith: Command, here: Path) -> None:
    (here / "file").touch()
    done = tunesmith("demo", TUNESMITH_RUNS=str(here / "file" / "runs"))
    refused(done, "A run can't be kept in", "Set TUNESMITH_RUNS")


def test_a_plan_for_the_practice_data_is_complete_and_explained(tunesmith: Command, here: Path) -> None:
    done = tunesmith("plan", "new", "practice")
    assert done.returncode == 0, done.stderr
    assert "⟦" in done.stdout  # a row with its trained part marked
    assert "it fits" in done.stdout
    text = (here / "plan.yaml").read_text()
    assert text.count("#") > 40
    checked = tunesmith("plan", "check", "plan.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "is a valid plan" in checked.stdout
    (here / "plan.yaml").write_text(text.replace("rank:", "rnak:"))
    refused(tunesmith("plan", "check", "plan.yaml"), "plan.yaml: line ", "Did you mean `rank`?")


def test_a_plan_as_json_is_for_scripts(tunesmith: Command) -> None:
    done = tunesmith("plan", "new", "practice", "--json", "--set", "select.lora.rank=8")
    made = json.loads(done.stdout)
    assert made["plan"]["select"]["lora"]["rank"] == 8
    assert made["rows"]["train"] > made["rows"]["test"] > 0
    assert made["memory"]["total"] > 0
    assert "select.lora.rank" in made["reasons"]


def test_a_plan_goes_to_another_tool_and_comes_back(tunesmith: Command, here: Path) -> None:
    assert tunesmith("plan", "new", "practice", "--set", "select.lora.rank=24").returncode == 0
    done = tunesmith("plan", "export", "plan.yaml", "--as", "axolotl", "--out", "there")
    assert done.returncode == 0, done.stderr
    assert "What Axolotl can't say" in done.stdout
    assert "Run it with  cd there && axolotl train axolotl.yaml" in done.stdout
    assert (here / "there" / "data" / "train.jsonl").exists()
    words = ("plan", "import", "there/axolotl.yaml", "--data", "practice", "--out", "back.yaml")
    back = tunesmith(*words)
    assert back.returncode == 0, back.stderr
    assert "A file of Axolotl: " in back.stdout
    assert "test_datasets: the validation rows are split off the data" in back.stdout
    assert "    rank: 24\n" in (here / "back.yaml").read_text()
    refused(tunesmith(*words), "back.yaml exists already.")
    told = json.loads(tunesmith(*words, "--force", "--json", "--set", "select.method=full").stdout)
    assert (told["tool"], told["plan"]["select"]["method"]) == ("axolotl", "full")
    assert {one["path"] for one in told["dropped"]} == {"test_datasets"}


def test_an_export_as_json_is_for_scripts(tunesmith: Command, here: Path) -> None:
    tunesmith("plan", "new", "practice")
    words = ("plan", "export", "plan.yaml", "--as", "trl", "--out", "there")
    told = json.loads(tunesmith(*words, "--json").stdout)
    assert told["command"] == "trl sft --config sft.yaml"
    assert told["rows"]["train"] > 0
    assert {"path", "why"} == told["dropped"][0].keys()
    refused(tunesmith(*words), "there is not empty.", "--force")
    refused(tunesmith("plan", "export", "nowhere.yaml", "--as", "trl", "--out", "x"), "There is no plan at")


def test_an_option_with_names_of_its_own_says_them_and_takes_them_however_they_are_written(tunesmith: Command) -> None:
    for words, wrong, names in (
        (("prepare", "practice", "--as"), "xml", "jsonl, parquet, openai"),
        (("plan", "export", "plan.yaml", "--out", "x", "--as"), "unsloth", "trl, axolotl, llamafactory"),
        (("run", "plan.yaml", "--only"), "train", "understand, prepare, select, finetune, evaluate, productionize"),
        (("fit", "practice", "--method"), "dora", "full, lora, qlora, qlora-8bit, qlora-fp4"),
        (("models", "--sort"), "age", "fits, size, licence"),
    ):
        refused(tunesmith(*words, wrong), f"Error: Invalid value for '{words[-1]}': '{wrong}' is not one of {names}.")
    refused(tunesmith("plan", "export", "nowhere.yaml", "--as", "LLaMA-Factory", "--out", "x"), "There is no plan at")


def test_an_import_says_which_data_is_missing_and_what_it_can_not_take(tunesmith: Command, here: Path) -> None:
    (here / "sft.yaml").write_text("model_name_or_path: x/y\ndataset_name: org/rows\nlora_r: 8\n")
    refused(tunesmith("plan", "import", "sft.yaml"), "names no data that is here.", "no file org/rows", "--data")
    (here / "sft.yaml").write_text("base_model: x/y\nrl: dpo\n")
    refused(tunesmith("plan", "import", "sft.yaml"), "trains by preference or reward (dpo)")
    refused(tunesmith("plan", "import", "nowhere.yaml"), "nowhere.yaml")


def test_an_import_keeps_what_the_file_says_of_the_rows_that_are_named_beside_it(
    tunesmith: Command, here: Path
) -> None:
    (here / "file.yaml").write_text("base_model: x/y\nadapter: lora\nval_set_size: 0.1\n")
    done = tunesmith("plan", "import", "file.yaml", "--data", "practice", "--model", "practice", "--json")
    assert json.loads(done.stdout)["plan"]["prepare"]["split"]["validation"] == 0.1


def test_the_schema_is_printed_or_written(tunesmith: Command, here: Path) -> None:
    printed = json.loads(tunesmith("plan", "schema").stdout)
    assert printed["title"] == "Tunesmith plan"
    assert tunesmith("plan", "schema", "--out", "s.json").returncode == 0
    assert json.loads((here / "s.json").read_text()) == printed
    refused(tunesmith("plan", "schema", "--out", "."), "is a folder")


def test_the_doctor_tells_what_is_there(tunesmith: Command) -> None:
    done = tunesmith("doctor")
    assert "torch" in done.stdout
    checks = json.loads(tunesmith("doctor", "--json").stdout)
    assert {check["state"] for check in checks} <= {"ok", "note", "problem"}


def test_an_unexpected_error_is_a_sentence_and_a_log(runs_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ZeroDivisionError("oh")
    except ZeroDivisionError as error:
        assert tell(error) == 1
    said = capsys.readouterr().err
    assert "Something unexpected went wrong: ZeroDivisionError: oh" in said
    log = Path(said.rpartition("The details are in ")[2].strip().rstrip("."))
    assert "ZeroDivisionError" in log.read_text()
    assert "Traceback" not in said


def test_a_plan_for_a_card_that_is_not_here(tunesmith: Command, here: Path) -> None:
    made = tunesmith("plan", "new", "practice", "--gpu", "2xrtx4090")
    assert made.returncode == 0, made.stderr
    assert "from the rate and bandwidth of RTX 4090 24 GB" in made.stdout
    assert "It is planned for 2xrtx4090, from a table of cards: run it there." in made.stdout
    plan = (here / "plan.yaml").read_text()
    assert "gpu: 2xrtx4090" in plan and "price_hour: 0.78" in plan
    checked = tunesmith("plan", "check", "plan.yaml")
    assert checked.returncode == 0
    assert "its memory is from a table of cards, not measured here" in " ".join(checked.stdout.split())
    wrong = tunesmith("plan", "new", "practice", "--gpu", "rtx4900", "-o", "other.yaml")
    assert wrong.returncode == 2
    assert "Did you mean rtx4090" in wrong.stderr
