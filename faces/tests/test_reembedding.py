"""An event gets another engine, and nobody loses anything."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from conftest import BLUE, GREEN, RED
from events import ingest
from events.models import Event, Image
from faces import corrections, grouping, persons, pipeline, search
from faces import engine as engines
from faces.engine import Box, Detection, RGBArray, get_engine
from faces.engine.fake import FakeEngine
from faces.engine.tests.portraits import ARDERN, ARDERN_LATER, BIDEN, read
from faces.gallery import Grant
from faces.looking import look
from faces.models import Centroid, Embedding, Face, ImageFace, NextEmbedding
from faces.redescribing import as_found
from faces.reembedding import AlreadyInUseError, Reembedding, Switched
from faces.search import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.auth.models import User

    from faces.engine import Embeddings

    Add = Callable[..., Image]
    Painter = Callable[..., io.BytesIO]


class Killed(BaseException):
    """Stands for the end of a process, which no `except` outlives."""


class WideEngine(FakeEngine):
    """The fake engine with vectors of another length; counts its faces, and is killed after so many."""

    name = "wide"
    dimension = 96

    def __init__(self) -> None:
        self.described = 0
        self.killed_after = 1000

    def _describe(self, crops: Sequence[float]) -> Embeddings:
        self.described += len(crops)
        if self.described > self.killed_after:
            raise Killed
        return np.pad(super()._describe(crops), ((0, 0), (32, 0)))


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> WideEngine:
    engine = WideEngine()
    monkeypatch.setitem(engines._engines, "wide", engine)
    return engine


def reembed(event: Event, engine: str = "wide", *, allow_missing: bool = False) -> Switched | None:
    work = Reembedding(event, engine)
    for _ in work.beside():
        pass
    return work.switch(allow_missing=allow_missing)


def vectors(event: Event) -> set[tuple[str, int]]:
    """Return the engines and the lengths of the vectors of all faces."""
    rows = Embedding.objects.filter(event=event).values_list("engine", "vector")
    return {(engine, len(vector)) for engine, vector in rows}


def photos_of(event: Event, selfie: io.BytesIO) -> set[str]:
    found = search.find(event, selfie)
    assert isinstance(found, Match)
    return names(Grant.from_match(event, found))


def names(grant: Grant) -> set[str]:
    return set(grant.images().values_list("file_name", flat=True))


def face_at(file_name: str, place: int) -> ImageFace:
    """Return a face of a photo, by its place from the left."""
    return ImageFace.objects.filter(image__file_name=file_name).order_by("x")[place]


def person_in(file_name: str) -> Face:
    return person_at(file_name, 0)


def person_at(file_name: str, place: int) -> Face:
    person = face_at(file_name, place).face
    assert person
    return person


def test_every_face_has_a_vector_of_the_new_engine_and_every_person_their_grab_id(run: Event, wide: WideEngine) -> None:
    faces = list(ImageFace.objects.order_by("pk").values())
    known = list(Face.objects.order_by("pk").values_list("pk", "grab_id", "cover"))
    assert reembed(run) == Switched(faces=6, people=3, kept=3, forgotten={})
    assert vectors(run) == {("wide", 96)}
    assert list(ImageFace.objects.order_by("pk").values()) == faces
    assert list(Face.objects.order_by("pk").values_list("pk", "grab_id", "cover")) == known
    assert {(face.engine, len(face.embedding)) for face in Face.objects.all()} == {("wide", 96)}
    assert {len(centroid.mean) for centroid in Centroid.objects.all()} <= {96}
    assert not NextEmbedding.objects.exists()
    run.refresh_from_db()
    assert run.engine == "wide"


@pytest.mark.usefixtures("wide")
def test_galleries_and_searches_go_on_all_the_time(run: Event, paint: Painter) -> None:
    found = search.find(run, paint(GREEN))
    assert isinstance(found, Match)
    earned = Grant.from_match(run, found)
    work = Reembedding(run, "wide")
    for _ in work.beside():
        assert photos_of(run, paint(GREEN)) == names(earned) == {"red-green.png", "all.png"}
    assert vectors(run) == {("fake", 64)}
    assert NextEmbedding.objects.count() == 6
    assert work.switch()
    assert photos_of(run, paint(GREEN)) == names(earned) == {"red-green.png", "all.png"}


@pytest.mark.usefixtures("wide")
def test_a_selfie_that_is_compared_while_the_engine_changes_finds_its_photos(
    run: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_meanwhile(pixels: RGBArray, faces: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setitem(engines._engines, "wide", WideEngine())
        assert reembed(Event.objects.get(pk=run.pk))
        return get_engine("fake").embed(pixels, faces)

    monkeypatch.setattr(get_engine("fake"), "embed", changed_meanwhile)
    assert photos_of(run, paint(BLUE)) == {"all.png"}


@pytest.mark.usefixtures("wide")
def test_what_staff_set_stays(run: Event) -> None:
    red, green = person_in("red.png"), person_in("red-green.png")
    assert red == green
    cover = ImageFace.objects.filter(face=red).order_by("quality", "pk")[0]
    Face.objects.filter(pk=red.pk).update(name="Ada", hidden=True, cover=cover, cover_chosen=True)
    assert reembed(run)
    assert Face.objects.filter(pk=red.pk, name="Ada", hidden=True, cover=cover, cover_chosen=True).exists()


@pytest.mark.usefixtures("wide")
def test_what_staff_decided_about_who_is_who_holds_for_the_new_vectors(run: Event, staff: User, add: Add) -> None:
    add("red-again.png", RED)
    pipeline.ingest(run)
    red, green = person_in("red.png"), person_at("red-green.png", 1)
    corrections.merge(run, [red, green], by=staff)
    alone = corrections.split([face_at("red-again.png", 0)], by=staff)
    grab_ids = {name: person_in(name).grab_id for name in ("red.png", "red-green.png", "red-again.png")}
    assert len(set(grab_ids.values())) == 2
    assert reembed(run)
    assert {name: person_in(name).grab_id for name in grab_ids} == grab_ids
    assert person_at("red-green.png", 1).grab_id == red.grab_id
    assert Face.objects.with_grab_id(green.grab_id).get().grab_id == red.grab_id
    assert corrections.undo(alone, by=staff)
    assert person_in("red-again.png") == person_in("red.png")
    grouping.consolidate(run)
    assert person_in("red-again.png") == person_in("red.png")


@pytest.mark.usefixtures("wide")
def test_a_correction_of_somebody_who_knew_the_event_before_takes_effect(run: Event, staff: User) -> None:
    known = Event.objects.get(pk=run.pk)
    red, blue = person_in("red.png"), person_at("all.png", 2)
    assert reembed(run)
    corrections.merge(known, [red, blue], by=staff)
    assert person_at("all.png", 2) == person_in("red.png") == red


def test_a_run_that_was_killed_is_gone_on_with(run: Event, wide: WideEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faces.reembedding.BATCH_SIZE", 1)
    wide.killed_after = 3
    with pytest.raises(Killed):
        reembed(run)
    assert NextEmbedding.objects.count() == 3
    assert vectors(run) == {("fake", 64)}
    wide.described, wide.killed_after = 0, 1000
    assert reembed(run)
    assert wide.described == 3
    assert vectors(run) == {("wide", 96)}


def test_what_another_plan_left_behind_is_forgotten(
    run: Event, wide: WideEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in Reembedding(run, "wide").beside():
        pass
    other = WideEngine()
    other.name = "other"
    monkeypatch.setitem(engines._engines, "other", other)
    assert reembed(run, "other")
    assert other.described == 6
    assert vectors(run) == {("other", 96)}


@pytest.mark.usefixtures("wide")
def test_photos_that_come_in_meanwhile_are_changed_over_too(run: Event, add: Add, paint: Painter) -> None:
    work = Reembedding(run, "wide")
    for _ in work.beside():
        pass
    add("late.png", BLUE)
    pipeline.ingest(run)
    switched = work.switch()
    assert switched
    assert switched.faces == 7
    assert photos_of(run, paint(BLUE)) == {"all.png", "late.png"}


@pytest.mark.usefixtures("wide")
def test_photos_that_are_deleted_meanwhile_are_no_trouble(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def deleted_first(work: Reembedding, described: Any) -> None:
        Image.objects.filter(file_name="all.png").delete()
        write(work, described)

    write = Reembedding._write
    monkeypatch.setattr(Reembedding, "_write", deleted_first)
    switched = reembed(run)
    assert switched
    assert (switched.faces, switched.people) == (3, 2)


@pytest.mark.usefixtures("wide")
def test_other_events_keep_their_engine(run: Event, other_event: Event, add: Add) -> None:
    add("elsewhere.png", RED, to=other_event)
    pipeline.ingest(other_event)
    assert reembed(run)
    assert vectors(other_event) == {("fake", 64)}
    assert Event.objects.get(pk=other_event.pk).engine == "fake"


@pytest.mark.usefixtures("wide")
def test_an_event_without_faces_just_gets_the_engine(event: Event, add: Add) -> None:
    add("waiting.png", RED)
    assert reembed(event) == Switched(faces=0, people=0, kept=0, forgotten={})
    pipeline.ingest(event)
    assert vectors(event) == {("wide", 96)}


@pytest.mark.usefixtures("wide")
def test_the_engine_in_use_is_refused(run: Event) -> None:
    with pytest.raises(AlreadyInUseError):
        Reembedding(run, "fake")


@pytest.mark.usefixtures("wide")
def test_distances_of_the_old_engine_are_forgotten(run: Event) -> None:
    Event.objects.update(max_distance=0.2, group_distance=0.3)
    switched = reembed(run)
    assert switched
    assert switched.forgotten == {"max_distance": 0.2, "group_distance": 0.3}
    run.refresh_from_db()
    assert (run.max_distance, run.group_distance) == (None, None)


@pytest.mark.usefixtures("wide")
def test_without_an_original_nothing_is_switched(run: Event) -> None:
    default_storage.delete(Image.objects.get(file_name="all.png").storage_key)
    work = Reembedding(run, "wide")
    for _ in work.beside():
        pass
    assert work.switch() is None
    assert {(each.face.image.file_name, each.reason) for each in work.missing.values()} == {
        ("all.png", "A stored file is gone: `manage.py storage_audit` names it, and says what to do.")
    }
    assert len(work.missing) == 3
    assert vectors(run) == {("fake", 64)}
    assert Event.objects.get(pk=run.pk).engine == "fake"


@pytest.mark.usefixtures("wide")
def test_faces_that_are_missing_keep_their_person_until_their_file_is_back(run: Event, paint: Painter) -> None:
    image = Image.objects.get(file_name="all.png")
    with default_storage.open(image.storage_key) as file:
        content = file.read()
    default_storage.delete(image.storage_key)
    before = dict(ImageFace.objects.values_list("pk", "face__grab_id"))
    assert reembed(run, allow_missing=True) == Switched(faces=3, people=3, kept=3, forgotten={})
    assert dict(ImageFace.objects.values_list("pk", "face__grab_id")) == before
    assert photos_of(run, paint(RED)) == {"red.png", "red-green.png", "all.png"}
    assert not isinstance(search.find(run, paint(BLUE)), Match), "blue is in this photo alone"
    for find_persons in (grouping.group, grouping.consolidate):
        assert find_persons(run) == 0
        assert dict(ImageFace.objects.values_list("pk", "face__grab_id")) == before
    assert persons.shrunk(run) == []
    default_storage.save(image.storage_key, ContentFile(content))
    assert reembed(run) == Switched(faces=6, people=3, kept=3, forgotten={})
    assert photos_of(run, paint(BLUE)) == {"all.png"}
    assert dict(ImageFace.objects.values_list("pk", "face__grab_id")) == before


@pytest.mark.usefixtures("wide")
def test_a_person_without_vectors_is_in_nobodys_way(
    run: Event, staff: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    default_storage.delete(Image.objects.get(file_name="all.png").storage_key)
    assert reembed(run, allow_missing=True)
    blue = person_at("all.png", 2)
    assert corrections.undo(corrections.rename(blue, "Bea", by=staff), by=staff)
    assert person_at("all.png", 2) == blue
    monkeypatch.setattr(grouping, "FEW", 0)
    add("late.png", RED)
    pipeline.ingest(run)
    assert person_in("late.png") == person_in("red.png")
    assert person_at("all.png", 2) == blue


def test_persons_get_the_engine_even_if_its_vectors_are_the_same(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = FakeEngine()
    twin.name = "twin"
    monkeypatch.setitem(engines._engines, "twin", twin)
    assert reembed(run, "twin")
    assert set(Face.objects.values_list("engine", flat=True)) == {"twin"}


@pytest.mark.usefixtures("wide")
def test_faces_that_are_missing_follow_their_person_into_another(run: Event, add: Add) -> None:
    for number in range(3):
        add(f"green-{number}.png", GREEN)
    pipeline.ingest(run)
    green = person_in("green-0.png")
    part = Face.objects.create(event=run, engine="fake", embedding=green.embedding)
    parted = [face_at("red-green.png", 1), face_at("all.png", 1)]
    ImageFace.objects.filter(pk__in=[face.pk for face in parted]).update(face=part)
    default_storage.delete(Image.objects.get(file_name="all.png").storage_key)
    assert reembed(run, allow_missing=True)
    assert person_at("red-green.png", 1) == person_at("all.png", 1) == green
    assert Face.objects.with_grab_id(part.grab_id).get() == green


@pytest.mark.usefixtures("wide")
def test_a_worker_that_looked_with_the_old_engine_leaves_the_photo_to_the_new_one(
    run: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    def switched_meanwhile(engine: Any, image: Image) -> Any:
        monkeypatch.undo()
        monkeypatch.setitem(engines._engines, "wide", WideEngine())
        seen = look(engine, image)
        assert reembed(Event.objects.get(pk=run.pk))
        return seen

    monkeypatch.setattr(pipeline, "look", switched_meanwhile)
    image = add("late.png", BLUE)
    [postponed] = pipeline.index_batch(run)
    assert (postponed.state, postponed.attempts) == ("pending", 0)
    assert vectors(run) == {("wide", 96)}
    assert run.engine == "fake", "what the process knows is old"
    Image.objects.update(retry_at=None)
    pipeline.ingest(run)
    image.refresh_from_db()
    assert (image.state, image.attempts) == ("indexed", 0)
    assert vectors(run) == {("wide", 96)}
    assert person_in("late.png").image_faces.count() == 2


@pytest.mark.usefixtures("wide")
def test_a_grouping_that_waited_for_the_switch_groups_by_the_new_vectors(run: Event, add: Add) -> None:
    waiting = Event.objects.get(pk=run.pk)
    assert reembed(run)
    add("late.png", BLUE)
    pipeline.index_batch(run)
    assert grouping.group(waiting) == 0
    assert person_in("late.png").image_faces.count() == 2


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_photo_that_was_turned_is_turned_again(
    event: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    def only_upright(pixels: RGBArray) -> list[Detection]:
        """Red is left of green in an upright photo."""
        found = sorted(detect(pixels), key=lambda face: face.box.x)
        hues = [pixels[int(face.box.y + 9), int(face.box.x + 9)].argmax() for face in found]
        level = len(found) == 2 and abs(found[0].box.y - found[1].box.y) < 9
        return [face for face in found if level and hues == [0, 1]]

    detect = get_engine("fake").detect
    monkeypatch.setattr(get_engine("fake"), "detect", only_upright)
    ingested = ingest.add(event, lying(paint(RED, GREEN), turns), "lying.png")
    assert isinstance(ingested, ingest.Added)
    pipeline.ingest(event)
    boxes = set(ImageFace.objects.values_list("x", "y"))
    assert {(round(x / 10), round(y / 10)) for x, y in boxes} == {(2, 10), (11, 10)}
    # This one sees nothing anywhere: the vectors are made from the places that are stored.
    wide = WideEngine()
    monkeypatch.setattr(wide, "detect", lambda pixels: [])
    monkeypatch.setitem(engines._engines, "wide", wide)
    assert reembed(event)
    red = ImageFace.objects.order_by("x")[0].embedding
    assert np.array(red.vector) @ wide.embed(np.full((9, 9, 3), RED, np.uint8), [whole(9)])[0] > 0.99


def lying(photo: io.BytesIO, turns: int) -> io.BytesIO:
    """Return the photo so many quarter turns clockwise from upright, and no tag that says so."""
    file = io.BytesIO()
    Picture.open(photo).rotate(-90 * turns, expand=True).save(file, "PNG")
    return file


def whole(side: float, x: float = 0) -> Detection:
    return Detection(Box(x, 0, side, side), (), 1)


def test_a_face_is_cut_out_as_the_new_detector_draws_it() -> None:
    stored = [whole(10), whole(10, x=100), whole(10, x=50)]
    found = [whole(12, x=101), whole(9, x=1), whole(10, x=200)]
    assert as_found(stored, found) == [found[1], found[0], stored[2]]


def test_a_detection_is_taken_for_one_face_only() -> None:
    stored = [whole(10), whole(10, x=3)]
    found = [whole(10, x=2)]
    assert as_found(stored, found) == [stored[0], found[0]]


@pytest.mark.engine
def test_real_engines_the_result_is_that_of_a_fresh_start(event: Event, other_event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(engine="facenet+sface")
    Event.objects.filter(pk=other_event.pk).update(engine="sface")
    for each in (event, other_event):
        each.refresh_from_db()
        for portrait in (ARDERN, ARDERN_LATER, BIDEN):
            ingest.add(each, io.BytesIO(read(*portrait)), portrait[1])
        pipeline.ingest(each)
    before = people(event)
    # As some of DeepFace's detectors leave it.
    ImageFace.objects.filter(image__event=event, image__file_name=BIDEN[1]).update(landmarks=[])
    assert reembed(event, "sface")
    assert people(event) == before
    for one, other in zip(all_vectors(event), all_vectors(other_event), strict=True):
        assert one @ other > 0.999


def people(event: Event) -> set[tuple[str, uuid.UUID]]:
    return set(event.faces.values_list("image_faces__image__file_name", "grab_id"))


def all_vectors(event: Event) -> list[Any]:
    faces = Embedding.objects.filter(event=event).order_by("image_face__image__file_name", "image_face__x")
    return [np.array(embedding.vector) for embedding in faces]
