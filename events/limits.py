"""How often somebody may ask: counted in the database, so that all web processes of all machines agree.

A limit such as 120/minute lets 120 requests through at once, and then one every half second (the generic cell rate
algorithm): a row says until when, at that pace, what was asked would last.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.throttling import BaseThrottle

from events.addresses import client_address
from events.models import Allowance, ApiKey

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

_SPEND = """
INSERT INTO events_allowance AS allowance (key, spent_until)
VALUES (%(key)s, clock_timestamp() + %(pace)s * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET spent_until = GREATEST(allowance.spent_until, clock_timestamp()) + %(pace)s * interval '1 second'
WHERE GREATEST(allowance.spent_until, clock_timestamp()) + %(pace)s * interval '1 second'
    <= clock_timestamp() + %(period)s * interval '1 second'
RETURNING 1
"""
_GIVE_BACK = (
    "UPDATE events_allowance SET spent_until = spent_until - %(pace)s * interval '1 second' WHERE key = %(key)s"
)
_WAIT = """
SELECT extract(epoch FROM spent_until - clock_timestamp()) + %(pace)s - %(period)s
FROM events_allowance WHERE key = %(key)s
"""


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate | None:
        """Return what `120/minute` stands for; None for nothing: no limit.

        Raises:
            ImproperlyConfigured: it stands for nothing.
        """
        if not text:
            return None
        found = re.fullmatch(r"([1-9][0-9]{0,6})/(second|minute|hour|day)", text)
        if not found:
            raise ImproperlyConfigured(f"{text!r} is no limit: write for instance 120/minute, or nothing.")
        return cls(int(found[1]), SECONDS[found[2]])


class TooManyRequests(APIException):
    """Somebody asks too often; `wait` is in how many seconds they may ask again, at least 1."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many_requests"

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many requests. Try again in {wait} seconds.")
        self.wait = wait


class Limits(BaseThrottle):
    """Lets whoever asks through as often as the view's `limit` says (the name of one of the settings LIMITS)."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Return True.

        Raises:
            TooManyRequests
        """
        spend(getattr(view, "limit", "requests"), who_asks(request))
        return True


def spend(limit: str, who: str) -> None:
    """Count a request.

    Raises:
        TooManyRequests: it is one too many; it is not counted.
    """
    if not (rate := _rate(limit)):
        return
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, _values(limit, who, rate))
        if cursor.fetchone():
            return
        cursor.execute(_WAIT, _values(limit, who, rate))
        row = cursor.fetchone()
    raise TooManyRequests(max(1, math.ceil(row[0] if row else 0)))


def give_back(limit: str, who: str) -> None:
    """Count a request no more, as one that was right where only wrong ones count.

    Counted before it is looked at: of a hundred guesses at the same time, all would be looked at before one counts.
    """
    if rate := _rate(limit):
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, _values(limit, who, rate))


def who_asks(request: Request) -> str:
    """Return whose allowance a request of the API uses up: that of its key, its token, its user or its address."""
    if isinstance(request.auth, ApiKey):
        return f"key {request.auth.prefix}"
    if request.auth is not None:
        # The token alone: `bearer` can be written in many ways, with as many blanks behind it.
        return f"token {request.META['HTTP_AUTHORIZATION'].split()[-1]}"
    return who_visits(request)


def who_visits(request: HttpRequest | Request) -> str:
    """Return whose allowance a request of a page uses up: that of its user or its address."""
    return f"user {request.user.pk}" if request.user.is_authenticated else address_of(request)


def address_of(request: HttpRequest | Request) -> str:
    """Return the address as one whose allowance is used up."""
    return f"address {client_address(request)}"


def expire() -> int:
    """Forget those who have all of their allowance again; return how many."""
    return Allowance.objects.filter(spent_until__lt=timezone.now()).delete()[0]


def _rate(limit: str) -> Rate | None:
    return _parsed(settings.LIMITS[limit])


_parsed = lru_cache(Rate.parse)


def _values(limit: str, who: str, rate: Rate) -> dict[str, Any]:
    # Nobody can tell from it who it was.
    digest = salted_hmac("grabpic.limits", who, algorithm="sha256").hexdigest()
    return {"key": f"{limit} {digest}", "pace": rate.seconds / rate.requests, "period": float(rate.seconds)}
