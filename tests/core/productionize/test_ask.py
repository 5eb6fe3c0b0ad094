"""A question over HTTP to a real small server: what comes back, and every way it can go wrong, as a sentence."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tunesmith.core.errors import JobFailed
from tunesmith.core.productionize import ask as asking
from tunesmith.core.productionize.ask import ask

CHAT = [{"role": "user", "content": "When was Zoë hired?"}]
Serve = Callable[..., str]


class Endpoint(ThreadingHTTPServer):
    """Says what it was told to say, and remembers what it was asked."""

    daemon_threads = True
    says: Callable[[BaseHTTPRequestHandler], None]
    asked: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self.server.says(self)

    def do_GET(self) -> None:
        self.server.asked.append((self.path, None))
        self.send_error(500)

    def log_message(self, *_: Any) -> None:
        pass


def body(content: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return say


def answer(content: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def url(server: Endpoint) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def failure(server: Endpoint, say: Callable[[BaseHTTPRequestHandler], None], timeout: float = 10) -> JobFailed:
    server.says = say
    with pytest.raises(JobFailed) as caught:
        ask(url(server), "merged", CHAT, 8, timeout)
    return caught.value


def test_the_chat_is_asked_greedily_and_the_answer_comes_back(endpoint: Endpoint) -> None:
    endpoint.says = body(answer(" 2020-04-10\n"))
    assert ask(url(endpoint), "merged", CHAT, 8, 10) == "2020-04-10"
    path, asked = endpoint.asked[0]
    assert path == "/v1/chat/completions"
    assert asked == {"model": "merged", "messages": CHAT, "temperature": 0, "max_tokens": 8}


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    endpoint.says = body(answer("yes"))
    assert ask(url(endpoint), "merged", CHAT, 8, 10) == "yes"
    assert ask(url(endpoint).replace("127.0.0.1", "localhost"), "merged", CHAT, 8, 10) == "yes"
    assert asking._this_machine("http://[::1]:8000") and not asking._this_machine("http://10.0.0.1:8000")


@pytest.mark.parametrize("content", [None, "", "  "])
def test_an_empty_answer_is_an_answer(endpoint: Endpoint, content: str | None) -> None:
    endpoint.says = body(answer(content))
    assert ask(url(endpoint), "merged", CHAT, 8, 10) == ""


def test_what_the_model_wrote_is_not_touched(endpoint: Endpoint) -> None:
    wrote = '[bold]x[/] \x1b[2J \u202e {"a": 1}'
    endpoint.says = body(answer(wrote))
    assert ask(url(endpoint), "merged", CHAT, 8, 10) == wrote


def test_an_endpoint_that_is_gone() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(JobFailed) as caught:
        ask(f"http://127.0.0.1:{port}", "merged", CHAT, 8, 5)
    assert caught.value.title == f"Nothing answers at http://127.0.0.1:{port}."
    assert caught.value.cause == "Connection refused."
    assert caught.value.next_step == "Serve the model again, and ask then."


@pytest.mark.parametrize("address", ["http://127.0.0.1:port", "nonsense", "http://", "http://no.such.host.invalid"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(JobFailed, match=r"^Nothing answers at "):
        ask(address, "merged", CHAT, 8, 5)


def test_an_answer_that_takes_too_long(endpoint: Endpoint) -> None:
    error = failure(endpoint, lambda handler: time.sleep(1.0), timeout=0.3)
    assert str(error).startswith("The endpoint did not answer within 0 s. Ask again, or ask something shorter")


def test_an_answer_that_comes_byte_by_byte_ends_too(endpoint: Endpoint) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(60):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.05)

    began = time.monotonic()
    assert "did not answer within" in failure(endpoint, drip, timeout=0.4).title
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b'{"detail": "Server is pinned to \'merged\'."}', "It said: Server is pinned to 'merged'."),
        (b'{"error": {"message": "too long"}}', "It said: too long."),
        (b'{"error": "no memory"}', "It said: no memory."),
        (b'{"detail": [{"msg": "field required"}]}', 'It said: [{"msg": "field required"}].'),
        (b"<html>\x1b[2J broken", "It said: <html>\ufffd[2J broken."),
        (b"[1]", "It said: [1]."),
        (b"", ""),
    ],
)
def test_a_refusal_tells_what_the_endpoint_said(endpoint: Endpoint, said: bytes, cause: str) -> None:
    error = failure(endpoint, body(said, 400))
    assert (error.title, error.cause) == ("The endpoint did not answer the question (HTTP 400).", cause)
    assert "log" in error.next_step


def test_a_redirect_is_not_followed(endpoint: Endpoint) -> None:
    error = failure(endpoint, body(b"", 302, Location="/elsewhere"))
    assert "(HTTP 302)" in error.title
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": "text"}]}',
        b'{"choices": {"message": 1}}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b"[" * 200_000,
    ],
)
def test_a_reply_that_is_no_answer(endpoint: Endpoint, said: bytes) -> None:
    error = failure(endpoint, body(said))
    assert error.title == "What came back is no answer of a language model."
    assert error.cause.startswith("It said: ") and len(error.cause) < 350
    assert "another program" in error.next_step


def test_an_endless_reply_is_left(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "REPLY_MOST", 2 << 20)
    error = failure(endpoint, body(b" " * (3 << 20)))
    assert error.cause == "It sent more than 2 MiB."


def test_a_connection_that_breaks_off(endpoint: Endpoint) -> None:
    for say in (lambda handler: None, lambda handler: handler.wfile.write(b"rubbish\r\n\r\n")):
        error = failure(endpoint, say)
        assert error.title == "The endpoint broke off before it had answered."
    said = answer("yes")
    assert "broke off" in failure(endpoint, body(said[:5], **{"Content-Length": "500"})).title
