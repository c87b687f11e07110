"""Files sent to the places of the site that take some, over HTTP, byte by byte as they are."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

from django.conf import settings

from demo.server import HOST
from faces.consent import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.mutations import Mutation

BOUNDARY = "grabpic-fuzz-bm90IGxpa2VseQ"

UPLOAD, SELFIE, PAGE = "upload", "selfie", "page"
"""The places: the API's upload, its selfie, and the selfie's form of the website."""

LONGEST = 120
"""Seconds for an answer, or there is none."""

UNANSWERED = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status (0: there was no answer), what it says (a stable code), and how long it took."""

    status: int
    code: str
    seconds: float


class Sender:
    """Sends files to one event, as who has the API key, and as a visitor."""

    def __init__(self, port: int, slug: str, secret: str) -> None:
        self._port, self._slug, self._key = port, slug, {"Authorization": f"Api-Key {secret}"}
        self._cookie = self._visit()

    def send(self, place: str, mutation: Mutation) -> Answer:
        """Send the file; a connection that breaks is an answer with status 0."""
        started = time.perf_counter()
        try:
            status, code = self._send(place, mutation)
        except (OSError, HTTPException) as error:
            status, code = UNANSWERED, type(error).__name__
        return Answer(status, code, time.perf_counter() - started)

    def _send(self, place: str, mutation: Mutation) -> tuple[int, str]:
        match place:
            case "upload":
                path, body, headers = "/api/v1/upload", _form("files", mutation), self._key
            case "selfie":
                path, body, headers = "/api/v1/auth/selfie", _form("file", mutation), self._key
            case _:
                path, body = f"/events/{self._slug}/selfie/", _form("file", mutation, ("consent", VERSION))
                cookie = f"{settings.CSRF_COOKIE_NAME}={self._cookie}"
                headers = {"Cookie": cookie, "X-CSRFToken": self._cookie, "Accept": "application/json"}
        headers |= {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self._post(f"{path}?event={self._slug}", body, headers)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        connection = HTTPConnection(HOST, self._port, timeout=LONGEST)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, code_of(response.read())
        finally:
            connection.close()

    def _visit(self) -> str:
        """Return the token against forged forms, as the event's page gives it."""
        connection = HTTPConnection(HOST, self._port, timeout=LONGEST)
        connection.request("GET", f"/events/{self._slug}/")
        response = connection.getresponse()
        response.read()
        connection.close()
        cookies: Iterable[str] = response.headers.get_all("Set-Cookie") or ()
        pairs = dict(cookie.split(";")[0].split("=", 1) for cookie in cookies)
        return pairs[settings.CSRF_COOKIE_NAME]


def _form(field: str, mutation: Mutation, *values: tuple[str, str]) -> bytes:
    head = f'Content-Disposition: form-data; name="{field}"; filename="'.encode() + mutation.name
    parts = [head + f'"\r\nContent-Type: {mutation.content_type}\r\n\r\n'.encode() + mutation.content]
    parts += [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in values]
    boundary = f"--{BOUNDARY}".encode()
    return b"".join(boundary + b"\r\n" + part + b"\r\n" for part in parts) + boundary + b"--\r\n"


def code_of(body: bytes) -> str:
    """Return the stable word of an answer; of an upload, what became of the file."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "no_json"
    if errors := answer.get("errors"):
        return str(errors[0]["code"])
    if files := answer.get("files"):
        return "duplicate" if files[0]["duplicate"] else "added"
    return str(answer.get("code", "matched"))
