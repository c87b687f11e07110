"""Which words can be written across previews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from events.models import Event


@pytest.mark.parametrize("words", ["City\nRunners", "City\rRunners", "City\tRunners", "City\u2028Runners"])
def test_a_watermark_is_one_line(event: Event, words: str) -> None:
    event.watermark = words
    with pytest.raises(ValidationError, match="cannot be drawn"):
        event.full_clean()


def test_a_watermark_may_have_a_space_that_does_not_break(event: Event) -> None:
    event.watermark = "©\xa02026 City Runners"
    event.full_clean()
