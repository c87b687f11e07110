"""The words of the table of who may do what: groups of actors, what they are refused with, and a row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grabpic_site.tests.actors import Actor
from grabpic_site.tests.asking import Request

Actors = frozenset[Actor]
Outcomes = Mapping[Actors, str]


def group(*actors: Actor) -> Actors:
    return frozenset(actors)


# Attendees
ADA, BOB, EVE, GUEST = (group(actor) for actor in (Actor.ADA, Actor.BOB, Actor.EVE, Actor.GUEST))
VISITORS = ADA | BOB | EVE | GUEST
TOKEN, OF_BOB, OF_EVE = (group(actor) for actor in (Actor.TOKEN, Actor.TOKEN_OF_BOB, Actor.TOKEN_OF_EVE))
TOKENS = TOKEN | OF_BOB | OF_EVE
DEAD_TOKENS = group(Actor.TOKEN_EXPIRED, Actor.TOKEN_FORGED)

# Programs
KEY_ELSEWHERE, KEY_OF_ALL = group(Actor.KEY_ELSEWHERE), group(Actor.KEY_OF_ALL)
READ, UPLOAD, SEARCH, MANAGE = (
    group(key) for key in (Actor.KEY_READ, Actor.KEY_UPLOAD, Actor.KEY_SEARCH, Actor.KEY_MANAGE)
)
SCOPED = READ | UPLOAD | SEARCH | MANAGE
DEAD_KEYS = group(Actor.KEY_EXPIRED, Actor.KEY_REVOKED)

# Accounts
MEMBER, HELPER = group(Actor.MEMBER), group(Actor.HELPER)
ORGANISER, MANAGER, SUPERUSER = group(Actor.ORGANISER), group(Actor.MANAGER), group(Actor.SUPERUSER)
STAFF_ELSEWHERE = group(Actor.ORGANISER_ELSEWHERE)
STAFF = HELPER | ORGANISER | MANAGER | SUPERUSER
"""Who manages the event."""
ALLOWED = ORGANISER | SUPERUSER
"""Who manages the event, and has the permissions of organisers."""
ANY_STAFF = STAFF | STAFF_ELSEWHERE

EVERYBODY = frozenset(Actor)
NOBODY: Actors = frozenset()
ENTERED = STAFF | VISITORS
"""Who may use an event with a code."""
OUTSIDE_API = EVERYBODY - DEAD_TOKENS - DEAD_KEYS - SCOPED - KEY_ELSEWHERE - OF_BOB - OF_EVE

IN_API = EVERYBODY - BOB - EVE - GUEST
IN_ADMIN = ANY_STAFF | MEMBER | ADA | group(Actor.ANONYMOUS, Actor.KEY_OF_ALL)
SOME = group(Actor.ANONYMOUS, Actor.SUPERUSER, Actor.KEY_OF_ALL, Actor.KEY_REVOKED, Actor.TOKEN_FORGED)
"""Those to whom it may make a difference that they show something, where everybody may look."""

# What the others get
STAFF_PAGE = {MEMBER: "403", STAFF_ELSEWHERE: "404", EVERYBODY - MEMBER - STAFF_ELSEWHERE: "302 login"}
ADMIN = {ANY_STAFF: "403", EVERYBODY - ANY_STAFF: "302 login"}
API = {
    MEMBER | SCOPED | STAFF: "403",
    STAFF_ELSEWHERE | KEY_ELSEWHERE: "404",
    EVERYBODY - ANY_STAFF - MEMBER - SCOPED - KEY_ELSEWHERE - KEY_OF_ALL: "401",
}
SHOWN_API = {
    MEMBER | SCOPED: "403",
    STAFF_ELSEWHERE | KEY_ELSEWHERE | TOKENS: "404",
    group(Actor.ANONYMOUS) | VISITORS | DEAD_TOKENS | DEAD_KEYS: "401",
}

ALL = "ada may bob hid"


@dataclass(frozen=True, slots=True)
class Row:
    """What comes of a request, for whom, in events of which access; `others` is for whom `who` does not name."""

    request: Request
    modes: tuple[str, ...]
    who: Outcomes
    others: str | Outcomes
    is_checked: bool = True
    """Whether a session needs a CSRF token."""
    asks: Actors = IN_API

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.address} ({' '.join(self.modes)})"

    def actors(self) -> Actors:
        """Return who asks: one stands for all whose token, key or open gallery nobody looks at here."""
        address = self.request.address
        if address.startswith("/admin/"):
            return IN_ADMIN
        return self.asks if address.startswith(("/api/", "/docs", "/redoc", "/metrics")) else OUTSIDE_API

    def expected(self, actor: Actor) -> str:
        """Return the outcome for an actor."""
        found = [outcome for actors, outcome in self.who.items() if actor in actors]
        if not found and not isinstance(self.others, str):
            found = [outcome for actors, outcome in self.others.items() if actor in actors]
        assert len(found) < 2, f"{self} says twice what {actor} gets"
        return found[0] if found else str(self.others)


def row(method: str, address: str, modes: str, who: Outcomes, others: str | Outcomes = "404", **options: Any) -> Row:
    kept = {name: options.pop(name) for name in ("is_checked", "asks") if name in options}
    return Row(Request(method, address, **options), tuple(modes.split()), who, others, **kept)
