"""Who may do what with an event and its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    Actor: TypeAlias = User | AnonymousUser


def is_staff(user: Actor) -> bool:
    """Tell whether this user may manage events: upload, process, see every photo of them. Which: `managed_by`."""
    return user.is_active and user.is_staff


def manages_every_event(user: Actor) -> bool:
    """Tell whether this user manages all events, and not only those that they or their groups belong to."""
    return is_staff(user) and user.has_perm("events.manage_every_event")
