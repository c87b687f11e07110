"""Galleries that are open in a test client's session, without a selfie."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from faces.models import Visitor
from faces.views.session import SESSION_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from events.models import Event


def open_gallery(client: Client, event: Event, sure: Sequence[int] = (), maybe: Sequence[int] = ()) -> Visitor:
    """Open a gallery in the client's session, with these witnesses (keys of ImageFace), for an hour."""
    expires = timezone.now() + timedelta(hours=1)
    visitor = Visitor.objects.create(event=event, sure=list(sure), maybe=list(maybe), expires_at=expires)
    session = client.session
    session[SESSION_KEY] = {str(event.pk): str(visitor.key)}
    session.save()
    return visitor
