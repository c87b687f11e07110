"""All that is known of one person, in a ZIP file, and of nobody else."""

from __future__ import annotations

import io
import json
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage

from conftest import GREEN, RED
from events import ingest
from events.models import Event, Image
from faces import corrections, export, pipeline, visitors
from faces.models import AuditEntry, Embedding, Face
from faces.tests.people import add_person, faces_of
from faces.tests.test_privacy import person_at, visitor_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User


def read(person: Face, by: User) -> tuple[zipfile.ZipFile, dict[str, Any]]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.export(person, by))))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("person.json"))


def test_the_photos_are_in_it_byte_by_byte(run: Event, staff: User) -> None:
    person = person_at("red.png", 0)
    archive, known = read(person, staff)
    assert {photo["photo"] for photo in known["photos"]} == {"red.png", "red-green.png", "all.png"}
    for photo in known["photos"]:
        with default_storage.open(Image.objects.get(image_id=photo["image_id"]).storage_key) as file:
            assert archive.read(photo["file"]) == file.read()
    assert len(archive.namelist()) == 4


def test_person_json_tells_what_is_known(run: Event, staff: User) -> None:
    person = person_at("red.png", 0)
    corrections.rename(person, "Ada", staff)
    undone = corrections.hide([person], staff)
    corrections.undo(undone, staff)
    person.refresh_from_db()
    _, known = read(person, staff)
    assert (known["format"], known["grab_id"], known["name"]) == ("grabpic-person-1", str(person.grab_id), "Ada")
    assert known["event"] == {"slug": "city-run", "name": "City Run", "date": "2026-05-01"}
    assert known["faces_deleted_after"] == Event.objects.get().keep_faces_until.isoformat()
    first = known["faces"][0]
    assert first["box"] == {"x": 20, "y": 100, "width": 70, "height": 70}
    assert (first["photo"], first["engine"], len(first["landmarks"])) == ("red.png", "fake", 5)
    vector = Embedding.objects.get(image_face=faces_of(person)[0]).vector
    assert first["vector"] == pytest.approx(list(map(float, vector)))
    assert [(each["kind"], each["undone_at"] is None) for each in known["decisions"]] == [
        ("name", True),
        ("hide", False),
    ]
    assert known["answers_of_visitors"] == {"it_is_me": 0, "not_me": 0, "about_others": 0}


def test_nobody_else_is_named(event: Event, staff: User) -> None:
    ada, bob = add_person(event, 0, name="Ada"), add_person(event, 60, name="Bob")
    corrections.merge(event, [ada, add_person(event, 3)], staff)
    corrections.not_same(ada, bob, staff)
    visitor = visitor_of(event, maybe=[*faces_of(ada), *faces_of(bob)])
    visitors.answer(visitor, faces_of(ada)[0], is_me=True)
    visitors.answer(visitor, faces_of(bob)[0], is_me=False)
    known = export.described(ada)
    assert "Bob" not in json.dumps(known)
    assert str(bob.grab_id) not in json.dumps(known)
    assert len(known["aliases"]) == 1
    assert known["answers_of_visitors"] == {"it_is_me": 1, "not_me": 0, "about_others": 1}


def test_it_is_on_record(run: Event, staff: User) -> None:
    person = person_at("red.png", 0)
    read(person, staff)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user, entry.grab_id) == ("exported", staff, person.grab_id)
    assert entry.detail == "3 faces in 3 photos"


def test_a_photo_whose_file_is_gone_is_named(run: Event, staff: User) -> None:
    default_storage.delete(Image.objects.get(file_name="red.png").storage_key)
    archive, known = read(person_at("red.png", 0), staff)
    assert [photo["photo"] for photo in known["photos"] if photo["file"] is None] == ["red.png"]
    assert len(archive.namelist()) == 3


def test_file_names_of_photographers_harm_nobody(event: Event, staff: User, paint: Callable[..., io.BytesIO]) -> None:
    for shade in (100, 101):
        ingest.add(event, paint(RED, GREEN, shade=shade), "../../etc/passwd.png")
    pipeline.ingest(event)
    archive, _ = read(Face.objects.all()[0], staff)
    assert len(set(archive.namelist())) == 3
    assert not any(".." in name or name.startswith("/") for name in archive.namelist())


def test_one_photo_is_in_memory_at_a_time(run: Event, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def counted(name: str) -> Any:
        assert all(file.closed for file in opened)
        opened.append(default_storage.open(name))
        return opened[-1]

    monkeypatch.setattr("faces.export.default_storage", SimpleNamespace(open=counted))
    pieces = export.export(person_at("red.png", 0), staff)
    assert opened == [], "photos are read as the file is sent"
    assert len(b"".join(pieces)) > 1000
    assert len(opened) == 3


def test_a_storage_that_fails_leaves_no_whole_file(run: Event, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise OSError("away")

    monkeypatch.setattr("faces.export.default_storage", SimpleNamespace(open=fail))
    with pytest.raises(OSError, match="away"):
        b"".join(export.export(person_at("red.png", 0), staff))
