"""Why a selfie opened nothing, and what to do next: in the words of visitors' pages, translated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Reason:
    """A short `title`, and `advice`: a sentence or two that say what to do next."""

    title: _StrPromise
    advice: _StrPromise


REASONS = {
    "no_face": Reason(
        _("We see no face in this picture"),
        _("Hold the camera in front of you, look into it, in good light, and try again."),
    ),
    "several_faces": Reason(
        _("There are several faces in this picture"),
        _("Say which one is yours, or take a selfie with only you in it."),
    ),
    "too_small": Reason(
        _("Your face is too small in this picture"),
        _("Come closer, so that your face fills about half of the picture, and try again."),
    ),
    "too_dark": Reason(
        _("This picture is too dark"),
        _("Turn towards a window or a lamp, so that the light falls on your face, and try again."),
    ),
    "too_blurred": Reason(
        _("This picture is blurred"),
        _("Wipe the lens, hold the camera still for a moment, and try again."),
    ),
    "no_match": Reason(
        _("You are not in these photos yet"),
        _(
            "Try another selfie: face the camera, in even light, without sunglasses. "
            "Or come back later: more photos may still come in."
        ),
    ),
    "different_people": Reason(
        _("These selfies show different people"),
        _("Use selfies of one person only: take those of somebody else away, or start again."),
    ),
    "missing_file": Reason(
        _("There was no picture"),
        _("Take a selfie or choose a photo first."),
    ),
    "too_many_requests": Reason(
        _("Too many selfies came from here just now"),
        _("Wait a minute, and try again."),
    ),
    "too_many_files": Reason(
        _("These are too many pictures"),
        _("Use up to three selfies at a time."),
    ),
    "consent_required": Reason(
        _("We need your consent first"),
        _("Tick the box, then send your selfie once more. Without your consent it is not looked at."),
    ),
    "file_too_large": Reason(
        _("This file is too large"),
        _("Take the selfie with the camera of this page, or choose a smaller picture."),
    ),
    "image_too_large": Reason(
        _("This picture has too many pixels"),
        _("Take the selfie with the camera of this page, or choose a smaller picture."),
    ),
    "not_an_image": Reason(
        _("This file is not a photo"),
        _("Choose a photo (JPEG, PNG, WebP or HEIC), or take a selfie."),
    ),
    "unsupported": Reason(
        _("We cannot read this kind of picture"),
        _("Choose a photo saved as JPEG, or take a selfie."),
    ),
    "empty": Reason(
        _("This file is empty"),
        _("Choose the photo again, or take a selfie."),
    ),
    "truncated": Reason(
        _("Part of this picture is missing"),
        _("It may not have been copied to its end. Choose it again, or take a selfie."),
    ),
    "broken": Reason(
        _("This picture is damaged"),
        _("Choose another photo, or take a selfie."),
    ),
    "engine_unavailable": Reason(
        _("We cannot compare selfies just now"),
        _("The fault is ours, and your picture is fine. Try again in a few minutes."),
    ),
    "faces_deleted": Reason(
        _("The faces of this event have been deleted"),
        _("They were kept for a limited time, which is over, so that selfies find nothing here. Ask the organiser."),
    ),
}
"""By code: whatever a selfie may be answered with, on the event's page."""
