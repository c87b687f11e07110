"""A selfie finds its person, and nobody else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image as Picture

from conftest import BLUE, GREEN, RED
from faces import pipeline, search
from faces.gallery import Grant
from faces.models import Face, ImageFace
from faces.search import Match, NoMatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import Settings

    from events.models import Event, Image

    Painter = Callable[..., io.BytesIO]


def photos_of(event: Event, selfie: io.BytesIO) -> set[str]:
    found = search.find(event, selfie)
    assert isinstance(found, Match)
    return set(Grant.from_match(event, found).images().values_list("file_name", flat=True))


def test_a_selfie_finds_all_photos_of_its_person_and_no_others(run: Event, paint: Painter) -> None:
    assert photos_of(run, paint(RED)) == {"red.png", "red-green.png", "all.png"}
    assert photos_of(run, paint(GREEN)) == {"red-green.png", "all.png"}
    assert photos_of(run, paint(BLUE)) == {"all.png"}


def test_the_confidence_is_the_similarity(run: Event, paint: Painter) -> None:
    found = search.find(run, paint(RED))
    assert isinstance(found, Match)
    assert found.confidence == pytest.approx(1, abs=1e-3)


def test_a_stranger_finds_nothing(run: Event, paint: Painter) -> None:
    found = search.find(run, paint((220, 220, 0)))
    assert found == NoMatch("no_match", "No matching identity found. Your face is not in any ingested photos.")


def test_other_events_are_not_searched(
    run: Event, other_event: Event, add: Callable[..., Image], paint: Painter
) -> None:
    add("elsewhere.png", (220, 220, 0), to=other_event)
    pipeline.ingest(other_event)
    assert search.find(run, paint((220, 220, 0))) == search.find(run, paint((0, 220, 220)))


def test_an_empty_event_matches_nobody(event: Event, paint: Painter) -> None:
    found = search.find(event, paint(RED))
    assert isinstance(found, NoMatch)
    assert found.code == "no_match"


def test_a_person_that_was_grouped_in_parts_is_found_whole(run: Event, paint: Painter) -> None:
    face = ImageFace.objects.filter(image__file_name="all.png").order_by("x")[0]
    assert face.face
    face.face = Face.objects.create(event=run, engine="fake", embedding=face.face.embedding)
    face.save()
    assert photos_of(run, paint(RED)) == {"red.png", "red-green.png", "all.png"}


def test_the_events_threshold_wins_over_the_setting(run: Event, paint: Painter, settings: Settings) -> None:
    near_red = paint((230, 20, 60))
    assert isinstance(search.find(run, near_red), Match)
    settings.SIMILARITY_THRESHOLD = 0.0001
    assert isinstance(search.find(run, near_red), NoMatch)
    run.max_distance = 0.3
    assert isinstance(search.find(run, near_red), Match)


def test_persons_that_a_grouping_united_meanwhile_are_left_out(
    run: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def united_meanwhile(*args: object) -> object:
        found = hits(*args)  # type: ignore[arg-type]
        Face.objects.all().delete()
        return found

    hits = search._hits
    monkeypatch.setattr(search, "_hits", united_meanwhile)
    assert search.find(run, paint(RED)) == search.NO_MATCH


def test_a_selfie_of_too_many_pixels(run: Event, paint: Painter, settings: Settings) -> None:
    settings.MAX_SELFIE_MEGAPIXELS = 0
    found = search.find(run, paint(RED))
    assert isinstance(found, NoMatch)
    assert found.code == "image_too_large"


def test_a_selfie_without_a_face(run: Event, paint: Painter) -> None:
    found = search.find(run, paint())
    assert isinstance(found, NoMatch)
    assert found.code == "no_face"


def test_a_selfie_of_two_is_nobodys(run: Event, paint: Painter) -> None:
    found = search.find(run, paint(RED, GREEN))
    assert isinstance(found, NoMatch)
    assert found.code == "several_faces"


def test_somebody_small_in_the_background_does_not_matter(run: Event) -> None:
    selfie = Picture.new("RGB", (400, 300), (128, 128, 128))
    selfie.paste(RED, (50, 50, 200, 200))
    selfie.paste(GREEN, (300, 100, 340, 140))
    file = io.BytesIO()
    selfie.save(file, "PNG")
    assert "red.png" in photos_of(run, file)


@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"not a picture", "not_an_image")])
def test_a_selfie_that_is_no_photo(run: Event, content: bytes, code: str) -> None:
    found = search.find(run, io.BytesIO(content))
    assert isinstance(found, NoMatch)
    assert found.code == code


def test_a_selfie_over_the_limit(run: Event, paint: Painter, settings: Settings) -> None:
    settings.MAX_SELFIE_MB = 0
    found = search.find(run, paint(RED))
    assert isinstance(found, NoMatch)
    assert found.code == "file_too_large"


def test_a_search_writes_nothing(run: Event, paint: Painter, django_assert_num_queries: Callable[..., object]) -> None:
    with django_assert_num_queries(3) as queries:  # type: ignore[attr-defined]
        search.find(run, paint(RED))
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)
