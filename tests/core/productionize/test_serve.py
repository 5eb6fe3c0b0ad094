"""The endpoint: what can go wrong before it starts, the commands to copy, and the real server over HTTP."""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunesmith.core.errors import AccessError, JobFailed, ModelError, RunError
from tunesmith.core.productionize import serve
from tunesmith.core.productionize.serve import Asked, Manner, endpoint_snippets, start_server


@pytest.fixture
def looks_like_a_model(tmp_path: Path) -> Path:
    folder = tmp_path / "merged"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model folder at .*/nowhere\. .*merge: true"):
        start_server(tmp_path / "nowhere", "127.0.0.1", 0, tmp_path / "log")


def test_an_adapter_alone(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"holds no model that can be served\. It is an adapter"):
        start_server(tmp_path, "127.0.0.1", 0, tmp_path / "log")


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"It has no config\.json"):
        start_server(tmp_path, "127.0.0.1", 0, tmp_path / "log")


def test_missing_packages_are_named_with_the_command(
    looks_like_a_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "NEEDED", ("json", "no_fastapi_here", "no_uvicorn_here"))
    with pytest.raises(RunError, match=r"no_fastapi_here and no_uvicorn_here, which are .* -m pip install") as caught:
        start_server(looks_like_a_model, "127.0.0.1", 0, tmp_path / "log")
    assert '"transformers[serving]"' in caught.value.next_step


def test_a_port_in_use_is_named_with_another_one(looks_like_a_model: Path, tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(RunError, match=rf"Port {taken_port} on 127.0.0.1 is in use") as caught:
        start_server(looks_like_a_model, "127.0.0.1", taken_port, tmp_path / "log")
    other = int(caught.value.next_step.partition("e.g. ")[2].partition(",")[0])
    assert other != taken_port
    with socket.socket() as free:
        free.bind(("127.0.0.1", other))


def test_a_host_of_another_machine(looks_like_a_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"192\.0\.2\.1 is no address of this machine\. Take 127\.0\.0\.1"):
        start_server(looks_like_a_model, "192.0.2.1", 0, tmp_path / "log")  # TEST-NET-1, RFC 5737


def test_a_host_that_does_not_exist(looks_like_a_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no\.such\.host\.invalid is no address that is known here"):
        start_server(looks_like_a_model, "no.such.host.invalid", 0, tmp_path / "log")


def test_a_port_that_needs_root() -> None:
    error = serve._port_error("127.0.0.1", 80, PermissionError(13, "Permission denied"))
    assert str(error) == "This user may not listen on port 80. Take a port above 1023, or 0 for any free one."


def test_a_log_that_can_not_be_written(looks_like_a_model: Path, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"The endpoint can't be started: .*no/log"):
        start_server(looks_like_a_model, "127.0.0.1", 0, tmp_path / "no" / "log")


def test_the_commands_can_be_pasted() -> None:
    asked = Asked([{"role": "user", "content": "What is Zoe O'Neill's \"salary\"?\n$(rm -rf) `x`"}], 16)
    found = endpoint_snippets("http://127.0.0.1:8000", "merged", asked, run="run-1", model=Path("/r s/model/merged"))
    assert list(found) == ["curl", "python", "tunesmith", "transformers", "vllm"]
    words = shlex.split(found["curl"])
    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8000/v1/chat/completions"]
    body = json.loads(words[-1])
    assert body == {"model": "merged", "messages": list(asked.messages), "temperature": 0, "max_tokens": 16}
    compile(found["python"], "snippet", "exec")
    assert found["tunesmith"] == "tunesmith serve run-1"
    assert found["transformers"] == "cd '/r s/model' && transformers serve merged --host 127.0.0.1 --port 8000"
    assert shlex.split(found["vllm"])[2:5] == ["/r s/model/merged", "--served-model-name", "merged"]


def test_addresses_in_urls() -> None:
    assert [serve._reachable(host) for host in ("0.0.0.0", "::", "10.0.0.1")] == ["127.0.0.1", "[::1]", "10.0.0.1"]
    assert "--host ::1 --port 8000" in endpoint_snippets("http://[::1]:8000", "merged")["vllm"]


def post(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.slow
def test_a_model_that_can_not_be_loaded_names_the_log(looks_like_a_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with pytest.raises(JobFailed, match=rf"The endpoint ended while it was starting\. It said: .* in {log}\."):
        start_server(looks_like_a_model, "127.0.0.1", 0, log)
    assert "Traceback" in log.read_text()


@pytest.mark.slow
def test_a_server_that_takes_too_long_is_ended(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"did not answer within 0 s\. What it printed is in"):
        start_server(tiny_model, "127.0.0.1", 0, tmp_path / "log", Manner(within_seconds=0.2))
    assert not [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_waiting_can_be_given_up(tiny_model: Path, tmp_path: Path) -> None:
    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_server(tiny_model, "127.0.0.1", 0, tmp_path / "log", Manner(waiting=enough))
    assert not [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_detached_server_answers_under_its_folders_name_also_below_an_at_sign(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # must not be asked for this machine
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    folder = tmp_path / "me@work" / "merged"
    folder.parent.mkdir()
    folder.symlink_to(tiny_model)
    server = start_server(folder, "127.0.0.1", 0, tmp_path / "log", Manner(device="cpu"))
    try:
        monkeypatch.delenv("HTTP_PROXY")
        monkeypatch.delenv("http_proxy")
        assert os.getsid(server.pid) == server.pid and server.alive()
        question = {"messages": [{"role": "user", "content": "Hello"}], "temperature": 0, "max_tokens": 4}
        url = f"{server.base_url}/v1/chat/completions"
        status, reply = post(url, {**question, "model": server.model_id})
        assert status == 200 and isinstance(reply["choices"][0]["message"]["content"], str)
        status, reply = post(url, {**question, "model": "another"})
        assert (status, reply["detail"]) == (400, "Server is pinned to 'merged'; requested 'another'.")
        assert post(url, question)[0] == 200
    finally:
        server.stop()
    assert not server.alive()
    server.stop()  # twice is fine


@pytest.mark.slow
def test_a_bound_server_ends_with_the_process_that_started_it(tiny_model: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tunesmith.core.productionize.serve import Manner, start_server\n"
        "server = start_server(Path(sys.argv[1]), '127.0.0.1', 0, Path(sys.argv[2]), Manner(detached=False))\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(tiny_model), str(tmp_path / "log")], stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    server = psutil.Process(pid)
    assert os.getpgid(pid) == os.getpgid(starter.pid)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.1)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    starter.stdout.close()


@pytest.mark.slow
def test_the_served_prompt_is_the_trained_prompt(
    tiny_model: Path, tmp_path: Path, make_job: Callable[..., Any]
) -> None:
    from tunesmith.core.rows import ask as chat
    from tunesmith.core.worker.generate import answer_all
    from tunesmith.core.worker.model import load_model, load_tokenizer
    from tunesmith.core.worker.tokenize import encode_prompt

    select = make_job(tiny_model).plan.select
    tokenizer = load_tokenizer(tiny_model)
    prompts = [
        chat("When was Alice Smith hired?", "Name: Alice Smith\nHire Date: 2020-04-10", "Be brief."),
        chat("Hm?"),
    ]
    told = answer_all(
        load_model(tiny_model, select, quantized=False), tokenizer, prompts, max_new_tokens=12, batch_size=2
    )
    server = start_server(tiny_model, "127.0.0.1", 0, tmp_path / "log", Manner(device="cpu"))
    try:
        for prompt, answer in zip(prompts, told, strict=True):
            body = {"messages": [turn.as_dict() for turn in prompt], "temperature": 0, "max_tokens": 12}
            _, reply = post(f"{server.base_url}/v1/chat/completions", body)
            assert reply["usage"]["prompt_tokens"] == len(encode_prompt(tokenizer, prompt))
            assert reply["choices"][0]["message"]["content"].strip() == answer
    finally:
        server.stop()
