"""Tampered pictures, sent to the site as `manage.py benchmark fuzz` does it, but without processes of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarks import fuzz, sending
from benchmarks.management.commands.benchmark import MUST_BE_ZERO
from benchmarks.mutations import mutation
from benchmarks.parts import parts_of
from benchmarks.sending import Answer
from benchmarks.specimens import specimens
from conftest import new_key
from events.models import Event, Image
from faces import pipeline
from faces.consent import VERSION

if TYPE_CHECKING:
    from django.test import Client

SEED = 20261123
REFUSALS = {"empty", "unsupported", "not_an_image", "broken", "truncated", "image_too_large"}

COUNTED = (("mutations", "files"), ("answers_500", "answers"), ("unanswered", "files"), ("slowest_ms", "ms"))


def files(first: int, count: int) -> list[SimpleUploadedFile]:
    made = [mutation(SEED, number) for number in range(first, first + count)]
    return [SimpleUploadedFile(f"{each.number}.jpg", each.content) for each in made]


def test_no_upload_breaks_the_site_and_each_photo_that_is_taken_comes_to_an_end(client: Client, event: Event) -> None:
    key = new_key()
    answer = client.post("/api/v1/upload", {"files": files(0, 75)}, headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 200
    assert {error["code"] for error in answer.json()["errors"]} <= REFUSALS
    pipeline.ingest(event)
    states = Counter(event.images.values_list("state", flat=True))
    assert states[Image.State.PENDING] == 0
    assert min(states[Image.State.INDEXED], states[Image.State.FAILED]) >= 5
    assert set(event.images.filter(state="failed").values_list("failure_code", flat=True)) <= REFUSALS


@pytest.mark.parametrize("address", ["/api/v1/auth/selfie", "/events/city-run/selfie/"])
def test_no_selfie_breaks_the_site(client: Client, event: Event, address: str) -> None:
    codes: Counter[str] = Counter()
    for file in files(100, 40):
        answer = client.post(address, {"file": file, "consent": VERSION}, headers={"Accept": "application/json"})
        assert answer.status_code in {400, 404, 413}
        codes[answer.json()["code"]] += 1
    assert set(codes) <= REFUSALS | {"no_face", "no_match", "several_faces", "too_small", "too_blurred"}
    assert codes["broken"] >= 3
    assert codes["no_match"] >= 3


def test_a_mutation_can_be_had_again() -> None:
    assert mutation(1, 7) == mutation(1, 7)
    assert mutation(1, 7) != mutation(2, 7)


def test_pictures_are_cut_into_parts_without_a_loss() -> None:
    for name, content in specimens().items():
        assert b"".join(parts_of(content)) == content, name
        assert len(parts_of(content)) > 1, name


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<h1>Bad Request</h1>", "no_json"),
        (b'{"detail": "It is empty.", "code": "empty"}', "empty"),
        (b'{"uploaded": 0, "files": [], "errors": [{"file": "a", "code": "broken", "detail": ""}]}', "broken"),
        (b'{"uploaded": 1, "files": [{"duplicate": false}], "errors": []}', "added"),
        (b'{"uploaded": 0, "files": [{"duplicate": true}], "errors": []}', "duplicate"),
        (b'{"grab_id": "0b7e3d3c", "token": "x"}', "matched"),
    ],
)
def test_answers_are_told_apart(body: bytes, code: str) -> None:
    assert sending.code_of(body) == code


def test_counts_what_must_not_be() -> None:
    answers = [Answer(200, "matched", 0.1), Answer(500, "server_error", 2.5), Answer(0, "TimeoutError", 0.2)]
    found = fuzz.of_answers([("selfie", answer) for answer in answers])
    assert [found["all", metric, unit] for metric, unit in COUNTED] == [3, 1, 1, 2500]
    assert found["selfie", "500 server_error", "answers"] == 1
    assert {"answers_500", "unanswered", "workers_lost", "unfinished"} <= MUST_BE_ZERO
