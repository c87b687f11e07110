"""A program that webhooks are sent to, on loopback: it keeps what it hears, and answers as it is told."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from events.models import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[[BaseHTTPRequestHandler], None]

ALL = list(Webhook.Kind)


class Receiver:
    """What was heard, and what to answer: a status code, or a function that answers by itself; 200 by default."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.connections: set[tuple[str, int]] = set()
        self.answers: deque[int | Answer] = deque()
        self.usual: int | Answer = 200

    def hear(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.bodies.append(body)
        self.heard.append(json.loads(body))
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        self.connections.add(handler.client_address)
        answer = self.answers.popleft() if self.answers else self.usual
        if callable(answer):
            answer(handler)
        else:
            handler.send_response(answer)
            handler.send_header("Content-Length", "0")
            handler.end_headers()


@contextmanager
def receiving(prepare: Callable[[ThreadingHTTPServer], str] = lambda _: "http") -> Iterator[Receiver]:
    """Have a receiver inside the block; `prepare` may change its server, and returns the scheme."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.hear(self)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing, where somebody was hung up on."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"{prepare(server)}://127.0.0.1:{server.server_port}/hook?site=1")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def new_webhook(url: str = "https://client.example/hook", *kinds: str, **fields: Any) -> Webhook:
    """Make a webhook, of every kind and event unless said otherwise."""
    fields = {"name": "client", "every_event": True, **fields}
    return Webhook.objects.create(url=url, kinds=list(kinds or ALL), **fields)
