"""A small server that speaks the few addresses of the Hub that are asked here, with models made up for the test."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class Shelf:
    """What the server has, and what it was asked."""

    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Name to its files."""
    gated: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """What stood in the header `authorization`."""
    breaks_after: int | None = None
    """Bytes of a file after which the connection breaks."""
    claims: int = 0
    """Bytes that weights are said to have; 0 for what they have."""
    url: str = ""


def _handler(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            address = urlsplit(self.path)
            path = unquote(address.path)
            shelf.asked.append(f"{self.command} {path}")
            shelf.tokens.append(self.headers.get("authorization", ""))
            if path == "/":
                self.give(b"", body)
            elif path == "/api/models":
                self.search(parse_qs(address.query), body)
            elif path.startswith("/api/models/"):
                self.api(path.removeprefix("/api/models/"), body)
            else:
                self.file(path[1:], body)

        def search(self, query: dict[str, list[str]], body: bool) -> None:
            wanted = query.get("search", [""])[0].lower()
            found = [
                {
                    "id": name,
                    "modelId": name,
                    "gated": "manual" if name in shelf.gated else False,
                    "downloads": 1000,
                    "safetensors": {"parameters": {"BF16": 2200000}, "total": 2200000},
                    "tags": ["safetensors", "license:apache-2.0"],
                }
                for name in shelf.models
                if wanted in name.lower()
            ]
            self.give(json.dumps(found).encode(), body, "application/json")

        def api(self, rest: str, body: bool) -> None:
            name, _, verb = "/".join(rest.split("/")[:2]), None, "/".join(rest.split("/")[2:])
            if not self.allowed(name, body):
                return
            files = shelf.models[name]
            if verb == "auth-check":
                self.give(b"", body)
            elif verb.startswith("tree/"):
                tree = [
                    {
                        "type": "file",
                        "path": path,
                        "size": self.told_size(path, data),
                        "oid": hashlib.sha1(data).hexdigest(),
                    }
                    for path, data in files.items()
                ]
                self.give(json.dumps(tree).encode(), body, "application/json")
            else:
                siblings = [{"rfilename": path} for path in files]
                self.give(json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode(), body)

        def told_size(self, path: str, data: bytes) -> int:
            return shelf.claims or len(data) if path.endswith("tensors") else len(data)

        def file(self, rest: str, body: bool) -> None:
            name, _, path = rest.partition("/resolve/")
            path = path.partition("/")[2]
            if not self.allowed(name, body):
                return
            if path not in shelf.models[name]:
                self.give(b"", body, status=404, headers={"X-Error-Code": "EntryNotFound"})
                return
            data = shelf.models[name][path]
            tag = hashlib.sha1(data).hexdigest()
            headers = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            status, start = 200, 0
            if shelf.claims and path.endswith("tensors"):
                headers["X-Linked-Size"] = str(shelf.claims)
            if self.headers.get("Range"):
                start = int(self.headers["Range"].removeprefix("bytes=").partition("-")[0])
                status = 206
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.give(
                data[start:], body, "application/octet-stream", status, headers, may_break=path.endswith("tensors")
            )

        def allowed(self, name: str, body: bool) -> bool:
            if name not in shelf.models:
                self.give(b"{}", body, status=404, headers={"X-Error-Code": "RepoNotFound"})
                return False
            if name in shelf.gated and self.headers.get("authorization") != "Bearer hf_granted":
                status = 403 if self.headers.get("authorization") else 401
                self.give(b"{}", body, status=status, headers={"X-Error-Code": "GatedRepo"})
                return False
            return True

        def give(
            self,
            data: bytes,
            body: bool,
            kind: str = "application/json",
            status: int = 200,
            headers: dict[str, str] | None = None,
            *,
            may_break: bool = False,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if not body:
                return
            if may_break and shelf.breaks_after is not None:
                self.wfile.write(data[: shelf.breaks_after])
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(data)

    return Handler


@contextmanager
def hub(shelf: Shelf) -> Iterator[Shelf]:
    """The server on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shelf))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()
