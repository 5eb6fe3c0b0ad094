"""Start, watch and stop detached jobs; ask a helper process the short questions that need the heavy libraries.

A job is a process of its own session: no terminal, no pipe that somebody must drain, its output in a log. Closing
the console, killing the wizard or losing SSH changes nothing for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tunesmith.core import errors
from tunesmith.core.errors import AccessError, JobFailed, RunError, TunesmithError
from tunesmith.core.meter import Cancelled, Meter, silent
from tunesmith.core.run import Run, State
from tunesmith.core.stages import STAGES

STARTS_WITHIN_SECONDS = 30.0
STARTED_IN = "TUNESMITH_STARTED_IN"
"""The environment variable that tells a worker which folder the person was in; its own is the run's."""
ENDS_WITHIN_SECONDS = 30.0
"""Python frees a large model and its GPU within seconds after a worker's last word."""


def start(run: Run, stages: Sequence[str] = STAGES, *, resume: bool = False) -> int:
    """Start a detached worker on `run` and return its process id once it has put its name on the run.

    Raises:
        RunError: Another worker is at it already, or the worker could not be started.
        AccessError: The run's folder can't be written to.
    """
    words = [sys.executable, "-P", "-m", "tunesmith.core.worker", str(run.folder), "--stages", ",".join(stages)]
    words += ["--resume"] if resume else []
    try:
        with _locked(run) as lock, run.log_path.open("ab") as log:
            for stale in (run.exit_path, run.job_path, run.stop_path, run.heartbeat_path):
                stale.unlink(missing_ok=True)
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=run.folder,
                env={**worker_environment(), STARTED_IN: str(Path.cwd())},
                pass_fds=[lock],  # the worker inherits the lock, and the kernel frees it however the worker ends
            )
    except OSError as error:
        raise AccessError(
            f"No job can be started in {run.folder}: {error.strerror}.", next_step="Mend the folder's permissions."
        ) from error
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        job = run.job()
        if job is not None and job.pid == process.pid:
            return process.pid
        if process.poll() is not None:
            break
        time.sleep(0.005)
    raise RunError(f"The worker of {run.name} did not start.", next_step=f"The reason is in {run.log_path}.")


@contextmanager
def _locked(run: Run) -> Iterator[int]:
    """The run's lock as an open file, so that of two starts at the same moment only one gets it.

    Raises:
        RunError: A worker holds it, or works on the run from another machine.
    """
    lock = os.open(run.lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _lock(lock, run) or run.state().alive:
            raise RunError(
                f"{run.name} is being worked on already.",
                next_step=f"Watch it with `tunesmith attach {run.name}`, or stop it with `tunesmith stop {run.name}`.",
            )
        yield lock
    finally:
        os.close(lock)


def _lock(lock: int, run: Run) -> bool:
    """Take the lock; waits while a worker that has said how it ended is still being torn down."""
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if run.state().alive or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
            continue
        except OSError:  # a file system without locks: what the process table and the heartbeat say must do
            return True
        return True


def worker_environment(*, online: bool = False) -> dict[str, str]:
    """The environment of a job: nothing is sent to a hub, nothing draws progress bars, tokens stay out of logs.

    Args:
        online: Whether it may ask the Hub; where the person set HF_HUB_OFFLINE, it may not all the same.
    """
    quiet = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        # Nothing is fetched behind the person's back; searching the hub is a step of its own that says so.
        "HF_HUB_OFFLINE": "1",
    }
    if online:
        del quiet["HF_HUB_OFFLINE"]
    return {**os.environ, **{key: value for key, value in quiet.items() if key not in os.environ}}


def stop(run: Run) -> None:
    """Ask the worker to stop at its next step and save; returns at once.

    Raises:
        RunError: Nothing is running there.
    """
    _running(run)
    try:
        run.stop_path.touch()
    except OSError as error:
        raise AccessError(
            f"{run.folder} can't be written to: {error.strerror}.", next_step="Mend its permissions."
        ) from error


def kill(run: Run, within_seconds: float = 10.0) -> None:
    """End the worker and everything it started at once, without saving.

    Raises:
        RunError: Nothing is running there.
    """
    state = _running(run)
    assert state.job is not None
    if state.job.host != socket.gethostname():
        raise RunError(
            f"{run.name} runs on {state.job.host}.", next_step="Log in there to end it, or stop it with a checkpoint."
        )
    with contextlib.suppress(ProcessLookupError):
        os.killpg(state.job.pid, signal.SIGKILL)  # start_new_session made it the leader of its own process group
    deadline = time.monotonic() + within_seconds
    while run.state().alive and time.monotonic() < deadline:
        time.sleep(0.05)


def wait(run: Run, seconds: float | None = None) -> State:
    """Wait until nobody works on `run`, at most `seconds`; returns its state then."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while (state := run.state()).alive and (deadline is None or time.monotonic() < deadline):
        time.sleep(0.1)
    return state


def _running(run: Run) -> State:
    state = run.state()
    if not state.alive:
        raise RunError(f"{run.name} is not running: {state.text}.", next_step="`tunesmith runs` lists what is.")
    return state


class Helper:
    """A warm process beside ours that holds the heavy libraries and answers short questions, one line each.

    Used as a context manager. The first question waits for the imports (some seconds); the next ones do not.
    """

    def __init__(self, log: Path | None = None, *, online: bool = False) -> None:
        """Args:
        log: Where the helper's own output goes; nowhere by default.
        online: Whether it may ask the Hub, as far as the person's own settings allow it.
        """
        self.online = online
        self._turn = threading.Lock()  # one question at a time, whichever thread asks
        self._writing = threading.Lock()  # a question is given up by another thread than the one that waits for it
        self._log = (log or Path(os.devnull)).open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tunesmith.core.worker.helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            env=worker_environment(online=online),
        )

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: str, meter: Meter = silent, /, **details: Any) -> Any:
        """The answer to `question` (see `worker.helper` for those it knows), as plain JSON values.

        Args:
            question: Its name.
            meter: Told how far the answer is, a few times a second; what it raises ends the asking, not the work.
            details: What the question is about.

        Raises:
            TunesmithError: The helper says what is wrong, e.g. a folder that is no model.
            JobFailed: The helper died.
            Cancelled: `cancel` was called before the answer was there.
        """
        with self._turn:
            self._send({"question": question, "details": details})
            while True:
                reply = self._reply()
                if "doing" not in reply:
                    break
                meter(reply["doing"], reply["done"], reply["of"])
        if "cancelled" in reply:
            raise Cancelled
        if "error" in reply:
            kind = getattr(errors, reply.get("kind", ""), TunesmithError)
            raise kind(reply["error"], cause=reply["cause"], next_step=reply["next_step"], **reply.get("carried", {}))
        return reply["answer"]

    def cancel(self) -> None:
        """Give up the question that is being answered, if one is; whoever asked it gets Cancelled."""
        self._send({"cancel": True})

    def _send(self, said: dict[str, Any]) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with self._writing, contextlib.suppress(BrokenPipeError, ValueError):  # ValueError: closed in the meantime
            stdin.write(msgspec.json.encode(said) + b"\n")
            stdin.flush()

    def _reply(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        line = b"" if stdout.closed else stdout.readline()
        if not line:
            raise JobFailed("The helper process ended unexpectedly.", next_step="Run `tunesmith doctor`.")
        reply: dict[str, Any] = msgspec.json.decode(line)
        return reply

    def close(self) -> None:
        """End the process; a question that another thread is waiting for fails with JobFailed."""
        self._process.terminate()
        self._process.wait()
        with self._turn:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        self._log.close()


def environment(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions of `packages`, without importing them; those not installed are left out."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def own_start_time() -> float:
    """When this process started, as `run.process_alive` compares it (seconds since 1970)."""
    return psutil.Process().create_time()
