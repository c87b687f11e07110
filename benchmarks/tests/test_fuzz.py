"""Tampered pictures, sent to the site as `manage.py benchmark fuzz` does it, but without processes of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarks.mutations import mutation
from benchmarks.parts import parts_of
from benchmarks.specimens import specimens
from conftest import new_key
from events.models import Event, Image
from faces import pipeline
from faces.consent import VERSION

if TYPE_CHECKING:
    from django.test import Client

SEED = 20261123
REFUSALS = {"empty", "unsupported", "not_an_image", "broken", "truncated", "image_too_large"}


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
