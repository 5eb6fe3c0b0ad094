"""The last stage's job: merged model, the proof that it is the same, model cards, and an endpoint asked once.

Read from top to bottom it is the whole way: merge, load back and score again, describe, serve.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from transformers import PreTrainedTokenizerBase

from tunesmith.core.adapters import KINDS, told_bits
from tunesmith.core.errors import JobFailed, RunError
from tunesmith.core.events import EventReader, StageFinished, Step, Written
from tunesmith.core.figures import size
from tunesmith.core.measures import measure
from tunesmith.core.plan import Plan
from tunesmith.core.productionize.card import Product, Told, Training, write_card
from tunesmith.core.productionize.job_merge import check_same_prompts, folder_bytes, merge, write_generation_settings
from tunesmith.core.productionize.serve import LOOPBACK, Asked, Manner, Server, endpoint_snippets, start_server
from tunesmith.core.results import (
    Prediction,
    Results,
    predictions_path,
    read_predictions,
    read_results,
    write_results,
)
from tunesmith.core.rows import SPLITS, Row
from tunesmith.core.run import Run
from tunesmith.core.wording import plain
from tunesmith.core.worker.answers import Asker, base_model, free_memory, held_out_rows
from tunesmith.core.worker.job import Job
from tunesmith.core.worker.model import load_model, load_tokenizer
from tunesmith.core.worker.template import check_template
from tunesmith.core.worker.tuned import tuned_folder

STAGE = "productionize"


def work(job: Job) -> str:
    """Make what the plan's last section asks for; returns it in one sentence.

    Raises:
        RunError: Fine-tune or Evaluate has not run.
        ModelError: A model can't be loaded, or one would be asked otherwise than it was trained.
        SpaceError: There is no room for the merged model.
        Stopped: The person asked to stop; nothing is lost, the stage begins again.
    """
    plan, run = job.plan, job.run
    check_template(run, load_tokenizer(tuned_folder(plan, run)), "the tuned model")
    results, rows = read_results(run), held_out_rows(run)
    whole = plan.select.method == "full" or plan.productionize.merge
    said = []
    answers: list[Prediction] = []
    if plan.select.method == "full":
        _make_servable(job)
        answers = _tuned_answers(run)
    elif whole:
        results, answers, same = _merge_and_compare(job, results, rows)
        said.append(same)
    job.check_stop()
    written = _describe(job, results)
    if whole:
        said.append(_serve(job, rows, answers))
    else:
        job.finding(STAGE, _why_not_whole(plan))
    return "; ".join([f"{' and '.join(written)} written", *(part for part in said if part)])


def _why_not_whole(plan: Plan) -> str:
    if plan.select.virtual_tokens is None:
        return "The plan does not merge, so there is no whole model to serve; the adapter is ready."
    name = KINDS[plan.select.peft].name
    text = f"{name} can't be merged, so there is no whole model to serve"
    return f"{text}; README.md beside the adapter says how to load it."


def _merge_and_compare(job: Job, results: Results, rows: Sequence[Row]) -> tuple[Results, list[Prediction], str]:
    """Merge, load the result back from disk, ask it all test rows, and hold its answers against the tuned model's."""
    plan, run = job.plan, job.run
    before = {p.id: p.answer for p in _tuned_answers(run)}
    if set(before) != {row.id for row in rows}:
        raise RunError(
            "The test rows have changed since the evaluation.",
            next_step=f"Evaluate again: `tunesmith run {run.plan_path} --from evaluate`.",
        )
    merge(plan, run, base_model(plan).path)
    free_memory()
    check_same_prompts(run.adapter, run.merged, rows)
    tokenizer = load_tokenizer(run.merged)
    check_template(run, tokenizer, "the merged model")
    model = load_model(run.merged, plan.select, quantized=False)
    scored, answers = Asker(job, STAGE, tokenizer).ask(model, rows, "merged")
    del model
    free_memory()
    results = msgspec.structs.replace(results, scores=[*(s for s in results.scores if s.model != "merged"), scored])
    write_results(run, results)
    same = sum(before.get(p.id) == p.answer for p in answers)
    _tell_comparison(job, results, same, len(answers))
    return results, answers, f"merged model gives the same answers on {same} of {len(answers)} rows"


def _tell_comparison(job: Job, results: Results, same: int, rows: int) -> None:
    tuned, merged = results.score("tuned"), results.score("merged")
    if tuned is None or merged is None:
        return
    shown = measure(results.metric)
    before, after = tuned.by(results.metric), merged.by(results.metric)
    if before is None or after is None:
        return
    scores = f"{shown.name} {shown.told(before.value)} before and {shown.told(after.value)} after"
    level: Literal["note", "warning"] = "note" if shown.reaches(after.value, before.value) else "warning"
    if job.plan.select.method == "qlora":
        text = (
            "The merged model holds the base's own weights, while the adapter was trained over "
            f"{told_bits(job.plan.select)} ones: {scores} merging, the same answers on {same} of {rows} rows. To serve "
            f"what was trained, load the adapter over {told_bits(job.plan.select)} weights."
        )
        job.finding(STAGE, text, level)
    elif same == rows:
        job.finding(STAGE, f"The merged model gives the same answers on {same} of {rows} rows.", "ok")
    else:
        text = f"The merged model answers {rows - same} of {rows} rows otherwise, by rounding: {scores} merging."
        job.finding(STAGE, text, level)


def _make_servable(job: Job) -> None:
    """Give the fully tuned model, which Fine-tune wrote whole, the generation settings it was scored with."""
    model, tokenizer = _load(job, job.run.merged)
    write_generation_settings(job.run.merged, model, tokenizer)
    del model
    free_memory()


def _load(job: Job, folder: Path) -> tuple[Any, PreTrainedTokenizerBase]:
    return load_model(folder, job.plan.select, quantized=False), load_tokenizer(folder)


def _tuned_answers(run: Run) -> list[Prediction]:
    path = predictions_path(run, "tuned")
    try:
        return read_predictions(path)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise RunError(
            f"The tuned model's answers in {path} are missing or damaged.",
            next_step=f"Make them again: `tunesmith run {run.plan_path} --from evaluate`.",
        ) from error


def _describe(job: Job, results: Results) -> list[str]:
    """Write the model cards and report every product; returns each with its size."""
    plan, run = job.plan, job.run
    base, counts, training = base_model(plan), _counts(run), _training(run)
    products: list[tuple[Product, str, Path]] = []
    if plan.select.method == "full":
        products.append(("full", "model", run.merged))
    else:
        products.append(("adapter", "adapter", run.adapter))
        if plan.productionize.merge:
            products.append(("merged", "merged model", run.merged))
    told = []
    for product, what, folder in products:
        write_card(folder, Told(product, plan, base, results, counts, training))
        count = folder_bytes(folder)
        job.emit(Written(what=what, path=str(folder.relative_to(run.folder)), bytes=count))
        told.append(f"{what} ({size(count)})")
    return told


def _counts(run: Run) -> dict[str, int]:
    """Rows by split, of those that Prepare wrote."""
    counts: dict[str, int] = {}
    for split in SPLITS:
        try:
            with run.rows_path(split).open("rb") as file:
                counts[split] = sum(1 for _ in file)
        except FileNotFoundError:
            continue
    return counts


def _training(run: Run) -> Training:
    """The last training of the run as its events tell it."""
    steps, loss, seconds = 0, None, 0.0
    for event in EventReader(run.events_path).stream():
        if isinstance(event, Step):
            steps, loss = event.steps, event.loss
        elif isinstance(event, StageFinished) and event.stage == "finetune":
            seconds = event.seconds
    return Training(steps=steps, loss=loss, seconds=seconds)


def _serve(job: Job, rows: Sequence[Row], answers: Sequence[Prediction]) -> str:
    """Write the commands down and, where the plan says so, ask the endpoint one of the test questions."""
    plan, run = job.plan, job.run
    row = rows[0]
    commands = run.commands_path
    aside = commands.with_name("SERVE.md.part")
    aside.write_text(_serve_text(plan, run, row), "utf-8")
    aside.replace(commands)
    job.emit(Written(what="commands for serving", path=commands.name, bytes=commands.stat().st_size))
    if not plan.productionize.ask_once:
        return ""
    # On a port of its own, on loopback: the plan's host and port are for `tunesmith serve`, and may be taken now.
    server = start_server(
        run.merged,
        LOOPBACK,
        0,
        run.folder / "server.log",
        Manner(device="cpu" if plan.select.device == "cpu" else "cuda:0", detached=False, waiting=job.check_stop),
    )
    try:
        answer = ask(server, row, plan.evaluate.max_new_tokens)
    finally:
        server.stop()
    wanted = next((p.answer for p in answers if p.id == row.id), None)
    question = plain(row.asked)
    same = answer == wanted
    compared = "as it did before" if same else f"but before: {plain(wanted or '(nothing)')}"
    told = f"Asked over HTTP: {question} → {plain(answer) or '(nothing)'}, {compared}."
    job.finding(STAGE, told, "ok" if same else "warning")
    return "the endpoint answered over HTTP" + ("" if same else ", otherwise than the model did before")


def ask(server: Server, row: Row, max_new_tokens: int) -> str:
    """The endpoint's answer to `row`, asked by the openai client as any program would ask it.

    Raises:
        JobFailed: The endpoint refused, or its answer is none.
    """
    import openai

    # trust_env off: a proxy of the environment must not be asked for this machine.
    with openai.DefaultHttpxClient(trust_env=False) as http:
        client = openai.OpenAI(base_url=f"{server.base_url}/v1", api_key="not-needed", http_client=http, max_retries=0)
        try:
            reply = client.chat.completions.create(
                model=server.model_id,
                messages=[turn.as_dict() for turn in row.turns],  # type: ignore[misc]
                temperature=0,
                max_tokens=max_new_tokens,
                timeout=300,
            )
        except openai.OpenAIError as error:
            raise JobFailed(
                "The endpoint started but did not answer the question.",
                cause=f"It said: {plain(_said(error), 300)}.",
                next_step=f"What it printed is in {server.log}.",
            ) from error
    return (reply.choices[0].message.content or "").strip()


def _said(error: Exception) -> str:
    """What the server said: FastAPI tells it as `detail`, which the client's own message leaves out."""
    body = getattr(error, "body", None)
    return str(body["detail"] if isinstance(body, dict) and "detail" in body else error).rstrip(".")


def _serve_text(plan: Plan, run: Run, row: Row) -> str:
    """SERVE.md: the commands to copy."""
    section = plan.productionize
    port = section.port or 8000
    host = f"[{section.host}]" if ":" in section.host else section.host
    snippets = endpoint_snippets(
        f"http://{host}:{port}",
        run.merged.name,
        Asked([turn.as_dict() for turn in row.turns], plan.evaluate.max_new_tokens),
        run=run.name,
        model=run.merged,
    )
    reach = (
        "It listens on this machine only."
        if section.host in (LOOPBACK, "localhost", "::1")
        else "It can be reached from other machines and has no password: put a gateway with one before it."
    )
    return "\n".join(
        [
            f"# Serving {run.name}",
            "",
            f"An OpenAI-compatible endpoint. {reach}",
            "",
            *_block("Start it", "sh", snippets["tunesmith"]),
            *_block("Ask it", "sh", snippets["curl"]),
            *_block("From Python", "python", snippets["python"]),
            f"The `model` field must be `{run.merged.name}`, or be left out: the server is pinned to one model.",
            "",
            *_block("The same without Tunesmith", "sh", snippets["transformers"]),
            *_block("With vLLM on a GPU (install it apart; not tried by Tunesmith)", "sh", snippets["vllm"]),
        ]
    )


def _block(title: str, language: str, text: str) -> list[str]:
    """A chapter with one block of code, fenced so that nothing in it ends the fence."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"## {title}", "", f"{fence}{language}", text, fence, ""]
