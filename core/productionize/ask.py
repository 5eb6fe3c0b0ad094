"""One question to an OpenAI-compatible endpoint, with the standard library alone: light enough for a screen."""

from __future__ import annotations

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import IO, Any

from tunesmith.core.errors import JobFailed, TunesmithError
from tunesmith.core.wording import plain

REPLY_MOST = 8 << 20
"""Bytes of a reply that are read; more is no answer to one question."""

_CHUNK = 1 << 16
_CAUSE_MOST = 300


def ask(
    base_url: str, model_id: str, messages: Sequence[dict[str, str]], max_tokens: int, timeout: float = 300.0
) -> str:
    """The endpoint's answer to a chat, decoded greedily (temperature 0), without white space at its ends.

    The text is as the model wrote it: what shows it makes it harmless. A proxy of the environment is not asked for
    this machine.

    Args:
        base_url: Without `/v1`, e.g. `http://127.0.0.1:8000`.
        model_id: What the request's `model` field says.
        messages: Turns with `role` and `content`.
        max_tokens: The longest answer.
        timeout: Seconds to wait for the answer; at most about twice that where it comes byte by byte.

    Raises:
        JobFailed: Nothing answers there, not in time, or what answers refuses or is no such endpoint.
    """
    body = {"model": model_id, "messages": list(messages), "temperature": 0, "max_tokens": max_tokens}
    where = f"{base_url}/v1/chat/completions"
    deadline = time.monotonic() + timeout
    try:
        request = urllib.request.Request(where, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with _opener(base_url).open(request, timeout=timeout) as reply:
            told = _read(reply, deadline)
    except urllib.error.HTTPError as error:
        raise _refused(error, deadline) from error
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        raise _unreachable(base_url, error, timeout) from error
    return _answer(told)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A question belongs to the address that it was sent to, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: the redirect is told as an HTTP error."""


def _opener(base_url: str) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_NoRedirect()]
    if _this_machine(base_url):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _this_machine(base_url: str) -> bool:
    host = urllib.parse.urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(reply: IO[bytes], deadline: float) -> bytes:
    """The whole reply; `timeout` of the connection is for each piece, the deadline for all of them."""
    pieces, size = [], 0
    read1 = getattr(reply, "read1", reply.read)  # what has come so far, where `read` would wait for the whole chunk
    while piece := read1(_CHUNK):
        pieces.append(piece)
        size += len(piece)
        if size > REPLY_MOST:
            raise _no_answer(f"It sent more than {REPLY_MOST >> 20} MiB.")
        if time.monotonic() > deadline:
            raise TimeoutError
    missing = getattr(reply, "length", None)  # `read1` does not tell that the connection ended before its time
    if missing:
        raise http.client.IncompleteRead(b"", missing)
    return b"".join(pieces)


def _answer(told: bytes) -> str:
    try:
        reply = json.loads(told)
        content = reply["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        raise _no_answer(f"It said: {_shown(told)}") from None
    if content is None:
        return ""
    if not isinstance(content, str):
        raise _no_answer(f"It said: {_shown(told)}")
    return content.strip()


def _refused(error: urllib.error.HTTPError, deadline: float) -> TunesmithError:
    """The endpoint answered with an error of its own."""
    with error:
        try:
            told = _read(error, deadline)
        except (OSError, http.client.HTTPException, TunesmithError):
            told = b""
    return JobFailed(
        f"The endpoint did not answer the question (HTTP {error.code}).",
        cause=_sentence(f"It said: {_message(told)}") if told.strip() else "",
        next_step="Ask something shorter, or look into the endpoint's log.",
    )


def _message(told: bytes) -> str:
    """What an error's body says: FastAPI's `detail`, OpenAI's `error.message`, else the text itself."""
    try:
        body = json.loads(told)
    except (ValueError, RecursionError):
        return _shown(told)
    if isinstance(body, dict):
        error = body.get("error")
        inner = error.get("message") if isinstance(error, dict) else error
        found = body.get("detail") or inner or body.get("message")
        if found:
            return plain(found if isinstance(found, str) else json.dumps(found), _CAUSE_MOST)
    return _shown(told)


def _unreachable(base_url: str, error: Exception, timeout: float) -> TunesmithError:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return JobFailed(
            f"The endpoint did not answer within {timeout:.0f} s.",
            next_step="Ask again, or ask something shorter; a large model on a processor takes its time.",
        )
    broken = isinstance(reason, ConnectionResetError | BrokenPipeError | http.client.HTTPException)
    if broken and not isinstance(reason, http.client.InvalidURL):
        return JobFailed(
            "The endpoint broke off before it had answered.",
            cause=_sentence(f"{type(reason).__name__}: {plain(str(reason), _CAUSE_MOST)}"),
            next_step="Ask again; where it is gone, serve the model again.",
        )
    return JobFailed(
        f"Nothing answers at {plain(base_url, 100)}.",
        cause=_sentence(plain(getattr(reason, "strerror", None) or str(reason), _CAUSE_MOST)),
        next_step="Serve the model again, and ask then.",
    )


def _no_answer(cause: str) -> TunesmithError:
    return JobFailed(
        "What came back is no answer of a language model.",
        cause=_sentence(cause),
        next_step="See whether another program listens at that address.",
    )


def _shown(told: bytes) -> str:
    return plain(told[: 4 * _CAUSE_MOST].decode("utf-8", errors="replace"), _CAUSE_MOST) or "(nothing)"


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "…")) else text + "."
