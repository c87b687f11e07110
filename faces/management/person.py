"""The person that a command is about."""

from __future__ import annotations

from uuid import UUID

from django.core.management.base import CommandError

from faces.models import Face

WHICH = "the person's grab_id, also one that leads to the person since a merge"


def person_with(grab_id: str) -> Face:
    """Return the person who has this grab_id now."""
    try:
        known = UUID(grab_id)
    except ValueError as error:
        raise CommandError(f"{grab_id!r} is no grab_id. Copy it from the person's page in admin.") from error
    if person := Face.objects.with_grab_id(known).select_related("event").first():
        return person
    raise CommandError(f"There is no person with the grab_id {grab_id}.")
