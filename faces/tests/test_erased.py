"""An erased face is not found again in the same photo, whoever looks and whichever way up; its neighbours are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conftest import BLUE, GREEN, RED
from events import ingest
from events.models import Event, Image
from faces import engine as engines
from faces import pipeline, privacy, search
from faces.engine import Box, Detection, RGBArray
from faces.engine.fake import FakeEngine
from faces.engine.tests.portraits import ARDERN, ARDERN_LATER, BIDEN, read
from faces.erased import laid_back, same_places
from faces.models import Embedding, Erased, Face, ImageFace
from faces.search import Match, NoMatch
from faces.tests.test_privacy import person_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    Painter = Callable[..., io.BytesIO]

FACE = Box(100, 100, 70, 70)


@pytest.mark.parametrize(
    "found",
    [
        Box(100, 100, 70, 70),
        Box(115, 100, 70, 70),  # half of it is common
        Box(80, 70, 110, 130),  # with hair and chin
        Box(112, 112, 46, 46),  # eyes and mouth
        Box(120, 128, 70, 70),  # shifted: less than a third is common
    ],
)
def test_another_detector_does_not_bring_it_back(found: Box) -> None:
    assert same_places([FACE], [found]) == {0}


@pytest.mark.parametrize(
    "found",
    [
        Box(170, 100, 70, 70),  # next to it
        Box(150, 100, 70, 70),  # cheek to cheek
        Box(100, 172, 70, 70),  # below
        Box(125, 125, 20, 20),  # a button with a face
        Box(20, 20, 300, 300),  # somebody in front
    ],
)
def test_who_is_beside_it_is_somebody_else(found: Box) -> None:
    assert same_places([FACE], [found]) == set()


def test_of_two_cheek_to_cheek_the_closer_one_goes() -> None:
    cheek, itself = Box(135, 100, 70, 70), Box(105, 102, 66, 70)
    assert cheek.overlap(FACE) > 0.3
    assert same_places([FACE], [cheek, itself]) == {1}


def test_a_face_that_is_found_twice_goes_twice() -> None:
    assert same_places([FACE], [FACE, Box(103, 100, 70, 70), Box(180, 100, 70, 70)]) == {0, 1}
    assert same_places([FACE, Box(103, 100, 70, 70)], [FACE, Box(135, 100, 70, 70)]) == {0}


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_box_is_laid_back_as_its_photo_was_turned(turns: int) -> None:
    lying = np.zeros((30, 50), bool)
    lying[5:9, 20:34] = True
    upright = np.rot90(lying, turns)
    rows, columns = np.flatnonzero(upright.any(axis=1)), np.flatnonzero(upright.any(axis=0))
    box = Box(columns[0], rows[0], len(columns), len(rows))
    assert laid_back(box, (upright.shape[1], upright.shape[0]), turns) == Box(20, 5, 14, 4)


def upload(event: Event, *photos: tuple[str, io.BytesIO]) -> None:
    """Delete the event's photos, and upload these."""
    event.images.all().delete()
    for name, file in photos:
        file.seek(0)
        assert isinstance(ingest.add(event, file, name), ingest.Added)


@pytest.fixture
def twins(event: Event, paint: Painter, staff: User) -> io.BytesIO:
    """A photo of two people side by side, of whom the left one has been erased."""
    photo = paint(RED, GREEN)
    upload(event, ("twins.png", photo), ("red.png", paint(RED, shade=90)))
    pipeline.ingest(event)
    privacy.erase(event, [person_at("twins.png", 0)], staff)
    return photo


def boxes(event: Event) -> list[tuple[str, float]]:
    """Return where faces are: photo, and the distance from the left."""
    return list(ImageFace.objects.filter(image__event=event).order_by("x").values_list("image__file_name", "x"))


def test_the_same_photo_uploaded_again_shows_the_other_one_only(
    event: Event, paint: Painter, twins: io.BytesIO
) -> None:
    upload(event, ("again.png", twins), ("alone.png", paint(RED, shade=90)), ("new.png", paint(BLUE)))
    pipeline.ingest(event)
    assert boxes(event) == [("new.png", 20), ("again.png", 110)]
    assert Embedding.objects.count() == Face.objects.count() == 2
    assert isinstance(search.find(event, paint(RED)), NoMatch)
    assert isinstance(search.find(event, paint(GREEN)), Match)
    states = dict(Image.objects.values_list("file_name", "state"))
    assert states == {"again.png": "indexed", "alone.png": "no_face", "new.png": "indexed"}


def test_a_photo_that_failed_is_tried_again_without_them(event: Event, twins: io.BytesIO) -> None:
    upload(event, ("again.png", twins))
    Image.objects.update(state="failed", failure_code="crashed")
    event.images.all().retry()
    pipeline.ingest(event)
    assert boxes(event) == [("again.png", 110)]


def test_in_another_event_they_may_be_found(
    event: Event, other_event: Event, paint: Painter, twins: io.BytesIO
) -> None:
    upload(other_event, ("twins.png", twins))
    pipeline.ingest(other_event)
    assert boxes(other_event) == [("twins.png", 20), ("twins.png", 110)]
    assert isinstance(search.find(other_event, paint(RED)), Match)


@pytest.mark.usefixtures("twins")
def test_in_another_photo_they_are_somebody_new(event: Event, paint: Painter) -> None:
    known = set(Face.objects.values_list("grab_id", flat=True))
    upload(event, ("other.png", paint(RED, GREEN, shade=77)))
    pipeline.ingest(event)
    assert boxes(event) == [("other.png", 20), ("other.png", 110)]
    assert person_at("other.png", 0).grab_id not in known


@pytest.mark.engine
def test_real_engines_do_not_find_them_again(event: Event, staff: User) -> None:
    Event.objects.update(engine="facenet+sface")
    event.refresh_from_db()
    photos = [(portrait[1], io.BytesIO(read(*portrait))) for portrait in (ARDERN, ARDERN_LATER, BIDEN)]
    upload(event, *photos)
    pipeline.ingest(event)
    privacy.erase(event, [person_at(ARDERN[1], 0)], staff)
    upload(event, *photos)
    Event.objects.update(engine="sface")
    event.refresh_from_db()
    pipeline.ingest(event)
    states = dict(Image.objects.values_list("file_name", "state"))
    assert states == {ARDERN[1]: "no_face", ARDERN_LATER[1]: "no_face", BIDEN[1]: "indexed"}
    assert isinstance(search.find(event, io.BytesIO(read(*ARDERN_LATER))), NoMatch)
    assert isinstance(search.find(event, io.BytesIO(read(*BIDEN))), Match)


class WideBoxes(FakeEngine):
    """Draws its boxes a third larger, and a little lower."""

    name = "wide"

    def detect(self, image: RGBArray) -> list[Detection]:
        found = super().detect(image)
        return [Detection(_larger(each.box), each.landmarks, each.score) for each in found]


def _larger(box: Box) -> Box:
    return Box(box.x - box.width / 6, box.y - box.height / 12, box.width * 4 / 3, box.height * 4 / 3)


def test_another_engine_does_not_find_them_either(
    event: Event, twins: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engines._engines, "wide", WideBoxes())
    upload(event, ("again.png", twins))
    Event.objects.update(engine="wide")
    event.refresh_from_db()
    pipeline.ingest(event)
    ((name, x),) = boxes(event)
    assert (name, round(x)) == ("again.png", 98)


class Upright(FakeEngine):
    """Finds faces in pictures that are higher than wide, alone."""

    def detect(self, image: RGBArray) -> list[Detection]:
        return super().detect(image) if image.shape[0] > image.shape[1] else []


@pytest.mark.parametrize("engines_in_turn", [(Upright(), FakeEngine()), (FakeEngine(), Upright())])
def test_whichever_way_up_a_detector_wants_the_photo(
    event: Event,
    paint: Painter,
    monkeypatch: pytest.MonkeyPatch,
    staff: User,
    engines_in_turn: tuple[FakeEngine, FakeEngine],
) -> None:
    photo = paint(RED, GREEN)
    turns = []
    for engine in engines_in_turn:
        monkeypatch.setitem(engines._engines, "fake", engine)
        upload(event, ("lying.png", photo))
        pipeline.ingest(event)
        turns.append(Image.objects.get().turns)
        if not Erased.objects.exists():
            privacy.erase(event, [person_of(event, RED, paint)], staff)
    assert sorted(turns) == [0, 1]
    assert list(Erased.objects.values_list("x", "y", "width", "height")) == [(20, 100, 70, 70)]
    assert Face.objects.get() == person_of(event, GREEN, paint)
    assert ImageFace.objects.count() == 1


@pytest.mark.usefixtures("_upright")
def test_a_turned_photo_that_is_looked_at_once_more(event: Event, paint: Painter, staff: User) -> None:
    upload(event, ("lying.png", paint(RED, GREEN)))
    for _ in range(2):
        Image.objects.update(state="pending")
        pipeline.ingest(event)
        image = Image.objects.get()
        assert (image.turns, image.width, image.height) == (1, 300, 400)
        if not Erased.objects.exists():
            privacy.erase(event, [person_of(event, RED, paint)], staff)
            ImageFace.objects.all().delete()
    assert list(ImageFace.objects.values_list("x", "y")) == [(100, 220)]


@pytest.fixture
def _upright(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._engines, "fake", Upright())


def person_of(event: Event, colour: tuple[int, int, int], paint: Painter) -> Face:
    found = search.find(event, paint(colour, size=(300, 400)))
    assert isinstance(found, Match)
    return found.sure[0].face
