"""Bodies with fields that are not there: the sentence names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conftest import new_key

if TYPE_CHECKING:
    from django.test import Client

    from events.models import Event


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"titel": "Spring Run"}, "`titel`: There is no such field."),
        ({"created_at": "2026-01-01"}, "`created_at`: This cannot be set."),
    ],
)
def test_a_field_that_cannot_be_sent_is_named(
    client: Client, event: Event, body: dict[str, object], detail: str
) -> None:
    headers = {"Authorization": f"Api-Key {new_key()}"}
    answer = client.patch("/api/v1/events/city-run", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"detail": detail, "code": "bad_request"})
