"""What a visitor does, over HTTP: show a selfie, get one's photos. And whether they are the right ones."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from demo.portraits import PORTRAITS

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 60
"""Seconds: the first selfie waits until the server has loaded its engine."""

SOON = 5.0
"""Seconds after which an uploaded photo must be in its people's galleries, when a worker is idle."""

BOUNDARY = "grabpic-demo-dW5saWtlbHk"


class VisitError(Exception):
    """The site did not answer, or not as its API promises."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the site answered: a status, and a body."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; VisitError when it is none."""
        try:
            content = json.loads(self.body)
        except ValueError as error:
            raise VisitError(f"The site answered {self.status}, and no JSON: {self.body[:200]!r}") from error
        return dict(content)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a selfie brought; without a match `problem` says why, and all else is empty."""

    problem: str = ""
    grab_id: str = ""
    confidence: float = 0.0
    token: str = ""
    paths: tuple[str, ...] = ()
    file_names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a visitor got all photos of theirs, and nobody else's."""

    person: str
    visit: Visit
    found: frozenset[str]
    missing: frozenset[str]
    strangers: frozenset[str]

    @classmethod
    def on(cls, person: str, visit: Visit, truth: Mapping[str, frozenset[str]]) -> Verdict:
        """Judge a visit by the truth; photos that the truth does not know (somebody's own) do not count."""
        theirs = {name for name, people in truth.items() if person in people}
        got = visit.file_names & truth.keys()
        return cls(person, visit, frozenset(got & theirs), frozenset(theirs - got), frozenset(got - theirs))

    @property
    def is_right(self) -> bool:
        return not self.visit.problem and not self.missing and not self.strangers

    def __str__(self) -> str:
        if self.visit.problem:
            return f"{self.person}: {self.visit.problem}"
        total = len(self.found) + len(self.missing)
        text = (
            f"{self.person}: matched {self.visit.grab_id[:8]}…, confidence {self.visit.confidence:.2f}, "
            f"{len(self.found)} of {total} photos found, {len(self.strangers)} of anybody else"
        )
        named = (("missing", self.missing), ("of somebody else", self.strangers))
        return text + "".join(f"; {word}: {', '.join(sorted(names))}" for word, names in named if names)


@dataclass(frozen=True, slots=True)
class Site:
    """A running Grabpic, as its clients see it."""

    port: int
    host: str = "127.0.0.1"

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    def get(self, path: str, authorization: str = "") -> Answer:
        return self._request("GET", path, headers={"Authorization": authorization} if authorization else {})

    def show_selfie(self, event: str, selfie: bytes, file_name: str) -> Visit:
        """Send a selfie and list the photos that it opens.

        Raises:
            VisitError: the site does not answer as it should.
        """
        answer = self._post_file(f"/api/v1/auth/selfie?event={event}", selfie, file_name)
        content = answer.json()
        if answer.status != 200:
            return Visit(problem=f"no match ({answer.status} {content.get('code')}): {content.get('detail')}")
        return self._gallery(content)

    def look_again(self, visit: Visit) -> Visit:
        """List the photos once more that a selfie opened."""
        return self._gallery({"grab_id": visit.grab_id, "confidence": visit.confidence, "token": visit.token})

    def upload(self, event: str, photo: bytes, file_name: str, api_key: str) -> None:
        """Send a photo as staff do.

        Raises:
            VisitError: the photo was not taken as a new one.
        """
        authorization = {"Authorization": f"Api-Key {api_key}"}
        answer = self._post_file(f"/api/v1/upload?event={event}", photo, file_name, "files", authorization)
        if answer.status != 200 or answer.json().get("uploaded") != 1:
            raise VisitError(f"The upload was answered {answer.status}: {answer.body[:300]!r}")

    def _gallery(self, match: dict[str, Any]) -> Visit:
        answer = self.get(f"/api/v1/users/{match['grab_id']}/images", f"Bearer {match['token']}")
        content = answer.json()
        if answer.status != 200:
            raise VisitError(f"The gallery answered {answer.status}: {content.get('detail')}")
        images = content["images"]
        return Visit(
            grab_id=match["grab_id"],
            confidence=match["confidence"],
            token=match["token"],
            paths=tuple(image["file_path"] for image in images),
            file_names=frozenset(image["file_name"] for image in images),
        )

    def _post_file(
        self,
        path: str,
        content: bytes,
        file_name: str,
        field: str = "file",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{file_name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        content_type = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self._request("POST", path, body, {**content_type, **(headers or {})})

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, HTTPException) as error:
            raise VisitError(f"{method} {self.url(path)} failed: {error or type(error).__name__}") from error
        finally:
            connection.close()


def visit_as(site: Site, event: str, selfie: str, truth: Mapping[str, frozenset[str]]) -> Verdict:
    """Show a held-back portrait to the site, and judge what comes back."""
    portrait = PORTRAITS[selfie]
    visit = site.show_selfie(event, portrait.read(), portrait.path.rpartition("/")[2])
    return Verdict.on(portrait.person, visit, truth)


def file_problems(site: Site, visit: Visit) -> list[str]:
    """Fetch the first of the visitor's photos with the token and without it; return what is not as it should be."""
    path = f"/api/v1/storage/{visit.paths[0]}"
    expected = {f"Bearer {visit.token}": 200, "": 401}
    return [
        f"GET {path} {'with' if authorization else 'without'} the token: {status}, expected {wanted}"
        for authorization, wanted in expected.items()
        if (status := site.get(path, authorization).status) != wanted
    ]


def seconds_until_seen(site: Site, visit: Visit, file_name: str) -> float:
    """Return how long it takes until a photo that was just uploaded is among the visitor's.

    Raises:
        VisitError: longer than `SOON`.
    """
    start = time.monotonic()
    while file_name not in site.look_again(visit).file_names:
        if time.monotonic() - start > SOON:
            raise VisitError(f"{file_name} is not in its person's gallery {SOON:.0f} s after its upload.")
        time.sleep(0.1)
    return time.monotonic() - start
