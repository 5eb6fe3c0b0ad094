"""A person's answers: kept before anything else happens, settled, stale when something before them changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.facts_kit import facts
from tunesmith.core.errors import AccessError, PlanError, RunError
from tunesmith.core.plan_yaml import read_plan, write_plan
from tunesmith.core.prepare.prepared import Preview
from tunesmith.core.project import Project, list_projects, named_data, new_project, open_plan, project_of
from tunesmith.core.project_file import read_saved, saved_projects, unfinished
from tunesmith.core.run import create_run, list_runs
from tunesmith.core.survey import Survey

SEEN = Survey(facts(), Preview(10, 10, 0, {"train": 8, "validation": 1, "test": 1}, [], []))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = new_project("practice", tmp_path)
    made.measured(SEEN)
    return made


def again(project: Project) -> Project:
    opened = Project(project.folder, read_saved(project.folder))
    opened.measured(SEEN)
    return opened


def test_an_answer_is_on_disk_at_once(project: Project) -> None:
    assert project.wish("select.lora.rank", 32) is False
    assert again(project).plan.select.lora.rank == 32  # type: ignore[union-attr]
    project.take_back("select.lora.rank")
    assert "select.lora.rank" not in again(project).wishes


def test_an_impossible_answer_changes_nothing(project: Project) -> None:
    project.wish("select.lora.rank", 32)
    with pytest.raises(PlanError, match="rank"):
        project.wish("select.lora.rank", 0)
    assert project.wishes["select.lora.rank"] == 32
    assert again(project).wishes["select.lora.rank"] == 32


def test_what_decides_the_measurement_asks_for_a_new_one(project: Project) -> None:
    assert project.wish("prepare.split.test", 0.2) is True
    assert project.wish("understand.threshold", 0.5) is False
    assert project.wish("select.model", "org/other") is True


def test_a_stage_is_settled_until_something_before_it_changes_it(project: Project) -> None:
    assert project.standing("select") == "open"
    project.accept("select")
    assert project.standing("select") == "settled"
    assert project.changed_since("select") == []
    project.wish("select.lora.rank", 32)
    assert project.standing("select") == "stale"
    told = [(one.title, one.before, one.after) for one in project.changed_since("select")]
    assert told[0] == ("rank (r)", "16", "32") and told[1][0] == "alpha"
    project.take_back("select.lora.rank")
    assert project.standing("select") == "settled"
    assert again(project).standing("select") == "settled"


def test_nothing_is_known_before_it_is_measured(tmp_path: Path) -> None:
    blank = new_project("practice", tmp_path)
    for what in ("plan", "reasons", "facts", "outlook"):
        with pytest.raises(RunError, match="Nothing was measured yet"):
            getattr(blank, what)


def test_paths_are_spelled_out_from_the_persons_folder(tmp_path: Path) -> None:
    assert new_project("data.csv", tmp_path).wishes["prepare.data"] == str(tmp_path / "data.csv")


def test_projects_of_one_name_get_folders_of_their_own(tmp_path: Path) -> None:
    first = new_project("practice", tmp_path)
    first.save()
    second = new_project("practice", tmp_path)
    second.save()
    assert [first.name, second.name] == ["employees", "employees-2"]
    assert {one.name for one in list_projects()} == {"employees", "employees-2"}


def test_the_plan_that_would_run_is_written_with_its_reasons(project: Project) -> None:
    path = project.write_plan()
    assert read_plan(path) == project.plan
    assert "# " in path.read_text()
    assert list_runs() == []  # a project is no run


def test_a_copy_never_overwrites(project: Project, tmp_path: Path) -> None:
    first, second = project.write_plan_to(tmp_path), project.write_plan_to(tmp_path)
    assert first != second and read_plan(first) == read_plan(second)


def test_a_plan_file_opened_keeps_every_value(project: Project, tmp_path: Path) -> None:
    project.wish("select.lora.rank", 4)
    write_plan(tmp_path / "mine.yaml", project.plan)
    opened = open_plan(tmp_path / "mine.yaml")
    opened.measured(SEEN)
    assert opened.plan == project.plan


def test_a_run_finds_its_project_again_and_the_project_its_run(project: Project) -> None:
    run = create_run("employees")
    write_plan(run.plan_path, project.plan)
    for stage in ("understand", "prepare", "select"):
        project.accept(stage)
    project.started(run)
    assert project_of(run).folder == project.folder
    assert again(project).run is not None
    assert not project.run_is_stale
    project.wish("select.lora.rank", 64)
    assert project.run_is_stale


def test_a_run_without_a_project_counts_as_answered(project: Project) -> None:
    run = create_run("employees")
    write_plan(run.plan_path, project.plan)
    made = project_of(run)
    made.measured(SEEN)
    assert [made.standing(stage) for stage in ("understand", "prepare", "select")] == ["settled"] * 3
    assert not made.run_is_stale


def test_what_was_left_unfinished_is_found(project: Project) -> None:
    assert unfinished() is None
    project.save()
    found = unfinished()
    assert found is not None and found[0] == project.folder
    run = create_run("employees")
    write_plan(run.plan_path, project.plan)
    project.started(run)
    assert unfinished() is None


def test_a_damaged_project_is_passed_over_and_told(project: Project) -> None:
    project.save()
    (project.folder / "project.json").write_text("{")
    assert saved_projects() == []
    with pytest.raises(AccessError, match="can't be read"):
        read_saved(project.folder)


def test_a_folder_that_refuses_is_told(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    project.folder = tmp_path / "file" / "below"
    with pytest.raises(AccessError, match="can't be kept"):
        project.save()


def test_a_file_is_named(tmp_path: Path) -> None:
    assert named_data(" 'a b.csv' ", tmp_path) == str(tmp_path / "a b.csv")
    assert named_data("practice", tmp_path) == "practice"
    with pytest.raises(PlanError, match="No file is named"):
        named_data("  ", tmp_path)


def test_what_can_not_be_done_whole_is_not_done_at_all(project: Project) -> None:
    project.wish("select.method", "qlora")
    project.wish("select.quantization.type", "fp4")
    aside, plan = dict(project.saved.set_aside), project.plan
    with pytest.raises(PlanError, match="no file"), project.undivided():
        project.wish("select.method", "lora")  # sets the packing aside
        assert project.saved.set_aside != aside
        raise PlanError("There is no file.", next_step="Name another.")
    assert project.wishes["select.quantization.type"] == "fp4"
    assert project.saved.set_aside == aside and project.plan == plan
