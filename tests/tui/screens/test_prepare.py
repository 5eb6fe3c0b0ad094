"""Step 2 in the real application: findings and what is done about them, the data record by record, a long look."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets._footer import FooterKey

from tests.tui.snapshot_kit import screen_text
from tests.tui.test_wizard import row, until, wizard
from tunesmith.core.project import Project, new_project
from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.glyphs import UNICODE
from tunesmith.tui.screens.data import Data
from tunesmith.tui.screens.dialogs import Choose
from tunesmith.tui.screens.repair import Mend
from tunesmith.tui.screens.shell import Shell
from tunesmith.tui.widgets.choice import Choice
from tunesmith.tui.widgets.finding_row import FindingRow
from tunesmith.tui.widgets.named_lines import NamedLines
from tunesmith.tui.widgets.record_table import RecordTable


@pytest.fixture
def practice(tmp_path: Path) -> Project:
    return new_project("practice", tmp_path)


def many(folder: Path, count: int) -> Project:
    path = folder / "many.jsonl"
    with path.open("w") as file:
        for n in range(count):
            file.write(json.dumps({"question": f"What is number {n} called?", "answer": f"It is called {n}."}) + "\n")
    return new_project("many.jsonl", folder)


def panel(shell: Shell) -> str:
    assert shell.step is not None
    return " ".join(str(shell.step.query_one("#why-text", Static).content).split())


def footer(shell: Shell) -> list[str]:
    """What the footer says, from the left: the keys, each with what it does."""
    shown = sorted(shell.query(FooterKey), key=lambda key: key.region.x)
    return [f"{key.key_display} {key.description}" for key in shown if key.visible]


def finding(shell: Shell, kind: str) -> FindingRow:
    return next(one for one in shell.query(FindingRow) if one.finding.kind == kind)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_finding_shows_its_picture_and_the_keys_choose_what_is_done(practice: Project, size: tuple[int, int]) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        row = finding(shell, "out-of-range")
        row.query_one(Choice).focus()
        await until(pilot, lambda: "salary" in panel(shell))
        told = panel(shell)
        assert "0.7 % of the rows" in told and "line 185: 0" in told
        assert "left out (recommended)" in told and "leave it as it is" in told
        repair = row.finding.repair
        assert repair in [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
        await pilot.press("right")
        assert repair not in [one.model_dump(exclude_none=True) for one in practice.plan.prepare.repairs]
        assert len(practice.plan.prepare.repairs) == 5, "the others stay"
        survey = practice.survey
        await until(pilot, lambda: practice.survey is not survey and not practice.pending)
        assert practice.survey is not None and practice.survey.preview.aside == 7, "the rows are made anew"
        await pilot.press("r")
        assert [one.kind for one in practice.plan.prepare.repairs].count("drop-out-of-range") == 1

    wizard(practice, act, size=size)


LABELS = ["IT", "it", "Sales", "HR"]


def mixed(folder: Path) -> Project:
    """Near copies, labels written in several ways, and e-mail addresses."""
    path = folder / "mixed.jsonl"
    words = ["printer", "laptop", "router", "screen", "phone", "badge", "lamp", "keyboard", "cable", "mouse"]
    with path.open("w") as file:
        for n in range(240):
            said = " ".join(words[(n * step + step) % 10] + str(n * step % 97) for step in range(1, 12))
            end = " Thanks." if n % 12 == 0 else ""
            for more in {"", end}:
                answer = f"Write to help{n}@example.org about {said}, they know.{more}"
                row = {"question": f"Who knows {said}?{more}", "answer": answer, "department": LABELS[n % 4]}
                file.write(json.dumps(row) + "\n")
    return new_project("mixed.jsonl", folder)


def repairs_of(project: Project) -> list[dict[str, Any]]:
    return [one.model_dump(exclude_none=True) for one in project.plan.prepare.repairs]


async def mend(app: TunesmithApp, pilot: Pilot[Any], row: FindingRow) -> Mend:
    row.query_one(Choice).focus()
    await pilot.press("space")
    await until(pilot, lambda: isinstance(app.screen, Mend))
    assert isinstance(app.screen, Mend)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_repair_is_changed_in_its_box_and_what_is_out_of_bounds_is_said(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    project = mixed(tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) > 1)
        near = finding(shell, "near-duplicate")
        box = await mend(app, pilot, near)
        picture = str(box.query_one("#mend-picture", Static).content)
        assert "Rows that would go" in picture and all(f"{at} % alike" in picture for at in (60, 80, 95))
        before = repairs_of(project)
        await pilot.press("tab", *"1.2", "enter")
        told = str(box.query_one("#mend-error", Static).content)
        assert app.screen is box and "Give more than 0, at most 1" in told
        assert box.query_one("#mend-keys").region.bottom < size[1], "the keys stay in sight"
        await pilot.press("backspace", "backspace", "backspace", *"0.95")
        assert "likeness 0.95 or more" in str(box.query_one(OptionList).get_option_at_index(0).prompt)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is shell)
        other = {"kind": "drop-near-duplicates", "threshold": 0.95}
        wanted = [other if one["kind"] == "drop-near-duplicates" else one for one in before]
        await until(pilot, lambda: repairs_of(project) == wanted != before and not project.pending)
        assert near.query_one(Choice).value == "0", "it is still that finding's answer"
        assert "likeness 0.95 or more), as you changed it" in panel(shell)
        assert (await mend(app, pilot, near)).query_one("#mend-0-threshold", Input).value == "0.95"
        await pilot.press("tab", *"0.6", "escape")
        assert app.screen is shell and repairs_of(project) == wanted, "Esc changes nothing"
        await mend(app, pilot, near)
        await pilot.press("down", "enter")
        await until(pilot, lambda: repairs_of(project) == [one for one in wanted if one != other])

    wizard(project, act, size=size)


def test_names_are_changed_in_the_box(tmp_path: Path) -> None:
    project = mixed(tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) > 1)
        box = await mend(app, pilot, finding(shell, "personal-email"))
        await pilot.press("home", "tab", "end", *", mobile", "enter")
        assert "knows no kind 'mobile'" in str(box.query_one("#mend-error", Static).content)
        await pilot.press(*["backspace"] * 6, *"phone", "enter")
        await until(pilot, lambda: ["email", "phone"] in [one.get("names") for one in repairs_of(project)])
        assert app.screen is shell

    wizard(project, act)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_mapping_is_changed_in_the_box_line_by_line(tmp_path: Path, size: tuple[int, int]) -> None:
    lines = [{"text": f"The {n} is broken again, who helps?", "label": LABELS[n % 4]} for n in range(120)]
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, lines)))
    project = new_project("labelled.jsonl", tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) > 0)
        row = next(one for one in shell.query(FindingRow) if one.finding.repairs[0]["kind"] == "unify-labels")
        box = await mend(app, pilot, row)
        text = box.query_one(TextArea)
        assert text.text == "it = IT"
        await pilot.press("home", "tab", "end", "enter", *"HR", "f2")
        await until(pilot, lambda: "F2 or Ctrl+O takes it from the lines" in screen_text(app))
        assert "Esc back" in screen_text(app), "a key is not parted from what it does"
        assert "Values: line 2 can't be read" in str(box.query_one("#mend-error", Static).content)
        await pilot.press(*" = People", "f2")
        labels = {"it": "IT", "HR": "People"}
        await until(pilot, lambda: labels in [one.get("values") for one in repairs_of(project)])
        assert app.screen is shell

    wizard(project, act, size=size)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_file_that_could_be_several_things_says_what_else_and_lets_it_be_chosen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    lines = [f"What does item {n} cost?,Item {n} costs {3 * n + 1} euros.,Item {n}" for n in range(120)]
    (tmp_path / "several.csv").write_text("\n".join(["question,answer,name", *lines]))
    project = new_project("several.csv", tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        shape = row(shell, "prepare.shape")
        shape.control.focus()
        await until(pilot, lambda: "not table" in panel(shell))
        assert "each row is a record about one name" in panel(shell)
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        listed = app.screen.query_one(OptionList)
        told = {str(one.prompt)[2:].split("  ")[0]: " ".join(str(one.prompt).split()) for one in listed.options}
        assert "No columns offer themselves as" in told["chat"], "it can't be had, and that is said"
        await pilot.press("home", "enter")
        await until(pilot, lambda: project.survey is not None and not project.pending and app.screen is shell)
        await until(pilot, lambda: project.plan.prepare.shape == "table")
        assert project.plan.prepare.columns == {"entity": "name"}
        entity = row(shell, "prepare.columns.entity")
        assert entity.region.y > shape.region.y
        assert len(project.plan.prepare.questions) == 2
        shape.control.focus()
        await pilot.press("r")
        await until(pilot, lambda: not project.pending and project.plan.prepare.shape == "question-answer")

    wizard(project, act, size=size)


def test_a_shape_that_the_columns_cannot_give_is_refused_beside_it(tmp_path: Path) -> None:
    project = many(tmp_path, 60)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        shape = row(shell, "prepare.shape")
        shape.control.focus()
        await pilot.press("right")
        error = shape.query_one(".knob-error", Static)
        await until(pilot, lambda: "No columns offer themselves as" in str(error.content))
        assert app.screen is shell
        await pilot.press("r")
        await until(pilot, lambda: project.resolution is not None and not project.pending)
        assert project.plan.prepare.shape == "question-answer" and not shell.session.problem

    wizard(project, act)


def test_a_part_that_no_column_has_to_play_can_be_left_empty(tmp_path: Path) -> None:
    lines = [{"question": f"Who is {n}?", "answer": f"Ada {n}", "context": f"Page {n}"} for n in range(60)]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
    project = new_project("c.jsonl", tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        assert project.plan.prepare.columns["context"] == "context"
        await until(pilot, lambda: bool(shell.query("#knob-prepare-columns-context")))
        row(shell, "prepare.columns.context").control.focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        none = str(app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        assert "none" in none and "should be" not in none
        await pilot.press("home", "enter")
        await until(pilot, lambda: not project.pending and "context" not in project.plan.prepare.columns)
        assert not shell.session.problem

    wizard(project, act)


def test_what_the_person_refused_is_not_counted_as_mended(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        found = shell.query_one("#found", Static)
        assert "mended: 6 as recommended" in str(found.content)
        finding(shell, "out-of-range").query_one(Choice).focus()
        await pilot.press("right")
        assert "mended: 5 as recommended" in str(found.content)
        practice.wish("prepare.repairs", [])
        shell.step.show_plan()  # type: ignore[union-attr]
        assert "none of them is mended" in str(found.content)

    wizard(practice, act)


def test_rows_in_two_parts_are_shown_below_what_is_said_of_them(tmp_path: Path) -> None:
    project = many(tmp_path, 60)
    (tmp_path / "own.jsonl").write_text((tmp_path / "many.jsonl").read_text().splitlines()[7] + "\n")
    project.wish("prepare.split.test_file", "own.jsonl")

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: "in the test, too" in panel(shell))
        said, _, examples = panel(shell).partition("left out.")
        assert "1 row of the training stands in the test, too" in said
        same = "What is number 7 called? / It is called 7."
        assert examples.startswith(f" row 8 and row 1 of your test file: {same} {same}")

    wizard(project, act, size=(120, 40))


def test_help_at_a_finding_names_the_laws_about_personal_data(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        finding(shell, "out-of-range").query_one(Choice).focus()
        await pilot.press("question_mark")
        told = " ".join(" ".join(str(one.content) for one in app.screen.query(Static)).split())
        assert "mask-personal" in told and "the GDPR (data about anyone in the EU) and HIPAA" in told

    wizard(practice, act)


def test_the_footer_at_a_finding_begins_with_enter_and_fits(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: len(shell.query(FindingRow)) == 7)
        finding(shell, "out-of-range").query_one(Choice).focus()
        await until(pilot, lambda: any("←→" in str(key.key_display) for key in shell.query(FooterKey)))
        shown = sorted(shell.query(FooterKey), key=lambda key: key.region.x)
        names = [str(key.key_display) for key in shown]
        assert names == ["Enter", "←→", "Space", "↑↓", "PgDn", "F1"]
        assert shown[-1].region.right <= 80

    wizard(practice, act)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_under_a_box_the_footer_offers_no_keys_that_do_nothing(practice: Project, size: tuple[int, int]) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: "Enter Go on" in screen_text(app).splitlines()[-1])
        for key in ("d", "f1", "ctrl+p"):
            await pilot.press(key)
            await until(pilot, lambda: app.screen is not shell)
            await until(pilot, lambda: not screen_text(app).splitlines()[-1])
            await pilot.press("escape")
            await until(pilot, lambda: "Enter Go on" in screen_text(app).splitlines()[-1])

    wizard(practice, act, size=size)


def test_enter_accepts_the_recommended_repairs(practice: Project) -> None:
    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("enter")
        await until(pilot, lambda: shell.step is not None and shell.step.stage == "select")
        assert [one.kind for one in practice.plan.prepare.repairs] == [
            "dates-to-iso",
            *["drop-empty"] * 3,
            "drop-out-of-range",
            "drop-duplicates",
        ]

    wizard(practice, act)


def test_lost_answers_are_shown_before_the_start_and_counted_anew_at_another_length(tmp_path: Path) -> None:
    lines = [{"question": f"What is number {n} called?", "answer": f"It is called {n * 7}."} for n in range(60)]
    lines[39]["question"] += " word" * 3000
    (tmp_path / "long.jsonl").write_text("\n".join(map(json.dumps, lines)))
    project = new_project("long.jsonl", tmp_path, {"prepare.repairs": []})

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        lengths = shell.query_one("#lengths", Static)
        await until(pilot, lambda: "row 40" in str(lengths.content))
        lost = "1 row loses its whole answer (row 40): the run will refuse it."
        assert lost in str(lengths.content) and lost in panel(shell)
        project.wish("select.hyperparameters.max_length", 16)
        assert shell.step is not None
        shell.step.show_plan()
        assert "At the sequence length of 16 about" in str(lengths.content)
        assert lost not in panel(shell), "that was counted at another length"
        await shell.open("select")
        await until(pilot, lambda: project.survey is not None and shell.session.unproven() is None)
        assert "60 rows lose their whole answer" in project.cautions[0].text
        await until(pilot, lambda: "60 rows lose their whole answer" in panel(shell))

    wizard(project, act, counted=True)


def test_the_data_is_looked_through_without_loading_it(tmp_path: Path) -> None:
    project = many(tmp_path, 30_000)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        table = app.screen.query_one(RecordTable)

        def here() -> str:
            held = table.record(table.marked)
            return held[1][0] if held else ""

        assert (table.total, here()) == (30_000, "What is number 0 called?")
        await pilot.press("end")
        await until(pilot, lambda: here() == "What is number 29999 called?")
        await pilot.press("pageup", "up")
        assert "number 299" in here()
        await pilot.press("g", *"12345", "enter")
        await until(pilot, lambda: here() == "What is number 12344 called?")
        assert app.screen.query_one("#data-ask", Input).display is False
        title = str(app.screen.query_one("#data-title", Static).content)
        assert "record 12,345 of 30,000, line 12,345" in title
        await pilot.press("escape")
        assert app.screen is shell

    wizard(project, act)


def test_records_that_could_not_be_read_are_asked_for_again(tmp_path: Path) -> None:
    project = many(tmp_path, 1000)
    file, away = tmp_path / "many.jsonl", tmp_path / "away.jsonl"

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        table, told = app.screen.query_one(RecordTable), app.screen.query_one("#data-cells", NamedLines)
        file.rename(away)
        await pilot.press("end")
        await until(pilot, lambda: "many.jsonl" in str(told.lines))
        assert table.record(999) is None
        away.rename(file)
        await pilot.press("up")
        await until(pilot, lambda: table.record(998) is not None)
        assert "number 998" in str(told.lines)

    wizard(project, act)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_long_cell_is_read_to_its_end_and_its_file_is_named(tmp_path: Path, size: tuple[int, int]) -> None:
    said = "\n".join(f"Paragraph {n} says \x1b[31m[bold]." for n in range(300))
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, words in (("a", said), ("b", "x" * 100_150)):
        row = {"question": f"What stands in {name}?", "answer": words}
        short = [{"question": f"What is {name}{n}?", "answer": f"It is {n}."} for n in range(30)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, [row, *short])))

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        title, told = app.screen.query_one("#data-title", Static), app.screen.query_one("#data-cells", NamedLines)
        assert "record 1 of 62, a.jsonl, line 1" in str(title.content)
        await until(pilot, lambda: "Paragraph 299" in str(told.render()))
        assert "Paragraph 299 says \\x1b[31m[bold]." in str(told.render()), "it is text, and its lines are apart"
        assert "\x1b" not in str(told.render())
        await until(pilot, lambda: "Tab the record" in screen_text(app))
        await pilot.press("tab", "end")
        await until(pilot, lambda: "Paragraph 299" in screen_text(app))
        await pilot.press("shift+tab", "g", *"32", "enter")
        await until(pilot, lambda: "record 32 of 62, b.jsonl, line 1" in str(title.content))
        await until(pilot, lambda: "(cut here: " in str(told.lines))
        (_, question), (_, answer), (_, cut) = told.lines
        assert answer == "x" * (100_000 - len(question)) and f"{150 + len(question)} more characters" in cut
        await pilot.press("down")
        await until(pilot, lambda: told.lines == (("question", "What is b0?"), ("answer", "It is 0.")))

    wizard(new_project("parts", tmp_path), act, size=size)


def test_what_is_in_a_cell_is_text(tmp_path: Path) -> None:
    odd = "\x1b[31m[bold]=1+1\u202e\u0000"
    (tmp_path / "odd.jsonl").write_text(
        "\n".join(json.dumps({"question": f"{odd} {n}?", "answer": f"{odd}{n}"}) for n in range(60))
    )

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Data) and app.screen.query_one(RecordTable).total > 0)
        shown = str(app.screen.query_one("#data-cells", NamedLines).render())
        assert "[bold]=1+1" in shown and "\\x1b" in shown and "\\u202e" in shown
        assert not set(shown) & set("\x1b\u202e\u0000")

    wizard(new_project("odd.jsonl", tmp_path), act)


def test_a_long_look_says_how_far_it_is_can_be_stopped_and_taken_up_again(tmp_path: Path) -> None:
    project = many(tmp_path, 400_000)

    async def go() -> None:
        app = TunesmithApp(UNICODE, {"COLORTERM": "truecolor"})
        async with app.run_test(size=(80, 24)) as pilot:
            await app.open_project(project)
            shell = app.shell
            assert shell is not None
            await shell.open("prepare")
            await until(pilot, lambda: "Esc stops it" in str(shell.query_one("#notice", Static).content))
            await pilot.press("escape")
            await until(pilot, lambda: shell.session.stopped)
            assert shell.step is not None and shell.step.stage == "prepare", "Esc did not go back"
            line = '{"question": "Now?", "answer": "Short."}'
            (tmp_path / "many.jsonl").write_text("".join(line.replace("Now", str(n)) + "\n" for n in range(60)))
            await pilot.press("enter")
            await until(pilot, lambda: project.survey is not None and not shell.session.stopped)
            assert project.facts.data.rows == 60

    asyncio.run(asyncio.wait_for(go(), 120))


def test_of_two_tables_the_query_is_asked_for_by_itself(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "two.db")) as base:
        base.execute("create table orders(question text, answer text)")
        base.execute("create table products(x text)")
        rows = [(f"What is number {n} called?", f"It is called {n * 7}.") for n in range(60)]
        base.executemany("insert into orders values(?, ?)", rows)
        base.commit()
    project = new_project("sqlite:///two.db", tmp_path)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await until(pilot, lambda: row(shell, "prepare.query").control.has_focus)
        query = row(shell, "prepare.query")
        assert app.screen is shell and query.display and not row(shell, "prepare.part").display
        assert "orders, products. Type a SELECT" in panel(shell)
        assert "e.g. SELECT * FROM orders" in str(query.query_one(".knob-error", Static).content)
        await until(pilot, lambda: footer(shell)[:1] == ["Enter Go on"])
        await pilot.press(*"SELECT * FROM orders")
        await until(pilot, lambda: project.survey is not None and not project.pending)
        assert project.facts.data.rows == 60 and not shell.session.problem
        assert not row(shell, "prepare.questions").display, "rows with questions of their own are asked none"
        assert query.control.has_focus and footer(shell)[0] == "Enter Go on"
        await pilot.press("enter")
        await until(pilot, lambda: shell.step is not None and shell.step.stage == "select")

    wizard(project, act)


def test_a_column_is_never_recommended_once_stated_and_not_taken_twice(tmp_path: Path) -> None:
    project = many(tmp_path, 60)

    async def act(app: TunesmithApp, pilot: Pilot[Any], shell: Shell) -> None:
        await shell.open("prepare")
        await until(pilot, lambda: bool(shell.query("#knob-prepare-columns-question")))
        question = row(shell, "prepare.columns.question")
        question.control.focus()
        await pilot.press("right")
        await until(pilot, lambda: project.survey is not None and not project.pending)
        assert str(question.query_one(".knob-mark", Static).content) == "yours"
        assert "is recommended" not in panel(shell)
        assert "answer is taken for the question and the answer" in panel(shell)
        assert shell.step is not None
        await pilot.press("enter")
        assert shell.step.stage == "prepare"

    wizard(project, act)
