"""What the demo sets up in the database: its event, a staff login, an API key."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from demo.album import ALBUM, CONTACT, COVER, DATE, LATE_PHOTO, NAME, ORGANISER, SLUG
from events.models import ApiKey, Event, Image, Scope
from events.publishing import last_day_of_faces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAFF = "demo-staff"
KEY_NAME = "demo"


def prepare_event() -> Event:
    """Return the demo's event, made if it is not there; an old one keeps its faces for another while."""
    about = {"name": NAME, "date": DATE, "access": Event.Access.SELFIE, "organiser": ORGANISER, "contact": CONTACT}
    event = Event.objects.get_or_create(slug=SLUG, defaults=about)[0]
    event.keep_faces_until = last_day_of_faces()
    event.save(update_fields=("keep_faces_until",))
    return event


def choose_cover(event: Event) -> None:
    """Give the event's page a photo, unless it has one: one without people, since everybody sees it."""
    cover = event.images.filter(file_name=COVER.file_name).first()
    Event.objects.filter(pk=event.pk, cover=None).update(cover=cover)


def remove_outdated_photos(event: Event, folder: Path) -> int:
    """Delete photos that an earlier version of the demo made under today's names; return how many."""
    names = [photo.file_name for photo in ALBUM]
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]
    outdated = event.images.filter(file_name__in=names).exclude(sha256__in=hashes)
    count = outdated.count()
    outdated.delete()
    return count


def remove_late_photo() -> None:
    """Delete the photo that a check uploads, also one that was killed before it could."""
    Image.objects.filter(event__slug=SLUG, file_name=LATE_PHOTO.file_name).delete()


@contextmanager
def temporary_api_key() -> Iterator[str]:
    """Have an API key that is void after the block; that of a demo which is running meanwhile stays."""
    key, secret = ApiKey.objects.create_key(name=f"{KEY_NAME} check", scopes=Scope.values, every_event=True)
    try:
        yield secret
    finally:
        key.delete()


@transaction.atomic
def issue_login() -> str:
    """Give the demo's staff user a new password, and return it; the one before is void."""
    password = secrets.token_urlsafe(12)
    # A superuser, so that all of admin can be tried; the password is new in every run and shown nowhere else.
    user, _ = User.objects.update_or_create(
        username=STAFF, defaults={"is_staff": True, "is_superuser": True, "is_active": True}
    )
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


@transaction.atomic
def issue_api_key() -> str:
    """Return a new API key of the demo's; those before are void."""
    ApiKey.objects.filter(name=KEY_NAME).delete()
    return str(ApiKey.objects.create_key(name=KEY_NAME, scopes=Scope.values, every_event=True)[1])
