from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from conftest import RED, new_key, paint_photo
from demo import stage
from demo.album import ALBUM, COVER, Photo, Shot
from events import ingest
from events.models import ApiKey, Event

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


def test_the_event_is_published_and_made_once() -> None:
    events = {stage.prepare_event().pk for _ in range(2)}

    [event] = Event.objects.all()
    assert events == {event.pk}
    assert (event.slug, event.name, event.access) == ("demo", "Demo City Marathon", Event.Access.SELFIE)


def test_an_old_event_keeps_its_faces() -> None:
    stage.prepare_event()
    Event.objects.update(keep_faces_until="2026-01-01")
    assert stage.prepare_event().keeps_faces


def test_the_cover_shows_nobody_and_stays_as_somebody_chose_it() -> None:
    event = stage.prepare_event()
    stage.choose_cover(event)
    for photo in (COVER, ALBUM[2]):
        ingest.add(event, paint_photo(shade=photo.number), photo.file_name)
    assert not COVER.people
    for name in (COVER.file_name, ALBUM[2].file_name):
        stage.choose_cover(event)
        event.refresh_from_db()
        assert event.cover
        assert event.cover.file_name == name
        Event.objects.update(cover=event.images.get(file_name=ALBUM[2].file_name))


def test_each_run_has_a_new_password_for_staff() -> None:
    first, second = stage.issue_login(), stage.issue_login()

    assert first != second
    assert authenticate(username="demo-staff", password=first) is None
    user = authenticate(username="demo-staff", password=second)
    assert isinstance(user, User)
    assert user.is_staff


def test_each_run_has_a_new_api_key_and_leaves_others_alone() -> None:
    others = new_key("camera crew")

    first, second = stage.issue_api_key(), stage.issue_api_key()

    assert [ApiKey.objects.is_valid(key) for key in (first, second, others)] == [False, True, True]


def test_a_temporary_api_key_leaves_that_of_a_running_demo_alone() -> None:
    running = stage.issue_api_key()

    with stage.temporary_api_key() as temporary:
        assert ApiKey.objects.is_valid(temporary)
        assert ApiKey.objects.is_valid(running)

    assert [ApiKey.objects.is_valid(key) for key in (running, temporary)] == [True, False]


def test_photos_of_an_earlier_demo_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [Photo(number, Shot("course", (), (10, 10))) for number in (1, 2)]
    monkeypatch.setattr(stage, "ALBUM", photos)
    event = stage.prepare_event()
    for photo, today in zip(photos, (100, 120), strict=True):
        (tmp_path / photo.file_name).write_bytes(paint_photo(RED, shade=today).getvalue())
    for name, shade in (("CITY-0001.JPG", 100), ("CITY-0002.JPG", 110), ("my-own.jpg", 130)):
        ingest.add(event, paint_photo(RED, shade=shade), name)

    assert stage.remove_outdated_photos(event, tmp_path) == 1
    assert set(event.images.values_list("file_name", flat=True)) == {"CITY-0001.JPG", "my-own.jpg"}
