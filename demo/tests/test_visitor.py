from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from conftest import BLUE, RED, paint_photo
from demo.visitor import Answer, Site, Verdict, Visit, VisitError, file_problems
from events import ingest
from faces import pipeline

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

ANN, BOB = frozenset({"Ann"}), frozenset({"Bob"})
TRUTH = {"1.jpg": ANN, "2.jpg": ANN | BOB, "3.jpg": BOB, "4.jpg": frozenset[str]()}


def visit_of(*file_names: str) -> Visit:
    return Visit(grab_id="abcdef0123456789", confidence=0.8123, token="t", file_names=frozenset(file_names))


def test_all_photos_and_no_others_is_right() -> None:
    verdict = Verdict.on("Ann", visit_of("1.jpg", "2.jpg"), TRUTH)

    assert verdict.is_right
    assert str(verdict) == "Ann: matched abcdef01…, confidence 0.81, 2 of 2 photos found, 0 of anybody else"


def test_a_missing_photo_is_wrong_and_named() -> None:
    verdict = Verdict.on("Ann", visit_of("1.jpg"), TRUTH)

    assert not verdict.is_right
    assert "1 of 2 photos found" in str(verdict)
    assert "missing: 2.jpg" in str(verdict)


def test_a_strangers_photo_is_wrong_and_named() -> None:
    verdict = Verdict.on("Ann", visit_of("1.jpg", "2.jpg", "3.jpg", "4.jpg"), TRUTH)

    assert not verdict.is_right
    assert "2 of anybody else; of somebody else: 3.jpg, 4.jpg" in str(verdict)


def test_no_match_is_wrong_and_says_why() -> None:
    verdict = Verdict.on("Ann", Visit(problem="no match"), TRUTH)

    assert not verdict.is_right
    assert str(verdict) == "Ann: no match"


def test_photos_that_are_not_the_demos_do_not_count() -> None:
    assert Verdict.on("Ann", visit_of("1.jpg", "2.jpg", "my-own.jpg"), TRUTH).is_right


def test_an_answer_without_json_is_reported() -> None:
    with pytest.raises(VisitError, match="502"):
        Answer(502, b"<html>").json()


def test_a_site_that_is_not_there_is_reported() -> None:
    with pytest.raises(VisitError, match="failed"):
        Site(1).get("/")


@pytest.fixture
def site(live_server: LiveServer, event: Event) -> Site:
    """A site with two photos of a red person and one of a blue one."""
    for number, colours in enumerate([(RED,), (RED, BLUE), (BLUE,)], 1):
        ingest.add(event, paint_photo(*colours, shade=100 + number), f"{number}.jpg")
    pipeline.ingest(event)
    return Site(urlsplit(live_server.url).port or 0, "localhost")


def test_a_selfie_opens_its_photos_on_a_real_site(site: Site) -> None:
    visit = site.show_selfie("city-run", paint_photo(RED).getvalue(), "me.png")

    assert visit.file_names == {"1.jpg", "2.jpg"}
    assert file_problems(site, visit) == []


def test_a_selfie_of_nobody_there_finds_nothing(site: Site) -> None:
    visit = site.show_selfie("city-run", paint_photo().getvalue(), "me.png")

    assert "400 no_face" in visit.problem
    assert visit.file_names == frozenset()


def test_a_token_that_opens_nothing_is_a_problem(site: Site) -> None:
    visit = site.show_selfie("city-run", paint_photo(RED).getvalue(), "me.png")
    forged = Visit(token="forged", paths=visit.paths)

    assert file_problems(site, forged) == [f"GET /api/v1/storage/{visit.paths[0]} with the token: 401, expected 200"]
