"""Which photos of an open event are there to be browsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from events.models import Event
from faces.tests.conftest import listed
from faces.tests.test_access import publish, text

if TYPE_CHECKING:
    from django.test import Client


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_photos_without_renditions_are_not_browsed(client: Client, event: Event, state: str) -> None:
    publish(event, Event.Access.OPEN)
    (missing,) = listed(event, 1, state=state)
    (there,) = listed(event, 1, state="no_face")
    page = text(client, "/events/city-run/photos/")
    assert str(there.image_id) in page
    assert str(missing.image_id) not in page
