"""The cast of the table of who may do what: who asks, and what they show to say who they are."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.core import signing
from django.db import connection, transaction
from django.test import Client, override_settings
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import new_key, organisers
from events.gate import SESSION_KEY as CODES
from events.models import ApiKey, Delivery, Event, Scope, Webhook
from events.tests.receiver import new_webhook
from events.webhooks import message
from faces.gallery import SALT, Grant
from faces.views.session import CONSENTS_KEY
from faces.views.session import SESSION_KEY as VISITORS
from grabpic_site.tests.world import CODE, ELSEWHERE, MODES, Place, make_place, make_visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from faces.models import Visitor
    from grabpic_site.tests.world import Person


class Actor(StrEnum):
    """Who asks. “Here” is the event of the row; Ada is one person of it, Bob another; Eve is in another event."""

    ANONYMOUS = "anonymous"
    MEMBER = "an account that is listed as staff of the event, and in the group, but is not staff (any more)"
    GUEST = "somebody with the code of the event, without a gallery"

    ADA = "Ada: her gallery is open in her session; may be May, too"
    BOB = "Bob: his gallery is open in his session"
    EVE = "Eve: her gallery of another event is open in her session"

    TOKEN = "token of Ada"
    TOKEN_OF_BOB = "token of Bob"
    TOKEN_OF_EVE = "token of Eve, of another event"
    TOKEN_EXPIRED = "token of Ada that has expired"
    TOKEN_FORGED = "token of Ada that somebody else signed"

    KEY_READ = "API key: read"
    KEY_UPLOAD = "API key: upload"
    KEY_SEARCH = "API key: search"
    KEY_MANAGE = "API key: manage"
    KEY_OF_ALL = "API key: every scope and every event"
    KEY_ELSEWHERE = "API key: every scope, of another event"
    KEY_EXPIRED = "API key that has expired"
    KEY_REVOKED = "API key that was revoked"

    HELPER = "staff of the event, without a group"
    ORGANISER = "staff of the event, in the group Organisers"
    ORGANISER_ELSEWHERE = "staff of another event, in the group Organisers"
    MANAGER = "staff that manages every event, with no other permission"
    SUPERUSER = "superuser"


@dataclass(frozen=True, slots=True)
class Pass:
    """What an actor shows: cookies, and the Authorization header in each event."""

    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cast:
    """The events by their access, and what each actor shows."""

    places: dict[str, Place]
    passes: dict[Actor, Pass]


@contextmanager
def assembled(folder: Path) -> Iterator[Cast]:
    """Make the events, with the photos in a folder, and the cast; in a transaction that is taken back in the end."""
    storage = {"BACKEND": "events.storage.LocalStorage", "OPTIONS": {"location": folder / ".grabpic"}}
    kept = {
        "STORAGE_PATH": folder,
        "STORAGES": {**settings.STORAGES, "default": storage},
        "INGEST_WAIT_SECONDS": 0,
        "FACE_ENGINE": "fake",
    }
    with override_settings(**kept), transaction.atomic():
        yield _assemble()
        transaction.set_rollback(True)


def _assemble() -> Cast:
    organiser = staff("organiser", organisers())
    places = {mode: make_place(mode, access, ("ada", "may", "bob", "hid"), organiser) for mode, access in MODES.items()}
    elsewhere = make_place(ELSEWHERE, Event.Access.SELFIE, ("eve",), organiser)
    users = _users(organiser, [place.event for place in places.values()], elsewhere.event)
    with connection.cursor() as cursor:
        # What waits already is not asked for a second time.
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded'")
    passes = {actor: Pass(cookies=session(user)) for actor, user in users.items()}
    passes |= _visitors(places, elsewhere) | _tokens(places, elsewhere) | _keys(places, elsewhere)
    for place in places.values():
        place.names.update(eve=elsewhere.people["eve"], elsewhere=elsewhere.event, **_rows(place.event, users))
    return Cast({**places, ELSEWHERE: elsewhere}, {Actor.ANONYMOUS: Pass(), **passes})


def _rows(event: Event, users: Mapping[Actor, User]) -> dict[str, Any]:
    """Return what else addresses of admin are about."""
    return {
        "decision": event.decisions.order_by("pk").last(),
        "entry": event.audit_entries.first(),
        "group": organisers(),
        "user": users[Actor.MEMBER],
        "key": ApiKey.objects.get(name=Actor.KEY_READ),
        "job": ProcrastinateJob.objects.first(),
        **_webhook_of(event),
    }


def _webhook_of(event: Event) -> dict[str, Any]:
    """Make a webhook of the event, which is off, and a message that it was sent."""
    webhook = new_webhook(
        "https://client.example",
        Webhook.Kind.EVENT_INDEXED,
        name=f"hook of {event.slug}",
        every_event=False,
        is_active=False,
    )
    webhook.events.add(event)
    delivery = message(webhook, Webhook.Kind.EVENT_INDEXED, {}, event)
    delivery.state = Delivery.State.FAILED
    delivery.save()
    return {"webhook": webhook, "delivery": delivery}


def staff(name: str, *groups: Group, **fields: Any) -> User:
    user = User.objects.create_user(name, is_staff=True, **fields)
    user.groups.add(*groups)
    return user


def _users(organiser: User, here: Iterable[Event], elsewhere: Event) -> dict[Actor, User]:
    group = organiser.groups.get()
    member, helper = User.objects.create_user("member"), staff("helper")
    member.groups.add(group)
    stranger, manager = staff("organiser-elsewhere", group), staff("manager")
    manager.user_permissions.add(Permission.objects.get(codename="manage_every_event"))
    for event in here:
        event.staff.add(organiser, helper, member)
    elsewhere.staff.add(stranger)
    return {
        Actor.MEMBER: member,
        Actor.HELPER: helper,
        Actor.ORGANISER: organiser,
        Actor.ORGANISER_ELSEWHERE: stranger,
        Actor.MANAGER: manager,
        Actor.SUPERUSER: staff("superuser", is_superuser=True),
    }


def session(user: User | None = None, values: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the cookies of a session, of this user and with these values."""
    client = Client()
    if user:
        client.force_login(user)
    kept = client.session
    kept.update(values or {})
    kept.save()
    return {name: morsel.value for name, morsel in client.cookies.items()}


def _visitors(places: Mapping[str, Place], elsewhere: Place) -> dict[Actor, Pass]:
    codes = {str(place.event.pk): CODE for place in places.values()}
    seen = {
        Actor.ADA: [make_visitor(p.event, [p.people["ada"]], [p.people["may"]]) for p in places.values()],
        Actor.BOB: [make_visitor(p.event, [p.people["bob"]]) for p in places.values()],
        Actor.EVE: [make_visitor(elsewhere.event, [elsewhere.people["eve"]])],
        Actor.GUEST: [],
    }
    for place, visitor in zip(places.values(), seen[Actor.ADA], strict=True):
        place.names["visitor"] = visitor
    return {
        actor: Pass(cookies=session(values={CODES: codes, **_opened(visitors)})) for actor, visitors in seen.items()
    }


def _opened(visitors: Iterable[Visitor]) -> dict[str, dict[str, Any]]:
    return {
        VISITORS: {str(visitor.event_id): str(visitor.key) for visitor in visitors},
        CONSENTS_KEY: {str(visitor.event_id): visitor.consent_id for visitor in visitors},
    }


def _tokens(places: Mapping[str, Place], elsewhere: Place) -> dict[Actor, Pass]:
    eve = _bearer({mode: grant(elsewhere.event, elsewhere.people["eve"]).to_token() for mode in places})
    ada = {mode: grant(place.event, place.people["ada"], place.people["may"]) for mode, place in places.items()}
    bob = {mode: grant(place.event, place.people["bob"]).to_token() for mode, place in places.items()}
    with mock.patch("django.core.signing.time.time", return_value=time.time() - 100 * 24 * 3600):
        old = {mode: each.to_token() for mode, each in ada.items()}
    forged = {
        mode: signing.dumps([each.event_id, each.sure, each.maybe], key="guessed", salt=SALT)
        for mode, each in ada.items()
    }
    return {
        Actor.TOKEN: _bearer({mode: each.to_token() for mode, each in ada.items()}),
        Actor.TOKEN_OF_BOB: _bearer(bob),
        Actor.TOKEN_OF_EVE: eve,
        Actor.TOKEN_EXPIRED: _bearer(old),
        Actor.TOKEN_FORGED: _bearer(forged),
    }


def grant(event: Event, sure: Person, *maybe: Person) -> Grant:
    return Grant(event.pk, (sure.witness,), tuple(person.witness for person in maybe))


def _bearer(tokens: Mapping[str, str]) -> Pass:
    return Pass(headers={mode: f"Bearer {token}" for mode, token in tokens.items()})


def _keys(places: Mapping[str, Place], elsewhere: Place) -> dict[Actor, Pass]:
    here = [place.event for place in places.values()]
    scoped = {
        Actor.KEY_READ: Scope.READ,
        Actor.KEY_UPLOAD: Scope.UPLOAD,
        Actor.KEY_SEARCH: Scope.SEARCH,
        Actor.KEY_MANAGE: Scope.MANAGE,
    }
    keys = {actor: new_key(actor, scope, events=here) for actor, scope in scoped.items()} | {
        Actor.KEY_OF_ALL: new_key(Actor.KEY_OF_ALL),
        Actor.KEY_ELSEWHERE: new_key(Actor.KEY_ELSEWHERE, events=[elsewhere.event]),
        Actor.KEY_EXPIRED: new_key(Actor.KEY_EXPIRED, expiry_date=timezone.now() - timedelta(hours=1)),
        Actor.KEY_REVOKED: new_key(Actor.KEY_REVOKED, revoked=True),
    }
    return {actor: Pass(headers=dict.fromkeys(places, f"Api-Key {secret}")) for actor, secret in keys.items()}
