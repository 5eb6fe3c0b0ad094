"""An OpenAI-compatible endpoint on this machine: `transformers serve` as a process of its own, and how to call it.

The server is asked with the model's chat template and the generation prompt, exactly as Fine-tune trained it and
Evaluate asked it (`transformers/cli/serving/chat_completion.py`, 5.23). It is pinned to one model: a request must name
the model by the very words the server was started with, or leave the name out. It has no password.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import AccessError, JobFailed, ModelError, RunError, TunesmithError
from tunesmith.core.jobs import worker_environment

LOOPBACK = "127.0.0.1"
NEEDED = ("fastapi", "uvicorn", "openai", "pydantic")
"""What `transformers serve` imports beside transformers itself."""
STARTS_WITHIN_SECONDS = 600.0
"""Large models take minutes to read; a server that died is noticed at once."""


@dataclass
class Server:
    """A running endpoint."""

    base_url: str
    """Without `/v1`, e.g. `http://127.0.0.1:8000`; the address to reach it from this machine."""
    model_id: str
    """What a request's `model` field must say."""
    pid: int
    log: Path
    process: subprocess.Popen[bytes]
    detached: bool

    def alive(self) -> bool:
        """Whether the process is still there."""
        return self.process.poll() is None

    def stop(self, grace_seconds: float = 10.0) -> None:
        """End the server and everything it started: asked by SIGTERM, then by SIGKILL. Ending it twice is fine."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive() and not self.detached:
                return
            try:
                if self.detached:
                    os.killpg(self.pid, how)  # start_new_session made it the leader of its own group
                else:
                    self.process.send_signal(how)
            except ProcessLookupError:
                return
            try:
                self.process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                continue
            if not self.detached:
                return


@dataclass(frozen=True)
class Manner:
    """How a server is run."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda:0` ..."""
    detached: bool = True
    """In a session of its own, so that it outlives this process. Otherwise it ends when this process does."""
    within_seconds: float = STARTS_WITHIN_SECONDS
    """How long it may take to answer for the first time."""
    waiting: Callable[[], None] = lambda: None
    """Called several times a second while it starts; may raise to give up."""


def start_server(model: Path, host: str, port: int, log: Path, manner: Manner | None = None) -> Server:
    """Serve the model in the folder `model` and return once it answers.

    Args:
        model: A whole model in Hugging Face layout (an adapter alone can't be served). Its folder's name becomes the
            model's name for requests; nothing of the path is shown to callers.
        host: Where to listen; 127.0.0.1 is reachable only from this machine.
        port: 0 takes a free one.
        log: What the server prints is appended here.
        manner: Detached, on whatever device there is, unless said otherwise.

    Raises:
        ModelError: The folder is missing or holds no model.
        RunError: The port is taken, the host is no address of this machine, or a package is missing.
        AccessError: The log can't be written.
        JobFailed: The server ended, or did not answer in time.
    """
    manner = manner or Manner()
    _check_model(model)
    _check_packages()
    port = _free_port(host, port)
    # Named relative to its parent: callers see a short name, and an `@` in the path can't pass for a revision.
    where = ["--host", host, "--port", str(port), "--device", manner.device]
    words = [*_words(manner.detached), "serve", model.name, *where]
    try:
        with log.open("ab") as out:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=model.parent,
                start_new_session=manner.detached,
                env={**worker_environment(), "HF_HUB_DISABLE_UPDATE_CHECK": "1"},
            )
    except OSError as error:
        raise AccessError(
            f"The endpoint can't be started: {error.strerror} ({error.filename}).", next_step="Mend its permissions."
        ) from error
    server = Server(f"http://{_reachable(host)}:{port}", model.name, process.pid, log, process, manner.detached)
    try:
        _wait_until_healthy(server, manner)
    except BaseException:
        server.stop()
        raise
    return server


@dataclass(frozen=True)
class Asked:
    """What an example asks: a chat in the form that was trained, and the longest answer in tokens."""

    messages: Sequence[dict[str, str]] = ({"role": "user", "content": "Your question"},)
    max_tokens: int = 64


def endpoint_snippets(
    base_url: str, model_id: str, asked: Asked | None = None, *, run: str = "RUN", model: Path | None = None
) -> dict[str, str]:
    """Commands to copy: `curl` and `python` to ask, `tunesmith`, `transformers` and `vllm` to serve.

    Args:
        base_url: As `Server.base_url`.
        model_id: As `Server.model_id`.
        asked: The example's question.
        run: The run's name, for `tunesmith serve`.
        model: The model's folder, for the other servers.
    """
    folder, asked = model or Path(model_id), asked or Asked()
    host, _, port = base_url.rpartition("/")[2].rpartition(":")
    body = {"model": model_id, "messages": list(asked.messages), "temperature": 0, "max_tokens": asked.max_tokens}
    text = json.dumps(body, ensure_ascii=False, indent=2)
    call = f"curl -s {shlex.quote(base_url + '/v1/chat/completions')} -H 'Content-Type: application/json' -d"
    where = f"--host {shlex.quote(host.strip('[]'))} --port {port}"
    start = f"transformers serve {shlex.quote(folder.name)} {where}"
    return {
        "curl": f"{call} {shlex.quote(text)}",
        "python": _python(base_url, body),
        "tunesmith": f"tunesmith serve {shlex.quote(run)}",
        "transformers": f"cd {shlex.quote(str(folder.parent))} && {start}",
        "vllm": f"vllm serve {shlex.quote(str(folder))} --served-model-name {shlex.quote(model_id)} {where}",
    }


def _python(base_url: str, body: dict[str, object]) -> str:
    return "\n".join(
        [
            "from openai import OpenAI",
            "",
            f'client = OpenAI(base_url={base_url + "/v1"!r}, api_key="not-needed")',
            "reply = client.chat.completions.create(",
            *(f"    {key}={value!r}," for key, value in body.items()),
            ")",
            "print(reply.choices[0].message.content)",
        ]
    )


def _words(detached: bool) -> list[str]:
    """The command that runs transformers' own command line with this interpreter."""
    if detached:
        return [sys.executable, "-P", "-m", "transformers.cli.transformers"]
    return [sys.executable, "-P", "-m", "tunesmith.core.productionize.job_server", str(os.getpid())]


def _check_model(model: Path) -> None:
    if not model.is_dir():
        raise ModelError(
            f"There is no model folder at {model}.",
            next_step="Make it with the productionize stage and `merge: true`.",
        )
    if not (model / "config.json").is_file():
        adapter = (model / "adapter_config.json").is_file()
        raise ModelError(
            f"{model} holds no model that can be served.",
            cause="It is an adapter, which needs its base model." if adapter else "It has no config.json.",
            next_step="Serve the merged model, which the productionize stage writes with `merge: true`.",
        )


def _check_packages() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise RunError(
            f"The endpoint needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            next_step=f'Install it with `{sys.executable} -m pip install "transformers[serving]"`.',
        )


def _free_port(host: str, port: int) -> int:
    """`port` itself where it can be listened on, a free one for 0."""
    try:
        return _bind(host, port)
    except socket.gaierror as error:
        raise RunError(
            f"{host} is no address that is known here.", next_step=f"Take {LOOPBACK} for this machine only."
        ) from error
    except OSError as error:
        raise _port_error(host, port, error) from error


def _port_error(host: str, port: int, error: OSError) -> TunesmithError:
    if error.errno == errno.EADDRINUSE:
        return RunError(
            f"Port {port} on {host} is in use by another program.",
            next_step=f"Take another one, e.g. {_another_port(host, port)}, which is free now.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return RunError(
            f"This user may not listen on port {port}.", next_step="Take a port above 1023, or 0 for any free one."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return RunError(
            f"{host} is no address of this machine.", next_step=f"Take {LOOPBACK}, or 0.0.0.0 for all its addresses."
        )
    return RunError(f"Nothing can listen on {host}:{port}: {error.strerror}.", next_step="Take another host or port.")


def _another_port(host: str, port: int) -> int:
    """A free port near `port`, else any free one."""
    for near in range(port + 1, min(port + 20, 65536)):
        try:
            return _bind(host, near)
        except OSError:
            continue
    return _bind(host, 0)


def _bind(host: str, port: int) -> int:
    """Listen there for a moment and return the port; raises OSError where that is refused."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does
        probe.bind(address)
        return int(probe.getsockname()[1])


def _reachable(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`, as it stands in a URL."""
    address = {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)
    return f"[{address}]" if ":" in address else address


def _wait_until_healthy(server: Server, manner: Manner) -> None:
    # No proxy: a proxy of the environment would be asked for a page of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + manner.within_seconds
    while time.monotonic() < deadline:
        manner.waiting()
        if not server.alive():
            raise JobFailed(
                "The endpoint ended while it was starting.",
                cause=_last_line(server.log),
                next_step=f"The reason is in {server.log}.",
            )
        try:
            with opener.open(f"{server.base_url}/health", timeout=5) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise JobFailed(
        f"The endpoint did not answer within {manner.within_seconds:.0f} s.",
        next_step=f"What it printed is in {server.log}.",
    )


def _last_line(log: Path) -> str:
    """The last thing the server printed, as a sentence; empty where it printed nothing."""
    try:
        lines = log.read_text("utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return (
        f"It said: {''.join(c for c in last if c.isprintable())[:300]}" + ("" if last.endswith(".") else ".")
        if last
        else ""
    )
