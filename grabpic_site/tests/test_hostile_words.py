"""Words that would like to be part of a page: of photos, events, persons, staff. Every page shows them as words."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conftest import new_key
from events.models import ApiKey, Event, Image, Webhook
from faces import audit_log, corrections
from faces.models import Evidence, Face, ImageFace
from faces.tests.galleries import open_gallery
from faces.tests.people import add_person, faces_of
from grabpic_site.tests.test_staff_accessibility import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

EVIL = "\"'><script>alert(1)</script><img src=x>{{7*7}}<!--"
"""It ends an attribute, begins elements, and opens a comment."""

EVIL_CODE = '"><img src=x>'


class Elements(HTMLParser):
    """Collects what a page would do by itself, and whether a template was rendered twice."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self._is_script = tag == "script"
        if attributes.get("src") == "x" or any(name.startswith("on") for name in attributes):
            self.found.append(f"<{tag} {attributes}>")
        if re.match(r"\s*(javascript|data:text)", str(attributes.get("href") or attributes.get("action"))):
            self.found.append(f"<{tag} {attributes}>")

    def handle_data(self, data: str) -> None:
        if self._is_script and "alert(1)" in data and "\\u003Cscript" not in data:
            self.found.append(f"a script: {data[:200]}")
        if "49<!--" in data:
            self.found.append("rendered twice")


@pytest.fixture
def evil(run: Event, client: Client) -> Event:
    """An event in which everything that somebody can name is named by somebody evil, who is logged in."""
    user = User.objects.create_superuser("evil", first_name=EVIL, last_name=EVIL)
    User.objects.filter(pk=user.pk).update(username=EVIL)
    user.refresh_from_db()
    client.force_login(user)
    fields = {"name": EVIL, "watermark": EVIL, "access_code": EVIL_CODE, "organiser": EVIL, "contact": EVIL}
    Event.objects.filter(pk=run.pk).update(**fields, access=Event.Access.OPEN, group_distance=0.54)
    run.refresh_from_db()
    run.images.update(file_name=EVIL)
    broken = {"state": Image.State.FAILED, "failure_code": "broken", "failure_reason": EVIL}
    Image.objects.filter(pk__in=run.images.order_by("pk")[:1]).update(**broken)
    _correct(run, user)
    return run


def _correct(event: Event, user: User) -> None:
    """Do something that each of staff's pages shows."""
    people = [add_person(event, angle) for angle in (0, 66, 132)]
    for person in Face.objects.filter(event=event):
        corrections.rename(person, EVIL, by=user)
    corrections.hide(people[2:], by=user)
    add_person(event, 200, 210, 220, 300)
    Evidence.objects.create(event=event, asked_id=faces_of(people[1])[0], known_id=faces_of(people[0])[0], is_me=True)
    audit_log.record(audit_log.Action.SEARCHED, event, user, detail=EVIL)


def attendees_pages(event: Event) -> Iterator[str]:
    shown = Face.objects.filter(event=event, hidden=False, image_faces__isnull=False)
    yield from (reverse(name) for name in ("index", "privacy", "credits", "javascript-catalog", "docs", "redoc"))
    for name in ("event", "event-privacy", "browse", "gallery", "forget", "news", "upload", "poster"):
        yield reverse(name, args=[event.slug])
    yield from (reverse("person", args=[event.slug, person.grab_id]) for person in shown.distinct())


def staffs_pages(event: Event) -> Iterator[str]:
    ours = pages(event)
    ApiKey.objects.update(name=EVIL[:50])
    Webhook.objects.update(name=EVIL[:50], url=f"https://example.org/{EVIL}")
    for name, (arguments, query) in ours.items():
        yield reverse(name, args=arguments) + query
    image, person = event.images.first(), Face.objects.filter(event=event).first()
    assert image is not None
    for model, pk in (("event", event.pk), ("image", image.pk)):
        yield from (reverse(f"admin:events_{model}_{what}", args=[pk]) for what in ("delete", "history"))
    yield reverse("admin:events_apikey_history", args=[quote(ApiKey.objects.get().pk)])
    assert person is not None
    yield reverse("admin:faces_face_history", args=[person.pk])
    yield reverse("admin:faces_candidates", args=[person.pk])
    yield from (reverse("admin:auth_user_change", args=[user.pk]) for user in User.objects.all())
    reviews = (f"admin:faces_review_{queue}" for queue in ("merges", "suspicious", "visitors"))
    yield from (reverse(name) for name in ("admin:auth_user_changelist", "admin:index", *reviews))


def test_no_page_takes_a_word_for_a_part_of_itself(client: Client, evil: Event) -> None:
    open_gallery(client, evil, sure=list(ImageFace.objects.values_list("pk", flat=True)))
    shown = 0
    for path in [*attendees_pages(evil), *staffs_pages(evil)]:
        response = client.get(path)
        assert response.status_code == 200, path
        page = response.content.decode()
        assert Elements(page).found == [], path
        assert "<script>alert(1)" not in page, path
        shown += "alert(1)" in page
    # Else nothing was tried.
    assert shown >= 20


def test_nor_does_a_page_before_the_door_or_behind_it(evil: Event) -> None:
    """Of an event with a code, of one that is not open yet, of one that is over; and after the goodbye."""
    now, stranger = timezone.now(), Client()
    before, after = now - timedelta(days=1), now + timedelta(days=1)
    for fields in ({"access": Event.Access.CODE}, {"opens_at": after}, {"opens_at": None, "closes_at": before}):
        Event.objects.filter(pk=evil.pk).update(**fields)
        page = stranger.get(f"/events/{evil.slug}/").content.decode()
        assert Elements(page).found == [], fields
        assert "alert(1)" in page, fields
    page = stranger.post(reverse("forget", args=[evil.slug]), {"person": "yes"}).content.decode()
    assert Elements(page).found == []
    assert "alert(1)" in page


def test_nor_does_a_page_that_says_what_was_wrong(client: Client, evil: Event) -> None:
    """An address, a search, a form that comes back."""
    searched = [f"{reverse(f'admin:{name}_changelist')}?q={EVIL_CODE}" for name in ("events_image", "faces_face")]
    for path in (
        f"/events/{EVIL}/",
        f"/{EVIL}",
        f"/api/{EVIL}",
        f"/?next={EVIL}",
        "/admin/login/?next=" + EVIL,
        *searched,
    ):
        page = client.get(path, follow=True).content.decode()
        assert Elements(page).found == [], path
        assert "<img src=x" not in page, path
    form = {"name": EVIL, "slug": EVIL, "access_code": EVIL, "watermark": EVIL, "engine": EVIL, "date": EVIL}
    page = client.post(reverse("admin:events_event_change", args=[evil.pk]), form).content.decode()
    assert Elements(page).found == []
    assert "errorlist" in page


def test_what_was_done_is_told_in_words(client: Client, evil: Event) -> None:
    person = Face.objects.filter(event=evil, hidden=False).first()
    assert person is not None
    page = client.post(
        reverse("admin:faces_face_change", args=[person.pk]), {"action": "rename", "name": EVIL + "2"}, follow=True
    ).content.decode()
    assert Elements(page).found == []
    assert "alert(1)" in page


def test_json_is_never_taken_for_a_page(client: Client, evil: Event) -> None:
    """Names come as they are in JSON: no browser may guess that it is a page."""
    for path in (
        f"/api/v1/events/{evil.slug}",
        f"/api/v1/images?event={evil.slug}",
        f"/api/v1/events/{evil.slug}/progress",
    ):
        response = client.get(path, headers={"Authorization": f"Api-Key {new_key()}"})
        assert response.status_code == 200, path
        assert "alert(1)" in response.content.decode(), path
        assert response["Content-Type"] == "application/json"
        assert response["X-Content-Type-Options"] == "nosniff"
