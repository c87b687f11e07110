"""Whoever is erased, outlived by their retention, or deleted with the event is in no table of the database any more.

The test asks the database for its tables: one that comes later, and refers to people or holds vectors, fails it until
`ada` has something there, too.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from conftest import GREEN, RED
from events.models import Delivery, Event, IdempotentAnswer, Webhook
from events.tests.programs import program, send
from events.tests.receiver import new_webhook
from faces import consent, corrections, grouping, pipeline, privacy, retention, visitors
from faces.export import described
from faces.models import Embedding, Face, ImageFace, NextEmbedding, Visitor
from faces.tests.people import faces_of
from faces.tests.test_grouping import add_faces
from faces.tests.test_privacy import person_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO

    from django.contrib.auth.models import User
    from django.test import Client

    Paint = Callable[..., BytesIO]

TABLES_ABOUT_PEOPLE = """
WITH RECURSIVE about (name) AS (
    SELECT unnest(ARRAY['faces_face', 'faces_imageface', 'faces_visitor']::regclass[])
    UNION SELECT conrelid::regclass FROM pg_constraint JOIN about ON confrelid = name
)
SELECT name::text FROM about
UNION SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND udt_name IN ('vector', 'halfvec', 'sparsevec', 'bytea')
"""
"""All that refer to persons, their faces or visitors, directly or not, and all that hold vectors or files."""

NAMED = {"faces_decision", "faces_auditentry", "events_delivery", "events_idempotentanswer"}
"""Those that know people without a reference to them."""


EXPORTED = {
    "represented_by": {"faces_face", "faces_centroid"},
    "aliases": {"faces_facealias"},
    "faces": {"faces_imageface", "faces_embedding", "faces_nextembedding"},
    "decisions": {"faces_decision", "faces_decisionface"},
    "answers_of_visitors": {"faces_evidence"},
    "galleries": {"faces_visitor"},
    "log": {"faces_auditentry"},
    "told_to_programs": {"events_delivery"},
}
"""Which part of the export has what these tables know."""

REPEATED = {"events_idempotentanswer"}
"""What is here is elsewhere, too."""


def mentions(*words: object) -> dict[str, list[str]]:
    """Return each row of the database that has one of these words in it, as text, by its table."""
    pattern = "|".join(re.escape(str(word)) for word in words)
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t WHERE t::text ~ %s', [pattern])  # noqa: S608
            found[table] = [row for (row,) in cursor.fetchall()]
        return {table: rows for table, rows in found.items() if rows}


def tables_about_people() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES_ABOUT_PEOPLE)
        return {table for (table,) in cursor.fetchall()}


class Known:
    """By what a person is known: `words` are in no row that stays, `grab_ids` in some on purpose."""

    def __init__(self, person: Face, former: Face, visitor: Visitor) -> None:
        self.person, self.visitor = person, visitor
        self.grab_ids = [person.grab_id, former.grab_id]
        faces = ImageFace.objects.filter(face=person)
        vectors = Embedding.objects.filter(image_face__in=faces)
        self.words = ["Ada", visitor.key, person.pk, former.pk, *faces.values_list("pk", flat=True)]
        self.words += [_text_of(vector) for vector in vectors]


def _text_of(embedding: Embedding) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT vector::text FROM faces_embedding WHERE image_face_id = %s", [embedding.pk])
        return str(cursor.fetchone()[0])


@pytest.fixture
def event(event: Event) -> Event:
    """An event whose faces, people and visitors have keys that no other number looks like."""
    with connection.cursor() as cursor:
        for place, table in enumerate(("faces_face", "faces_imageface", "faces_visitor"), start=1):
            cursor.execute(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {place}73100000001")
    return event


@pytest.fixture
def ada(event: Event, add: Any, client: Client, paint: Paint, staff: User) -> Known:
    """A person of whom every table has something that may have."""
    new_webhook()
    for name in ("one.png", "two.png", "three.png"):
        add(name, RED, GREEN)
    pipeline.ingest(event)
    ada, ben, api = person_at("one.png", 0), person_at("one.png", 1), program()
    corrections.split([ada.image_faces.all()[0]], staff)
    former = person_at("one.png", 0)
    corrections.hide([former], staff)
    send(api, "PATCH", f"/api/v1/faces/{ada.grab_id}", {"name": "Ada Lovelace"}, Idempotency_Key="name")
    send(api, "POST", f"/api/v1/faces/{ada.grab_id}/merge", {"grab_ids": [str(former.grab_id)]}, Idempotency_Key="one")
    face = faces_of(ada)[0]
    corrections.show([ada], staff)
    corrections.not_same(ada, ben, staff)
    NextEmbedding.objects.create(image_face_id=face, engine="next", vector=[1.0])
    assert api.post("/api/v1/auth/selfie", {"file": paint(RED)}).status_code == 200
    client.post(f"/events/{event.slug}/selfie/", {"file": paint(RED), "consent": consent.VERSION})
    visitor = Visitor.objects.get()
    asked = visitor.sure.pop()
    Visitor.objects.filter(pk=visitor.pk).update(maybe=[faces_of(ben)[0]], sure=[asked])
    visitor.refresh_from_db()
    assert visitors.answer(visitor, faces_of(ben)[0], is_me=False)
    return Known(Face.objects.get(pk=ada.pk), former, visitor)


def test_every_table_about_people_knows_them_before(ada: Known) -> None:
    found = mentions(*ada.words, *ada.grab_ids)
    assert found.keys() == tables_about_people() | NAMED
    assert IdempotentAnswer.objects.count() == 2
    assert Delivery.objects.filter(kind=Webhook.Kind.MATCH_CREATED).count() == 2


def test_the_export_has_something_of_each(ada: Known) -> None:
    assert set().union(*EXPORTED.values()) | REPEATED == tables_about_people() | NAMED
    known = described(ada.person)
    assert [part for part in EXPORTED if not known[part]] == []
    assert known["cover"] in {face["image_id"] for face in known["faces"]}
    assert [face["next_vector"] for face in known["faces"]].count([1.0]) == 1
    assert known["answers_of_visitors"] == {"it_is_me": 0, "not_me": 0, "about_others": 1}
    assert [gallery["tier"] for gallery in known["galleries"]] == ["sure"]
    assert {entry["detail"] for entry in known["log"]} >= {"Merged", "Hidden", "Named"}
    assert known["told_to_programs"] == 2
    text = json.dumps(known)
    assert [word for word in (ada.visitor.key, "API key", "staff") if str(word) in text] == []


def left(ada: Known) -> dict[str, list[str]]:
    """Return what rows still know of the person, but for those that say that somebody was erased, or looked at."""
    found = mentions(*ada.words)
    named = mentions(*ada.grab_ids)
    named.pop("faces_auditentry", None)
    told = [row for row in named.pop("events_delivery", []) if Webhook.Kind.PERSON_FORGOTTEN not in row]
    return found | named | ({"events_delivery": told} if told else {})


def test_an_erasure_leaves_nothing(ada: Known, event: Event, staff: User) -> None:
    privacy.erase(event, [ada.person], staff)
    assert left(ada) == {}


def test_a_visitor_who_is_forgotten_leaves_nothing(ada: Known, event: Event, client: Client) -> None:
    client.post(f"/events/{event.slug}/forget/", {"person": ada.person.pk})
    assert not Face.objects.filter(pk=ada.person.pk).exists()
    assert left(ada) == {}
    assert not client.session.get("visitors")
    assert not client.session.get("consents")


def test_retention_leaves_nothing(ada: Known, event: Event) -> None:
    Event.objects.update(keep_faces_until=timezone.localdate() - timedelta(days=1))
    assert len(list(retention.retire_overdue())) == 1
    assert left(ada) == {}


def test_an_event_that_is_deleted_leaves_nothing(ada: Known, event: Event) -> None:
    event.delete()
    assert left(ada) == {}


def test_events_that_are_deleted_leave_nothing(ada: Known) -> None:
    Event.objects.all().delete()
    assert left(ada) == {}


def test_the_database_keeps_no_samples_of_vectors(event: Event) -> None:
    for angle in range(0, 90, 10):
        add_faces(event, angle)
    grouping.consolidate(event)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            "SELECT s.tablename FROM pg_stats s JOIN information_schema.columns c ON table_name = s.tablename"
            " AND column_name = s.attname WHERE udt_name IN ('vector', 'halfvec', 'sparsevec')"
        )
        assert cursor.fetchall() == []
