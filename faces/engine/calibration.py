"""How the similarities of an engine are to be read: which are one person's, and how often strangers reach them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

FIRST_DECADE: Final = 2
"""The tail begins with one pair of strangers in 10²; every further entry has ten times fewer."""

FAR: Final = 40.0
"""So many decades away the tail ends."""


@dataclass(frozen=True)
class Calibration:
    """What `manage.py benchmark calibration` measures of an engine.

    `group`, `join`, `sure` and `maybe` are the largest cosine distances of one person in an event of usual size; see
    `faces.thresholds.Thresholds`. `tail` holds the cosine similarities that one in 100, in 1000 … of all pairs of
    strangers exceeds, at least three. `slope` and `midpoint` give the evidence of a face beside a centroid, see there.
    """

    group: float
    join: float
    sure: float
    maybe: float
    tail: tuple[float, ...]
    slope: float
    midpoint: float

    def __post_init__(self) -> None:
        if len(self.tail) < 3 or min(np.diff(self.tail)) <= 0 or self.slope <= 0:
            raise ValueError("A tail has three similarities or more, each larger than the one before; the slope rises.")

    def false_match_rate(self, similarity: float) -> float:
        """Return the share of the pairs of strangers that are at least so similar; the tail goes on as it ends."""
        decades, similarities = self._knots
        return float(10 ** -np.interp(similarity, similarities, decades))

    def similarity_at(self, rate: float) -> float:
        """Return the similarity with this false match rate, above 0."""
        decades, similarities = self._knots
        return float(np.interp(-np.log10(rate), decades, similarities))

    def expected_false_matches(self, similarity: float, faces: int) -> float:
        """Return how many of so many strangers' faces are, on average, at least so similar to one face."""
        return self.false_match_rate(similarity) * faces

    def evidence(self, similarity: float) -> float:
        """Return log10 of how many times likelier a face is so similar to its own person's centroid than to others'."""
        return self.slope * (similarity - self.midpoint)

    def probability(self, similarity: float, persons: int) -> float:
        """Return how likely a selfie shows the person whose centroid is so similar, the best of so many; 0 to 1.

        Every other selfie is taken to be of somebody in the event, who may be any of its persons.
        """
        return float(1 / (1 + 10 ** (np.log10(max(1, persons)) - self.evidence(similarity))))

    @cached_property
    def _knots(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return decades and similarities, both rising, from a rate of 1 to one that no event reaches."""
        first, second, *_ = self.tail
        last_decade = FIRST_DECADE + len(self.tail) - 1
        # Over two decades: the last entry stands on a few pairs only.
        step = (self.tail[-1] - self.tail[-3]) / 2
        start, end = first - FIRST_DECADE * (second - first), self.tail[-1] + step * (FAR - last_decade)
        decades = np.array([0.0, *range(FIRST_DECADE, last_decade + 1), FAR])
        return decades, np.array([start, *self.tail, end])


# As printed by `manage.py benchmark calibration --engine …` on LFW, 4,426 faces of 1,473 people; the default engine's
# probabilities are then off by 0.006 in the mean.
MEASURED: Final = {
    "facenet+sface": Calibration(
        group=0.54,
        join=0.554,
        sure=0.488,
        maybe=0.569,
        tail=(0.3011, 0.3729, 0.4309, 0.4799, 0.5336),
        slope=21.77,
        midpoint=0.3685,
    ),
    "facenet": Calibration(
        group=0.33,
        join=0.348,
        sure=0.276,
        maybe=0.365,
        tail=(0.4504, 0.5579, 0.6348, 0.6934, 0.745),
        slope=16.69,
        midpoint=0.4884,
    ),
    "sface": Calibration(
        group=0.546,
        join=0.56,
        sure=0.497,
        maybe=0.575,
        tail=(0.3, 0.3688, 0.4253, 0.4731, 0.5221),
        slope=21.83,
        midpoint=0.3573,
    ),
}


def assumed(threshold: float) -> Calibration:
    """Return the calibration of a model of which the distance is known at which its maker tells two faces apart.

    Nothing of it is measured but the threshold: that one in 1,000 pairs of strangers is within, and ten times fewer
    for each eighth less, holds roughly for SFace and FaceNet.
    """
    step = threshold / 8
    return Calibration(
        group=threshold * 1.125,
        join=threshold * 1.125,
        sure=threshold,
        maybe=threshold * 1.125,
        tail=tuple(1 - threshold + step * decade for decade in range(-1, 4)),
        slope=1 / step,
        midpoint=1 - threshold,
    )
