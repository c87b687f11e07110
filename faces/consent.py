"""The words that a visitor agrees to before a selfie is looked at, and the record that somebody did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from faces.models import Consent

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from events.models import Event

VERSION = "2026-11"
"""Of `WORDS`: other words, in any language, need another version; test_translations.py holds the two together.

The old words stay in the history of this file and of `locale/`.
"""

WORDS: _StrPromise = _(
    "I agree that my selfie is compared with the faces in the photos of this event, to find the photos that I am in. "
    "The selfie is not stored. I can take this back at any time with “Forget me”."
)


def record(event: Event) -> Consent:
    """Write down that somebody agreed just now, to the present words in the language of the page."""
    return Consent.objects.create(event=event, version=VERSION, language=get_language() or "")


def withdraw(consent: Consent) -> None:
    """Write down that the consent was taken back just now."""
    Consent.objects.filter(pk=consent.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
