"""Writes down who looked at or changed what about people. Never a picture, a vector or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.access import is_staff
from faces.models import AuditEntry

if TYPE_CHECKING:
    from uuid import UUID

    from events.access import Actor
    from events.models import Event

Action = AuditEntry.Action

VISITOR = "visitor"
SYSTEM = "Grabpic"
COMMAND = "command line"


def record(
    action: AuditEntry.Action,
    event: Event | None,
    by: Actor | str,
    *,
    grab_id: UUID | None = None,
    detail: str = "",
) -> AuditEntry:
    """Write one entry; `by` is a user, or one of the words above, or “API key …”.

    Who is not staff is a visitor, with an account or without: of those nobody learns who it was.
    """
    user = None if isinstance(by, str) or not by.is_authenticated or not is_staff(by) else by
    actor = by if isinstance(by, str) else by.get_username() if user else VISITOR
    return AuditEntry.objects.create(
        action=action, event=event, user=user, actor=actor[:200], grab_id=grab_id, detail=detail[:300]
    )
