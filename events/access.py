"""Who may do what with an event and its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser


def is_staff(user: Actor) -> bool:
    """Tell whether this user may manage events: upload, process, see every photo."""
    return user.is_active and bool(getattr(user, "is_staff", False))
