"""The `tunesmith` command: names, options and help. What a command does is in `commands/`, imported when it is called.

`--help` and `--version` must answer at once, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from tunesmith.core import __version__

EXIT_CODES = """\
Exit codes: 0 done, 1 a job failed, 2 wrong input or usage, 3 stopped before its end,
4 the worker was killed, 130 interrupted."""

app = typer.Typer(
    name="tunesmith",
    help="From a file and a problem to a tuned, measured, served language model.",
    epilog=EXIT_CODES,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
plan_app = typer.Typer(help="Make, check, export or import a plan.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(plan_app, name="plan")


class Stage(StrEnum):
    """The six stages."""

    understand = "understand"
    prepare = "prepare"
    select = "select"
    finetune = "finetune"
    evaluate = "evaluate"
    productionize = "productionize"


class OtherTool(StrEnum):
    """The trainers that a plan can be exported for."""

    trl = "trl"
    axolotl = "axolotl"
    llamafactory = "llamafactory"


class MethodName(StrEnum):
    """The methods of training."""

    full = "full"
    lora = "lora"
    qlora = "qlora"


class WayName(StrEnum):
    """The ways of training that `fit` tells of."""

    full = "full"
    lora = "lora"
    qlora = "qlora"
    qlora_8bit = "qlora-8bit"
    qlora_fp4 = "qlora-fp4"


class SortBy(StrEnum):
    """Orders of the table of models."""

    fits = "fits"
    size = "size"
    licence = "licence"


class PreparedForm(StrEnum):
    """What a prepared set is written as."""

    jsonl = "jsonl"
    parquet = "parquet"
    openai = "openai"


def _one_of(option: str, names: type[StrEnum], told: str) -> Any:
    """An option that takes one of `names`, whose words people part as they like: `llama-factory`, `LLaMA-Factory`.

    Typer's own option refuses other names in words that begin with those of the library below it.
    """

    def bare(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "")

    def parse(text: str) -> StrEnum:
        found = next((one for one in names if bare(one) == bare(text)), None)
        if found is None:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(names)}.")
        return found

    return typer.Option(option, parser=parse, metavar=f"<{'|'.join(names)}>", help=told)


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Start, print the run's name, and come back at once.")]
Settings = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads annotations at run time
    typer.Option("--set", metavar="PATH=VALUE", help="Decide a value yourself, e.g. select.lora.rank=8. Repeatable."),
]
RunName = Annotated[Optional[str], typer.Argument(metavar="[RUN]", help="A run; the newest when left out.")]  # noqa: UP045


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tunesmith {__version__}")
        raise typer.Exit


@app.callback()
def tunesmith(
    context: typer.Context,
    plain: Annotated[
        bool, typer.Option("--plain", help="Ask in numbered lines, for screen readers and simple terminals.")
    ] = False,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII signs only.")] = False,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a file and a problem to a tuned, measured, served language model. Without a command: the wizard."""
    context.obj = plain
    if context.invoked_subcommand is None:
        from tunesmith.tui.commands.wizard import begin

        raise typer.Exit(begin(plain_wanted=plain, ascii_wanted=ascii_only, mouse=not no_mouse))


@app.command()
def demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="Run it at once and print, without the wizard.")] = False,
    detach: Detach = False,
    as_json: Json = False,
    settings: Settings = None,
) -> None:
    """Tune the built-in practice model on the built-in employee table: no GPU, no network, a minute or two.

    In a terminal the wizard opens with every answer filled in; elsewhere it runs at once.
    """
    from tunesmith.tui.commands.run import demo as command
    from tunesmith.tui.commands.wizard import full_screen, wizard

    if headless or detach or as_json or settings or not full_screen(os.environ):
        raise typer.Exit(command(settings or [], detach=detach, as_json=as_json))
    if context.obj:
        from tunesmith.tui.plain import plain as asked

        raise typer.Exit(asked("practice", stdin=sys.stdin, stdout=sys.stdout))
    from tunesmith.tui.opening import Opening

    raise typer.Exit(wizard(Opening(data="practice")))


@app.command()
def run(
    target: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[PLAN]", help="A plan file for a new run; a run's name to go on with it."),
    ] = None,
    only: Annotated[Optional[Stage], _one_of("--only", Stage, "Just this stage.")] = None,  # noqa: UP045
    first: Annotated[Optional[Stage], _one_of("--from", Stage, "This stage and all after it.")] = None,  # noqa: UP045
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run ended, from its last checkpoint.")
    ] = False,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Run a plan: all stages, or some. Closing the terminal does not stop it."""
    from tunesmith.tui.commands.run import run_target

    code = run_target(
        target,
        only=only.value if only else None,
        first=first.value if first else None,
        resume=resume,
        detach=detach,
        as_json=as_json,
    )
    raise typer.Exit(code)


@app.command()
def prepare(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DATA_OR_PLAN",
            help="A file, a folder, a pattern in quotes, hub:owner/name, a database's address, or a plan file.",
        ),
    ],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", metavar="DIR", help="Write the prepared set and its data card there."),
    ] = None,
    form: Annotated[PreparedForm, _one_of("--as", PreparedForm, "The form of the rows written.")] = PreparedForm.jsonl,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Whose tokens are counted: `practice`, a folder, or a name.")
    ] = "practice",
    settings: Settings = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds something.")] = False,
    as_json: Json = False,
) -> None:
    """Look at data: what its rows are, what is wrong in it, how it is divided; trains nothing, changes no file."""
    from tunesmith.tui.commands.prepare import prepare as command

    code = command(target, out=out, form=form.value, model=model, settings=settings or [], force=force, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def prompt(
    target: Annotated[str, typer.Argument(metavar="DATA_OR_PLAN", help="Your file, `practice`, or a plan file.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="`practice`, a folder, or a name in the Hugging Face cache.")
    ] = "practice",
    detach: Detach = False,
    as_json: Json = False,
    settings: Settings = None,
) -> None:
    """Score the untouched model with examples in its prompt, and write the best prompt to a file; trains nothing."""
    from tunesmith.tui.commands.run import prompt as command

    raise typer.Exit(command(target, model=model, settings=settings or [], detach=detach, as_json=as_json))


@plan_app.command("new")
def plan_new(
    data: Annotated[str, typer.Argument(help="Your file (CSV, JSON or JSONL), or `practice`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the plan.")] = Path("plan.yaml"),
    model: Annotated[
        str, typer.Option("--model", "-m", help="`practice`, a folder, or a name (see `tunesmith models`).")
    ] = "practice",
    goal: Annotated[str, typer.Option("--goal", help="What it is for, in one sentence.")] = "",
    gpu: Annotated[
        str,
        typer.Option("--gpu", metavar="CARD", help="Plan for a card that is not here, e.g. h100-80gb or 2xrtx4090."),
    ] = "",
    settings: Settings = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a plan for DATA with every recommendation and its reason; asks nothing, starts nothing."""
    from tunesmith.tui.commands.plan import new

    code = new(data, out, model=model, goal=goal, gpu=gpu, settings=settings or [], force=force, as_json=as_json)
    raise typer.Exit(code)


@plan_app.command("check")
def plan_check(
    plan: Annotated[Path, typer.Argument(help="The plan file.")],
    as_json: Json = False,
) -> None:
    """Check a plan: its keys and values, its data, its model, and whether it fits this machine."""
    from tunesmith.tui.commands.plan import check

    raise typer.Exit(check(plan, as_json=as_json))


@plan_app.command("export")
def plan_export(
    plan: Annotated[Path, typer.Argument(help="The plan file.")],
    tool: Annotated[OtherTool, _one_of("--as", OtherTool, "For which tool.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to write.")],
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds something.")] = False,
    as_json: Json = False,
) -> None:
    """Write a plan for TRL, Axolotl or LLaMA-Factory, with its rows; says what that tool can't."""
    from tunesmith.tui.commands.exchange import export

    raise typer.Exit(export(plan, tool.value, out, force=force, as_json=as_json))


@plan_app.command("import")
def plan_import(
    file: Annotated[Path, typer.Argument(help="A YAML file of `trl sft`, Axolotl or LLaMA-Factory.")],
    data: Annotated[str, typer.Option("--data", help="Your file, or `practice`; by default the one it names.")] = "",
    model: Annotated[str, typer.Option("--model", "-m", help="Another model than the one it names.")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the plan.")] = Path("plan.yaml"),
    settings: Settings = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Json = False,
) -> None:
    """Make a plan of another tool's file; what it does not say is recommended, what a plan can't say is named."""
    from tunesmith.tui.commands.exchange import import_

    code = import_(file, out, data=data, model=model, settings=settings or [], force=force, as_json=as_json)
    raise typer.Exit(code)


@plan_app.command("schema")
def plan_schema(
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", help="Where to write it; printed when left out."),
    ] = None,
) -> None:
    """Print the JSON Schema of a plan, for editors: names, ranges, meanings and sources of every value."""
    from tunesmith.tui.commands.exchange import schema

    raise typer.Exit(schema(out))


@app.command()
def models(
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[NAME]", help="Only models with this in their name; of a single one, everything."),
    ] = None,
    sort: Annotated[SortBy, _one_of("--sort", SortBy, "What comes first.")] = SortBy.fits,
    everything: Annotated[bool, typer.Option("--all", help="All of them, not only the first.")] = False,
    as_json: Json = False,
) -> None:
    """List the models that could be tuned, here and in the catalogue, and whether they fit this machine."""
    from tunesmith.tui.commands.models import models as command

    raise typer.Exit(command(name, order=sort.value, everything=everything, as_json=as_json))


@app.command()
def fit(
    model: Annotated[str, typer.Argument(help="`practice`, a folder, or a name (see `tunesmith models`).")],
    gpu: Annotated[
        str, typer.Option("--gpu", metavar="CARD", help="A card that is not here, e.g. h100-80gb or 2xrtx4090.")
    ] = "",
    method: Annotated[
        Optional[WayName],  # noqa: UP045
        _one_of("--method", WayName, "How it is trained; the first of LoRA and QLoRA that fits when left out."),
    ] = None,
    length: Annotated[int, typer.Option("--seq", min=8, help="Tokens of the longest row.")] = 512,
    rows: Annotated[int, typer.Option("--batch", min=1, help="Rows computed at once.")] = 1,
    checkpointing: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--checkpointing/--no-checkpointing", help="By default where it does not fit without."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what tuning a model takes, here or on another card: memory term by term, what fits, what would need less.

    A training step is simulated; nothing is downloaded and no GPU is needed.
    """
    from tunesmith.tui.commands.fit import fit as command

    way = method.value if method else ""
    code = command(model, gpu=gpu, method=way, length=length, rows=rows, checkpointing=checkpointing, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A model on the Hugging Face Hub, as org/name.")],
) -> None:
    """Bring a model from the Hugging Face Hub to this machine. Only this asks the Hub for its files."""
    from tunesmith.tui.commands.fetch import fetch as command

    raise typer.Exit(command(name))


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs, live ones first."""
    from tunesmith.tui.commands.runs import list_all

    raise typer.Exit(list_all(as_json=as_json))


@app.command()
def attach(
    name: RunName = None,
    plain: Annotated[bool, typer.Option("--plain", help="As lines instead of the live screen.")] = False,
    as_json: Json = False,
) -> None:
    """Come back to a live or finished run with its whole history. Leaving does not stop it."""
    from tunesmith.tui.commands.runs import attach as command
    from tunesmith.tui.commands.wizard import full_screen, wizard

    if not plain and not as_json and full_screen(os.environ):
        from tunesmith.core.run import find_run
        from tunesmith.tui.opening import Opening

        raise typer.Exit(wizard(Opening(run=find_run(name))))

    raise typer.Exit(command(name, as_json=as_json))


@app.command()
def stop(
    name: RunName = None,
    now: Annotated[bool, typer.Option("--now", help="End it without saving.")] = False,
) -> None:
    """Stop a run at its next step and save a checkpoint to go on from."""
    from tunesmith.tui.commands.runs import stop as command

    raise typer.Exit(command(name, now=now))


@app.command()
def serve(
    name: RunName = None,
    host: Annotated[Optional[str], typer.Option(help="Where to listen; the plan's host by default.")] = None,  # noqa: UP045
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; the plan's by default, 0 takes a free one.")
    ] = None,
) -> None:
    """Serve a run's model as an OpenAI-compatible endpoint until Ctrl-C."""
    from tunesmith.tui.commands.serve import serve as command

    raise typer.Exit(command(name, host=host, port=port))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, what the GPU and its driver say, what is missing and how to get it."""
    from tunesmith.tui.commands.doctor import doctor as command

    raise typer.Exit(command(as_json=as_json))
