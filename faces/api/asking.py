"""What the endpoints of people read of a request, and how they say that a correction cannot be made."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import NotFound

from events.api.asking import uuids
from events.authentication import managed_events
from events.errors import Refusal
from events.schema import Problem
from faces.ledger import CorrectionError
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request

    from faces.models import FaceQuerySet

GRAB_ID_PARAMETER = OpenApiParameter("grab_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The person's.")

UNKNOWN_PERSON = Problem(404, "not_found", "There is no person with this grab_id.")
SAME_PERSON = Problem(409, "same_person", "Choose at least two persons: this is one already.")
GONE = Problem(409, "gone", "This has changed meanwhile. Reload the page.")


def persons_known_as(grab_id: str) -> FaceQuerySet:
    """Return the person that a `grab_id` leads to; none for what is not one."""
    return Face.objects.with_grab_id(UUID(grab_id)) if uuids(grab_id) else Face.objects.none()


def managed_person(request: Request, grab_id: str) -> Face:
    """Return the person that a `grab_id` leads to, with the event, of the events that whoever asks manages.

    Raises:
        NotFound: 404 `not_found`.
    """
    known = persons_known_as(grab_id).filter(event__in=managed_events(request))
    person = known.select_related("event").defer("embedding").first()
    if person is None:
        raise NotFound(UNKNOWN_PERSON.detail)
    return person


@contextmanager
def corrections_refused() -> Iterator[None]:
    """Answer 409 where a correction cannot be made, with its code and its sentence."""
    try:
        yield
    except CorrectionError as error:
        raise Refusal(error.code, error.sentence, status.HTTP_409_CONFLICT) from error
