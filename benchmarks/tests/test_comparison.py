"""What two runs over the same photos are compared by: each test spoils one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from benchmarks import comparison
from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from events.models import Event, Image
from faces import pipeline
from faces.models import Face, ImageFace

if TYPE_CHECKING:
    from benchmarks.comparison import Recording

PHOTOS = {"none.png": [], "both.png": [RED, GREEN], "red.png": [RED], "blue.png": [BLUE]}


@pytest.fixture
def expected(event: Event) -> Recording:
    return comparison.record(_indexed(event))


@pytest.fixture
def found(expected: Recording, other_event: Event) -> Event:
    """The event that every test compares with the other one."""
    return _indexed(other_event)


def _indexed(event: Event) -> Event:
    for name, colours in PHOTOS.items():
        assert isinstance(ingest.add(event, paint_photo(*colours), name), ingest.Added)
    pipeline.ingest(event)
    return event


def _photo(event: Event, name: str) -> Image:
    return event.images.get(file_name=name)


def _differences(expected: Recording, event: Event) -> tuple[int, int]:
    differences = comparison.differences(expected, comparison.record(event))
    return len(differences.photos), differences.pairs


def test_the_same(expected: Recording, found: Event) -> None:
    recording = comparison.record(found)
    assert len(recording) == len(PHOTOS)
    assert comparison.lost(expected, recording) == comparison.doubled(recording) == 0
    assert _differences(expected, found) == (0, 0)


@pytest.mark.parametrize(
    ("change", "photos"), [({"state": "failed", "failure_code": "crashed"}, 1), ({"state": "pending"}, 1), ({}, 0)]
)
def test_a_photo_that_ended_otherwise(expected: Recording, found: Event, change: dict[str, str], photos: int) -> None:
    found.images.filter(file_name="none.png").update(**change)
    assert _differences(expected, found) == (photos, 0)


def test_a_face_is_missing(expected: Recording, found: Event) -> None:
    ImageFace.objects.filter(image=_photo(found, "both.png"))[0].delete()
    assert _differences(expected, found) == (1, 0)


def test_a_face_is_elsewhere(expected: Recording, found: Event) -> None:
    ImageFace.objects.filter(image=_photo(found, "red.png")).update(x=200)
    assert _differences(expected, found) == (1, 0)


def test_a_face_is_described_otherwise(expected: Recording, found: Event) -> None:
    red, blue = (ImageFace.objects.get(image=_photo(found, name)) for name in ("red.png", "blue.png"))
    red.embedding.vector = blue.embedding.vector
    red.embedding.save()
    assert _differences(expected, found) == (1, 0)


def test_faces_are_grouped_otherwise(expected: Recording, found: Event) -> None:
    ImageFace.objects.filter(image=_photo(found, "red.png")).update(face=None)
    assert _differences(expected, found) == (0, 1), "red was together with red"
    ImageFace.objects.filter(image__event=found).update(face=Face.objects.filter(event=found)[0])
    assert _differences(expected, found) == (0, 5), "of the six pairs, one belongs together"


def test_a_photo_is_gone(expected: Recording, found: Event) -> None:
    _photo(found, "red.png").delete()
    assert comparison.lost(expected, comparison.record(found)) == 1
    assert _differences(expected, found)[0] == 1


@pytest.mark.parametrize("rendition", Image.Rendition.values)
def test_a_file_is_gone_or_damaged(expected: Recording, found: Event, rendition: str) -> None:
    key = _photo(found, "red.png").key_of(rendition)
    with default_storage.open(key) as file:
        content = file.read()
    default_storage.save(key, ContentFile(content[: len(content) // 2]))
    assert comparison.lost(expected, comparison.record(found)) == 1
    default_storage.delete(key)
    assert comparison.lost(expected, comparison.record(found)) == 1


def test_a_photo_is_still_pending(expected: Recording, found: Event) -> None:
    found.images.filter(file_name="red.png").update(state="pending")
    assert comparison.lost(expected, comparison.record(found)) == 1


def test_a_face_is_there_twice(found: Event) -> None:
    twin = ImageFace.objects.get(image=_photo(found, "red.png"))
    embedding = twin.embedding
    twin.pk = None
    twin.save()
    embedding.image_face = twin
    embedding.pk = twin.pk
    embedding.save(force_insert=True)
    assert comparison.doubled(comparison.record(found)) == 1
