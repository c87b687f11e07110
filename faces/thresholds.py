"""How far apart two faces of one person may be, and how likely they are one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from faces.engine import calibration_of
from faces.models import Embedding

if TYPE_CHECKING:
    from events.models import Event
    from faces.engine import Calibration

USUAL_SIZE = 4000
"""The measured distances hold up to so many faces: the size of the events in which they were measured."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Largest cosine distances of one person, in an event of so many `faces`.

    `sure` and `maybe`: of a selfie and a person's faces. `group`: of all pairs between two groups, in the mean; `join`:
    of a face and all the faces of the person it joins, in the mean.
    """

    group: float
    join: float
    sure: float
    maybe: float
    faces: int


def thresholds(event: Event) -> Thresholds:
    """Return the event's own values, else in proportion to SIMILARITY_THRESHOLD, else what was measured.

    What was measured becomes stricter as an event grows: a selfie is compared with every face. Counts the faces; call
    it once.
    """
    faces = Embedding.objects.filter(event=event, engine=event.engine).count()
    calibration = calibration_of(event.engine)
    chosen = next((v for v in (event.max_distance, settings.SIMILARITY_THRESHOLD) if v is not None), None)
    usual = _of_size(calibration, faces) if chosen is None else _in_proportion(calibration, chosen)
    own = {"group": event.group_distance, "join": event.join_distance, "maybe": event.maybe_distance}
    values = usual | {name: distance for name, distance in own.items() if distance is not None}
    # Who sets the outer limit alone means both tiers.
    values["sure"] = min(values["sure"], values["maybe"])
    return Thresholds(**values, faces=faces)


def probability(event: Event, similarity: float, persons_searched: int) -> float:
    """Return how likely a selfie shows the person that it is so similar to, the best of so many persons; 0 to 1.

    `similarity` is what `Thresholds.sure` is compared with, as 1 - distance.
    """
    return calibration_of(event.engine).probability(similarity, persons_searched)


def _of_size(calibration: Calibration, faces: int) -> dict[str, float]:
    """Return the distances for so many faces: as many strangers are sure matches as in an event of the usual size."""
    crowd = max(1.0, faces / USUAL_SIZE)
    return {
        "sure": _stricter(calibration, calibration.sure, crowd),
        # Half of the way, in powers of ten. A visitor looks at what is only maybe, and says no. Groups are compared by
        # means, which look-alikes reach less: on LFW, the best B³ F is at 0.42 for 480 faces and at 0.44 for 4,400.
        **{name: _stricter(calibration, getattr(calibration, name), crowd**0.5) for name in ("group", "join", "maybe")},
    }


def _stricter(calibration: Calibration, distance: float, times: float) -> float:
    """Return the distance that so many times fewer strangers are within; the same one for 1."""
    rate = calibration.false_match_rate(1 - distance)
    return min(distance, 1 - calibration.similarity_at(rate / times))


def _in_proportion(calibration: Calibration, sure: float) -> dict[str, float]:
    measured = {"group": calibration.group, "join": calibration.join, "maybe": calibration.maybe}
    return {"sure": sure} | {name: sure * distance / calibration.sure for name, distance in measured.items()}
