"""How far apart two faces of one person may be."""

from dataclasses import dataclass

import numpy as np
from django.conf import settings
from numpy.typing import ArrayLike, NDArray

from events.models import Event
from faces.engine import get_engine

MEAN_ALLOWANCE = 1.125
"""Two groups are compared by the mean of many pairs, which errs less than one pair: so it may be larger by this."""

CLEAR_SIDE = 80
"""From this many pixels on, a larger face is not recognised any better."""

BLURRED = 0.7
"""What a similarity is worth between faces of next to no pixels: small faces all look alike.

RBNR (faces of 54 pixels in the middle), pairwise precision of the groups 0.71 without, 0.94 with; LFW, whose faces are
large, stays as it is."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Largest cosine distances of one person.

    `sure` and `maybe`: of a selfie and a person's faces. `group`: of all pairs between two groups, in the mean; `join`:
    of a face and all the faces of the person it joins, in the mean.
    """

    group: float
    join: float
    sure: float
    maybe: float


def thresholds(event: Event) -> Thresholds:
    """Return the event's own values, else in proportion to SIMILARITY_THRESHOLD, else what was measured."""
    sure = _sure(event)
    mean = sure * MEAN_ALLOWANCE
    return Thresholds(
        group=mean if event.group_distance is None else event.group_distance,
        join=mean if event.join_distance is None else event.join_distance,
        sure=sure,
        maybe=mean if event.maybe_distance is None else event.maybe_distance,
    )


def _sure(event: Event) -> float:
    for value in (event.max_distance, settings.SIMILARITY_THRESHOLD):
        if value is not None:
            return float(value)
    return get_engine(event.engine).max_distance


def clarity(width: ArrayLike, height: ArrayLike) -> NDArray[np.float32]:
    """Return the factor, up to 1, that a face of this size (in pixels) brings to each of its similarities."""
    side = np.minimum(width, height).astype(np.float32)
    return np.sqrt(BLURRED + (1 - BLURRED) * np.minimum(side / CLEAR_SIDE, 1))
