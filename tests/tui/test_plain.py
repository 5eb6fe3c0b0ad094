"""The wizard as plain questions, with real files, a real helper process and real answers on standard input."""

from __future__ import annotations

import contextlib
import io
import random
import re
import sqlite3
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tunesmith.core import jobs
from tunesmith.core.plan_yaml import read_plan
from tunesmith.core.project import Project
from tunesmith.core.project_file import saved_projects
from tunesmith.core.run import list_runs
from tunesmith.tui.plain import plain

ENTER = ""
HOSTILE = "Alpha \x1b]0;pwned\x07\x1b[31m[bold]x[/bold] \u202eabc"
CALL = "import sys; from tunesmith.tui.plain import plain; "
CALL += "sys.exit(plain(sys.argv[1] if sys.argv[1:] else None, stdin=sys.stdin, stdout=sys.stdout))"


def talk(*answers: str, data: str | None = None) -> tuple[int, str]:
    """The exit code and everything that was said to these answers."""
    said = io.StringIO()
    code = plain(data, stdin=io.StringIO("".join(f"{answer}\n" for answer in answers)), stdout=said)
    return code, said.getvalue()


def project() -> Project:
    """The project that was changed last."""
    return Project(*saved_projects()[0])


def questions(said: str) -> list[str]:
    """The question that stands below each heading, in the order they were asked."""
    lines = said.splitlines()
    return [lines[place + 1] for place, line in enumerate(lines) if re.match(r"Question \d+ of \d+, ", line)]


@pytest.fixture
def flaws(tmp_path: Path) -> Path:
    """A person's own table: a hostile name, a duplicate, an odd date, a price that is far off, a missing note."""
    rng = random.Random(1)
    lines = ["Title,Ref,Opened,Price,Note", f'"{HOSTILE}",1,2020-01-02,100,ok', *["Beta,2,2020-01-03,110,fine"] * 2]
    for number in range(3, 80):
        opened = "13/02/2020" if number == 9 else f"2020-02-{1 + number % 28:02d}"
        price = 999_999 if number == 20 else rng.randint(90, 150)
        lines.append(f"Item {number},{number},{opened},{price},{'' if number == 33 else f'note {number % 7}'}")
    path = tmp_path / "flaws.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_enter_alone_leads_to_the_review_and_no_starts_nothing() -> None:
    code, said = talk(*[ENTER] * 27, "?", "no", data="practice")
    assert code == 0
    assert "Question 1 of 27, Understand\nWhat should the model do?\n" in said
    assert "Question 27 of 27, Select\n" in said
    assert "  1. question answering: questions with one right answer (recommended)\n" in said
    assert "Found: 2 rows repeat an earlier row in every column.\n" in said
    assert "Trained: ⟦2012-12-14<|im_end|>⟧\n" in said
    review = said.partition("Review: this will run. Nothing has started yet.")[2]
    for words in (
        "840 for train",
        "Model: practice, LoRA",
        "it fits.",
        "steps",
        "Disk, estimated:",
        "Memory, weights:",
    ):
        assert words in review
    path = project().plan_path
    assert f"\n  tunesmith run {path}\n" in review
    assert read_plan(path).prepare.data == "practice"
    assert said.endswith("Or go on here with tunesmith --plain.\n")
    assert not list_runs()
    assert set(project().saved.settled) == {"understand", "prepare", "select"}


def test_lines_are_short_and_hold_no_escapes(flaws: Path) -> None:
    flaws.write_text(flaws.read_text().replace("note 1", "日本語 " * 40), encoding="utf-8")
    _, said = talk(*[ENTER] * 26, "no", data=str(flaws))
    assert "\x1b" not in said and "\x07" not in said and "\u202e" not in said and "\r" not in said
    assert "Alpha \\x1b]0;pwned\\x07\\x1b[31m[bold]x[/" in said
    from rich.cells import cell_len

    long = [line for line in said.splitlines() if cell_len(line) > 78 and not line.startswith("  tunesmith run")]
    assert not long


WRONG = {
    "What should the model do?": {"17": "17 is no sentence. Say it in words"},
    "What kind of task is it?": {
        "17": "17 is not one of the answers. Type a number from 1 to 12",
        "poetry": "Use case: 'poetry' can't be chosen. Choose one of question answering",
    },
    "What is there": {"9": "9 is not one of the answers. Type a number from 1 to 5"},
    "What counts": {"accuracy": "accuracy is not one of the answers. Type a number from 1 to 5"},
    "Which way to go?": {"11": "11 is not one of the answers. Type a number from 1 to 10"},
    "Which file holds the examples?": {"nowhere.csv": "nowhere.csv."},
    "Which column names each record?": {"nme": "nme is not one of the answers."},
    "What is asked of each record?": {
        "who?": "who? is no question with its answer. Type it as question | {column}",
        "Who? | {nme}": "there is no column {nme} in the data",
        "drop 9": "9 is not one of the answers. Type a number from 1 to 3",
        "drop": "Nothing is not one of the answers.",
    },
    "What must never be in two parts?": {"team": "team is not one of the answers."},
    "How much is kept for the test?": {
        "0": "split.test must be above 0, unless split.test_file names the test.",
        "0.9": "leaves too little",
    },
    "Which model is tuned?": {"no/such": "no/such is not"},
    "How wide is the adapter?": {"0": "Takes 1 to 1024.", "4x": "Rank (r): '4x' is no number."},
    "How many rows at once?": {"2.5": "Micro-batch: 2.5 is not a whole number."},
}


def test_wrong_answers_say_what_is_valid_and_are_asked_again(all_questions: str) -> None:
    answers = [answer for question in questions(all_questions) for answer in (*WRONG.get(question, ()), ENTER)]
    code, said = talk(*answers, "maybe", "no", data="practice")
    assert code == 0
    assert questions(said) == questions(all_questions)
    for question, wrong in WRONG.items():
        asked = " ".join(said.partition(f"\n{question}\n")[2].partition("\nQuestion ")[0].split())
        for answer, message in wrong.items():
            assert f": {answer} " in asked, asked
            assert message in asked, asked
    assert "maybe is not one of the answers. Type 1 to start" in " ".join(said.split())
    assert set(project().wishes) == {"prepare.data"}


@pytest.fixture(scope="module")
def all_questions(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said where Enter answers everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_RUNS", str(tmp_path_factory.mktemp("runs")))
        return talk(*[ENTER] * 27, "no", data="practice")[1]


def test_the_question_mark_explains_and_b_goes_back() -> None:
    code, said = talk("b", ENTER, ENTER, ENTER, ENTER, "1", "?", "2", "1", "b", "b", "?", "q", data="practice")
    assert code == 0
    assert "This is the first question." in said
    assert "Metric: What success is measured by. Exact match counts answers" in said
    assert "Source: Exact match and F1: Rajpurkar et al. 2016 (SQuAD), arXiv:1606.05250" in said
    assert "In the plan: understand.metric." in said
    assert "With F1: Goal to reach from 0.95 to 0.8" in " ".join(said.split()).replace("goal to reach", "Goal to reach")
    assert questions(said)[-2:] == ["What counts", "What is there"]
    assert "Now: F1. Your choice; exact match was recommended: 95 % of the answers" in said
    assert "How is success measured? Yours: F1" in said
    assert "Quality of the examples: How far the examples can be trusted." in said
    assert project().wishes["understand.metric"] == "f1"


def test_a_group_takes_all_by_enter_and_one_by_its_number() -> None:
    wrong, limits = ["2", "1.5", "very", "0.8"], ["5", "a day", "4", "4", "12", ENTER]
    code, said = talk(*[ENTER] * 4, *wrong, ENTER, *limits, "q", data="practice")
    assert code == 0
    told = " ".join(said.split())
    assert "a share from 0 to 1 is wanted" in told
    assert "Goal to reach: 'very' is no number." in told
    assert "How good is good enough? Yours: 0.8" in told
    assert "Budget, time: 'a day' is no number." in told
    assert "What may it cost? Yours: 12" in told
    assert {path: one for path, one in project().wishes.items() if path.startswith("understand.")} == {
        "understand.threshold": 0.8,
        "understand.budget_hours": 4.0,
        "understand.budget_money": 12.0,
    }


def test_what_was_tried_is_picked_by_numbers_and_changes_the_advice() -> None:
    _, said = talk(*[ENTER] * 3, "4", "weekly", "5", "1, 9", "1, 2", *[ENTER] * 3, "?", "q", data="practice")
    told = " ".join(said.split())
    assert "9 is not one of the answers. Type a number from 1 to 4" in told
    assert "What was tried already? Yours: prompt, few-shot prompt" in told
    assert "Fine-tuning for use with retrieval is the way here." in told
    assert "Pulling apart: facts that change weekly, and questions that come with their context." in told
    assert "Source of reason 1: Zhang et al. 2024 (RAFT), arXiv:2403.10131" in told
    assert "Next, step 1: Build the search first" in told


def test_where_training_is_not_advised_it_is_said_with_what_is_done_instead() -> None:
    _, said = talk(*[ENTER] * 3, "2", "none", *[ENTER] * 4, "q", data="practice")
    told = " ".join(said.split())
    assert "Stop: don't fine-tune. A better prompt serves better here." in told
    assert "First: Write thirty questions with the right answers" in told
    assert "Instead: Tunesmith scores the untouched model on your rows and writes the prompt as a file." in told
    assert "1. prompting: better instructions, no training (recommended)" in told


def test_where_the_input_ends_everything_is_kept_and_a_second_start_goes_on() -> None:
    code, said = talk("Answer questions about staff.", ENTER, ENTER, ENTER, "1", "f1", data="practice")
    assert code == 2
    last = " ".join(said.split("\n")[-4:])
    assert "Question 5 of 27 is open: What counts" in last.replace("   ", " ")
    assert "Your answers are kept as the project employees." in last.replace("   ", " ")
    assert project().wishes["understand.goal"] == "Answer questions about staff."
    code, said = talk(ENTER, "2", "0.7", "q")
    assert code == 0
    assert "  1. Go on with the project employees, not started yet (recommended)\n" in said
    assert questions(said)[0] == "What counts"
    assert project().wishes["understand.metric"] == "f1"
    assert project().wishes["understand.threshold"] == 0.7
    code, said = talk(ENTER, data="practice")  # named anew: the answers about it are offered
    assert "There are answers about this file already." in said
    assert questions(said)[0] == "What counts"


def test_own_data_repairs_are_refused_and_a_column_is_corrected(flaws: Path) -> None:
    column = [*[ENTER] * 9, "Ref"]
    repairs = [ENTER, ENTER, "2", "?", ENTER, "no", "2"]  # what is hidden, the date, the note, the price, the repeat
    _, said = talk("flawz.csv", "2", "flawz.csv", str(flaws), *column, *repairs, "q")
    assert "flawz.csv" in said
    assert "Found: 1 row repeats an earlier row in every column.\n" in said
    assert "13/02/2020" in said and "999999" in said
    assert "no is not one of the answers. Type a number from 1 to 2." in " ".join(said.split())
    wishes = project().wishes
    assert wishes["prepare.columns"] == {"entity": "Ref"}
    assert [one["kind"] for one in wishes["prepare.repairs"]] == ["tidy-text", "dates-to-iso", "drop-out-of-range"]
    assert "1. What is the title of {Ref}? | {Title}" in said  # the questions are about the other column now


def test_questions_of_a_table_are_added_and_dropped(flaws: Path) -> None:
    changes = ["How much is {Title}? | {Price}", "drop 1", "drop 1"]
    _, said = talk(*[ENTER] * 15, *changes, ENTER, "q", data=str(flaws))
    asked = project().wishes["prepare.questions"]
    assert asked[-1] == {"ask": "How much is {Title}?", "answer": "{Price}"}
    assert "What is the ref of {Title}?" not in [one["ask"] for one in asked]
    assert len(asked) == 2
    assert "Changed with it: training steps: was" in said


def test_columns_are_asked_for_where_none_offers_itself(flaws: Path, tmp_path: Path) -> None:
    _, said = talk(*[ENTER] * 8, "question-answer", "Title", "2", "b", "q", data=str(flaws))
    assert "No columns offer themselves as question and answer" in said
    assert "Which column holds the answer?" in said
    assert project().wishes["prepare.shape"] == "question-answer"
    assert project().wishes["prepare.columns"] == {"question": "Title", "answer": "Opened"}
    alike = tmp_path / "alike.csv"
    alike.write_text("x,y\n" + "".join(f"{n % 3},{n % 4}\n" for n in range(120)))
    _, said = talk(ENTER, "x", *[ENTER] * 4, "q", data=str(alike))
    assert "No column says what each row is about" in said
    assert "So it has to be said by hand." in said
    assert project().wishes["prepare.columns"] == {"entity": "x"}


def test_of_several_tables_one_is_asked_for_until_a_query_can_be_taken(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "two.db")) as base:
        base.execute('create table "a: b, c" (question text, answer text)')
        base.execute("create table products (x text)")
        rows = [(f"What is number {n} called?", f"It is called {n * 7}.") for n in range(60)]
        base.executemany('insert into "a: b, c" values (?, ?)', rows)
        base.commit()
    _, said = talk(
        "DROP TABLE products",
        ENTER,
        "SELECT * FROM nope",
        'SELECT * FROM "a: b, c"',
        "q",
        data=f"sqlite:///{tmp_path}/two.db",
    )
    assert said.count("Which rows of the database?") == 4
    assert 'Type a SELECT for the rows that are meant, e.g. SELECT * FROM "a: b, c".' in said
    assert "The query begins with DROP, not with SELECT." in said
    assert "no such table: nope" in said
    assert project().wishes["prepare.query"] == 'SELECT * FROM "a: b, c"'


def test_a_file_that_is_called_a_query_is_asked_none(tmp_path: Path) -> None:
    (tmp_path / "query.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    _, said = talk("q", data=str(tmp_path / "query.csv"))
    assert "is not a text file" in " ".join(said.split()) and "Which rows of the database?" not in said


def test_a_project_whose_file_is_gone_can_be_mended(flaws: Path) -> None:
    assert talk("A goal of mine.", data=str(flaws))[0] == 2
    flaws.unlink()
    code, said = talk("1", "9", ENTER, "2", "practice", "q")
    assert code == 0
    assert said.count("There is no file") == 2
    assert "Type a number from 1 to 4" in said
    assert project().wishes["prepare.data"] == "practice"
    assert project().wishes["understand.goal"] == "A goal of mine."


def test_a_plan_is_opened_and_every_value_is_the_persons(tmp_path: Path) -> None:
    talk(*[ENTER] * 4, "2", "0.7", *[ENTER] * 23, "no", data="practice")
    plan = tmp_path / "mine.yaml"
    plan.write_text(project().plan_path.read_text())
    _, said = talk("4", "no.yaml", str(plan), *[ENTER] * 4, "2", "q")
    assert "There is no plan at" in said
    assert "Now: 0.7. Your choice; 0.95 was recommended:" in said


def test_the_first_list_takes_only_what_it_offers() -> None:
    code, said = talk("9", "what", "b", "?", "2", "b", "q")
    assert code == 0
    assert "  1. Practice on built-in data and a small model, a few minutes (recommended)\n" in said
    assert "9 is not one of the answers.\nType a number from 1 to 3" in said
    assert "what is not one of the answers." in said
    assert "This is the beginning." in said
    assert said.endswith("Nothing was begun. Start again with tunesmith --plain.\n")
    assert not saved_projects()
    assert talk()[0] == 2


def test_a_terminal_without_unicode_gets_signs_it_has() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    answers = io.StringIO("\n" * 19)
    assert plain("practice", stdin=answers, stdout=out) == 2
    out.seek(0)
    said = out.read()
    assert "Trained: [[2012-12-14<|im_end|>]]" in said
    assert "?" not in said[said.index("Given:") : said.index("Given:") + 60]


def terminal(*words: str) -> pexpect.spawn:
    command = ["-c", CALL, *words]
    return pexpect.spawn(sys.executable, command, dimensions=(24, 80), encoding="utf-8", timeout=120)


def test_ctrl_c_says_one_line_and_keeps_the_answers() -> None:
    screen = terminal("practice")
    screen.expect("Enter takes what is shown")
    screen.sendline("A goal of mine.")
    screen.expect("What kind of task is it")
    screen.expect("Enter takes 1")
    time.sleep(0.3)  # it is still on its way to reading
    screen.sendintr()
    screen.expect("Question 2 of 27 is open")
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 130
    assert project().wishes["understand.goal"] == "A goal of mine."


@pytest.mark.slow
def test_a_started_run_goes_on_without_the_terminal_and_is_offered_first(runs_folder: Path) -> None:
    screen = terminal("practice")
    for _ in range(28):
        screen.expect(r"Enter (takes|keeps)[^\n]*: ?")
        screen.sendline()
    screen.expect("Stage 2 of 6: Prepare")
    screen.sendintr()
    screen.expect("goes on without this window")
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 130
    run = list_runs(runs_folder)[0]
    try:
        assert run.state().alive
        assert project().saved.run == str(run.folder)
        _, said = talk("q")
        assert f"  1. Watch the run {run.name}, which is going on (recommended)\n" in said
    finally:
        jobs.kill(run)


@pytest.mark.slow
def test_enter_alone_leads_to_a_tuned_and_measured_model(runs_folder: Path) -> None:
    code, said = talk(*[ENTER] * 29)
    assert code == 0, said[-3000:]
    run = list_runs(runs_folder)[0]
    assert "Stage 6 of 6: Productionize\n" in said
    assert "The tuned model: exact match 9" in said or "The tuned model: exact match 100" in said
    ending = said.splitlines()[-7:]
    assert ending[0].startswith("Exact match ") and " to " in ending[0] and ending[0].endswith("300 unseen questions")
    assert f"  tunesmith serve {run.name}" in ending
    assert "\x1b" not in said and "→" not in said
