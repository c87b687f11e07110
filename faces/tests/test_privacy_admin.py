"""Export and erasure on a person's page: for those who manage the event and may delete people, and for nobody else."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from faces.models import AuditEntry, Face
from faces.tests.people import add_person
from faces.tests.test_privacy import person_at

if TYPE_CHECKING:
    from django.test import Client

    from events.models import Event

ALL = ("view_face", "change_face", "delete_face")


def permit(user: User, *codenames: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def page(name: str, person: Face) -> str:
    return reverse(f"admin:faces_{name}", args=[person.pk])


@pytest.fixture
def permitted(client: Client, organiser: User) -> Client:
    client.force_login(permit(organiser, *ALL))
    return client


def test_the_page_says_what_goes_and_erases_on_a_post_only(run: Event, permitted: Client) -> None:
    person = person_at("red.png", 0)
    answer = permitted.get(page("erase", person))
    assert "in 3 photos of City Run" in " ".join(answer.content.decode().split())
    assert Face.objects.count() == 3
    answer = permitted.post(page("erase", person), follow=True)
    assert "Erased for good: 3 faces in 3 photos, 0 galleries." in answer.content.decode()
    assert not Face.objects.filter(pk=person.pk).exists()
    assert AuditEntry.objects.filter(action="erased").get().actor == "organiser"


def test_a_second_post_finds_nobody(run: Event, permitted: Client) -> None:
    person = person_at("red.png", 0)
    permitted.post(page("erase", person))
    assert permitted.post(page("erase", person)).status_code == 404


def test_the_export_is_a_file_to_keep(run: Event, permitted: Client) -> None:
    person = person_at("red.png", 0)
    answer: Any = permitted.post(page("export", person))
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="person-{str(person.grab_id)[:8]}.zip"'
    assert "no-store" in answer["Cache-Control"]
    assert len(zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()) == 4
    assert permitted.get(page("export", person)).status_code == 405


def test_a_person_s_page_leads_to_both(run: Event, permitted: Client) -> None:
    person = person_at("red.png", 0)
    content = permitted.get(page("face_change", person)).content.decode()
    assert page("export", person) in content
    assert page("erase", person) in content


@pytest.mark.parametrize("codenames", [("view_face",), ("view_face", "change_face"), ("view_face", "delete_face")])
def test_who_may_not_delete_people_does_neither(
    run: Event, client: Client, organiser: User, codenames: tuple[str, ...]
) -> None:
    client.force_login(permit(organiser, *codenames))
    person = person_at("red.png", 0)
    assert page("erase", person) not in client.get(page("face_change", person)).content.decode()
    assert [client.post(page(name, person)).status_code for name in ("erase", "export")] == [403, 403]
    assert Face.objects.count() == 3


def test_people_of_other_events_are_not_there(other_event: Event, permitted: Client) -> None:
    person = add_person(other_event, 0)
    assert [permitted.post(page(name, person)).status_code for name in ("erase", "export")] == [404, 404]
    assert permitted.get(page("erase", person)).status_code == 404
    assert Face.objects.get() == person


@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_strangers_are_sent_to_log_in(run: Event, client: Client, member: User, who: str) -> None:
    if who == "member":
        client.force_login(permit(member, *ALL))
    person = person_at("red.png", 0)
    for name in ("erase", "export"):
        answer = client.post(page(name, person))
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]
    assert Face.objects.count() == 3
