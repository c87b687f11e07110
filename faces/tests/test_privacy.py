"""Who is erased is gone: from every table, from galleries and tokens, and from the records of decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.utils import timezone

from conftest import GREEN, RED
from events.models import Event, Image
from faces import corrections, grouping, privacy, search, visitors
from faces.corrections import CorrectionError
from faces.gallery import Grant
from faces.models import (
    AuditEntry,
    Centroid,
    Embedding,
    Erased,
    Evidence,
    Face,
    FaceAlias,
    ImageFace,
    NextEmbedding,
    Visitor,
)
from faces.privacy import Erasure
from faces.search import Match, NoMatch
from faces.tests.people import add_person, faces_of
from faces.tests.test_grouping import add_faces

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterable

    from django.contrib.auth.models import User

    Painter = Callable[..., io.BytesIO]


def visitor_of(event: Event, sure: Iterable[int] = (), maybe: Iterable[int] = ()) -> Visitor:
    expires = timezone.now() + timedelta(hours=1)
    return Visitor.objects.create(event=event, sure=list(sure), maybe=list(maybe), expires_at=expires)


def person_at(file_name: str, place: int) -> Face:
    """Return the person whose face is at this place from the left."""
    face = ImageFace.objects.filter(image__file_name=file_name).order_by("x")[place].face
    assert face
    return face


def everything() -> list[str]:
    """Return every row of every table that is ours, without the audit log's column that names persons on purpose."""
    models = [model for app in ("events", "faces", "admin") for model in apps.get_app_config(app).get_models()]
    rows = [(model, row) for model in models for row in model._base_manager.values()]
    return [
        f"{model.__name__} { {column: value for column, value in row.items() if (model, column) != KEPT} }"
        for model, row in rows
    ]


KEPT = (AuditEntry, "grab_id")


def test_the_person_goes_with_all_that_is_known_of_them(run: Event, paint: Painter, staff: User) -> None:
    person = person_at("red.png", 0)
    corrections.rename(person, "Ada", staff)
    assert privacy.erase(run, [person], staff) == Erasure(persons=1, faces=3, photos=3, galleries=0, decisions=1)
    assert isinstance(search.find(run, paint(RED)), NoMatch)
    assert (Face.objects.count(), ImageFace.objects.count(), Embedding.objects.count()) == (2, 3, 3)
    assert Centroid.objects.count() == 2
    assert Image.objects.count() == 4, "others are in the photos"
    entry = AuditEntry.objects.get(action="erased")
    assert (entry.user, entry.grab_id, entry.detail) == (staff, person.grab_id, "3 faces in 3 photos, 0 galleries")


def test_the_others_in_the_photos_stay_as_they_are(run: Event, paint: Painter, staff: User) -> None:
    red, green = person_at("red-green.png", 0), person_at("red-green.png", 1)

    def all_of_green() -> list[object]:
        kept = ((Face, "pk"), (Centroid, "face"), (ImageFace, "face"))
        return [list(model.objects.filter(**{lookup: green.pk}).values()) for model, lookup in kept]

    before = all_of_green()
    privacy.erase(run, [red], staff)
    assert all_of_green() == before
    found = search.find(run, paint(GREEN))
    assert isinstance(found, Match)
    photos = Grant.from_match(run, found).images().values_list("file_name", flat=True)
    assert set(photos) == {"red-green.png", "all.png"}


def test_photos_without_another_face_say_so(run: Event, staff: User) -> None:
    privacy.erase(run, [person_at("red.png", 0)], staff)
    states = dict(Image.objects.values_list("file_name", "state"))
    assert states == {"red.png": "no_face", "red-green.png": "indexed", "all.png": "indexed", "empty.png": "no_face"}


def test_nothing_is_grouped_anew_because_of_it(run: Event, staff: User) -> None:
    privacy.erase(run, [person_at("red.png", 0)], staff)
    run.refresh_from_db()
    assert run.faces_consolidated == 3
    assert not grouping.is_consolidation_due(run)
    people = list(Face.objects.values_list("pk", "grab_id"))
    assert (grouping.group(run), grouping.consolidate(run)) == (0, 0)
    assert list(Face.objects.values_list("pk", "grab_id")) == people


def test_new_faces_of_the_person_that_wait_for_their_grouping_go_too(event: Event, staff: User) -> None:
    person = add_person(event, 0, 1)
    add_faces(event, 2)
    add_faces(event, 80)
    assert privacy.erase(event, [person], staff).faces == 3
    assert ImageFace.objects.count() == 1


def test_galleries_and_tokens_that_surely_showed_the_person_are_dead(run: Event, staff: User) -> None:
    red, green = person_at("red-green.png", 0), person_at("red-green.png", 1)
    witness, other = faces_of(red)[0], faces_of(green)[0]
    visitor_of(run, [other, witness])
    spared = visitor_of(run, [other], [witness])
    token = Grant(run.pk, (witness,)).to_token()
    assert privacy.erase(run, [red], staff).galleries == 1
    spared.refresh_from_db()
    assert list(Visitor.objects.values_list("pk", "sure", "maybe")) == [(spared.pk, [other], [])]
    opened = Grant.from_token(token)
    assert opened
    assert not opened.open_images().exists()


def test_answers_about_the_person_are_gone_and_others_stay(event: Event, staff: User) -> None:
    (ada,), (bob,), (eve,) = (faces_of(add_person(event, angle)) for angle in (0, 60, 120))
    closed = visitor_of(event, [ada], [bob])
    visitors.answer(closed, bob, is_me=False)
    spared = visitor_of(event, [eve], [ada, bob])
    for asked in (ada, bob):
        visitors.answer(spared, asked, is_me=False)
    privacy.erase(event, [Face.objects.get(image_faces=ada)], staff)
    assert list(Evidence.objects.values_list("visitor", "asked", "known")) == [(spared.pk, bob, eve)]


def test_vectors_of_the_next_engine_go_too(event: Event, staff: User) -> None:
    person = add_person(event, 0)
    vector = Embedding.objects.get().vector
    NextEmbedding.objects.create(image_face=person.image_faces.get(), engine="wide", vector=vector)
    privacy.erase(event, [person], staff)
    assert not NextEmbedding.objects.exists()


def test_where_the_faces_were_is_all_that_is_remembered(event: Event, staff: User) -> None:
    person = add_person(event, 0)
    image = person.image_faces.get().image
    privacy.erase(event, [person], staff)
    (place,) = Erased.objects.values("event", "sha256", "x", "y", "width", "height")
    box = {"x": 0, "y": 0, "width": 100, "height": 100}
    assert place == {"event": event.pk, "sha256": image.sha256, **box}


def test_who_is_not_there_any_more_is_not_erased_in_the_shape_of_another(event: Event, staff: User) -> None:
    small, large = add_person(event, 0), add_person(event, 60, 61)
    corrections.merge(event, [small, large], staff)
    with pytest.raises(CorrectionError) as refused:
        privacy.erase(event, [small], staff)
    assert refused.value.code == "gone"
    privacy.erase(event, [large], staff)
    with pytest.raises(CorrectionError):
        privacy.erase(event, [large], staff)
    assert AuditEntry.objects.filter(action=AuditEntry.Action.ERASED).count() == 1


def test_nobody_of_another_event_is_erased(event: Event, other_event: Event, staff: User) -> None:
    person = add_person(other_event, 0)
    with pytest.raises(CorrectionError):
        privacy.erase(event, [person], staff)
    assert Face.objects.get() == person


def test_no_table_knows_the_person_any_more(event: Event, staff: User) -> None:
    """After all kinds of decisions, some of them about the person under other grab_ids."""
    first, second, bob = add_person(event, 0, 1), add_person(event, 3, 4, 5), add_person(event, 60, 61)
    corrections.rename(first, "Ada Lovelace", staff)
    corrections.rename(first, "Ada King", staff)
    corrections.rename(bob, "Bob", staff)
    corrections.merge(event, [first, second], staff)
    second.refresh_from_db()
    corrections.not_same(second, bob, staff)
    corrections.hide([second, bob], staff)
    corrections.confirm(second, staff)
    corrections.choose_cover(second.image_faces.all()[1], staff)
    corrections.move(list(bob.image_faces.all()[:1]), second, staff)
    keys = faces_of(second)
    visitor = visitor_of(event, [], keys[:2])
    visitors.answer(visitor, keys[0], is_me=True)
    mentions = ["Ada", "Lovelace", *(str(person.grab_id)[:8] for person in (first, second))]
    assert all(any(mention in row for row in everything()) for mention in mentions)
    privacy.erase(event, [second], staff)
    assert [row for row in everything() if any(mention in row for mention in mentions)] == []
    assert not FaceAlias.objects.exists()
    assert not set(keys) & _numbers_in_decisions()
    assert "Not the same person: a person erased since and Bob" in event.decisions.values_list("summary", flat=True)


def _numbers_in_decisions() -> set[int]:
    """Return every face that a record names."""
    named = set()
    for before in Event.objects.get().decisions.values_list("before", flat=True):
        named |= {face for _, faces in before["moved"] for face in faces}
        named |= {known["chosen_cover"] for known in before["persons"].values()}
        for changed in before["changed"].values():
            named |= set(changed.get("chosen_cover", ()))
    return named - {None}
