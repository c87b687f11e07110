"""Visitors in numbers: selfies sent over HTTP, from many threads."""

from __future__ import annotations

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SENDERS = 64
"""Threads that send; more than that are never under way, even where the server is far behind."""

EXPECTED = {(200, ""), (404, "no_match")}
"""Status and code of right answers."""

BOUNDARY = "grabpic-benchmark-dW5saWtlbHk"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one selfie got: the seconds since it was due, and whether the answer is one of the right ones."""

    seconds: float
    is_right: bool


class Client:
    """Sends selfies, from any number of threads; each keeps its connection."""

    def __init__(self, port: int, path: str, secret: str) -> None:
        self._port, self._path = port, path
        self._headers = {
            "Authorization": f"Api-Key {secret}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }
        self._own = local()

    def ask(self, selfie: bytes, due: float) -> Answer:
        try:
            is_right = self._post(selfie) in EXPECTED
        except (OSError, HTTPException):
            self._own.connection = None
            is_right = False
        return Answer(time.perf_counter() - due, is_right)

    def _post(self, selfie: bytes) -> tuple[int, str]:
        connection = getattr(self._own, "connection", None) or HTTPConnection("127.0.0.1", self._port, timeout=60)
        self._own.connection = connection
        connection.request("POST", self._path, _form(selfie), self._headers)
        response = connection.getresponse()
        return response.status, str(json.loads(response.read()).get("code", ""))


def _form(selfie: bytes) -> bytes:
    head = 'Content-Disposition: form-data; name="file"; filename="selfie.jpg"\r\nContent-Type: image/jpeg'
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + selfie + f"\r\n--{BOUNDARY}--\r\n".encode()


def open_loop(client: Client, selfies: Sequence[bytes], rate: float, seconds: float) -> list[Answer]:
    """Send `rate` selfies a second, each when it is due, whether or not those before were answered."""
    start = time.perf_counter() + 0.1
    with ThreadPoolExecutor(SENDERS) as pool:
        under_way = []
        for number in range(round(rate * seconds)):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            under_way.append(pool.submit(client.ask, selfies[number % len(selfies)], due))
        return [future.result() for future in under_way]


def closed_loop(client: Client, selfies: Sequence[bytes], clients: int, seconds: float) -> list[Answer]:
    """Have so many clients send one selfie after the other."""
    end, supply = time.perf_counter() + seconds, itertools.cycle(selfies)

    def work(_: int) -> list[Answer]:
        answers = []
        while (now := time.perf_counter()) < end:
            answers.append(client.ask(next(supply), now))
        return answers

    with ThreadPoolExecutor(clients) as pool:
        return list(itertools.chain.from_iterable(pool.map(work, range(clients))))
