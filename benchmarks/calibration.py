"""What an engine's similarities mean: its `Calibration`, from the faces of known people.

The thresholds are where so many strangers are expected among USUAL_SIZE faces (`STRANGERS`), by all pairs of faces. The
evidence is of what a search compares, a face and the centroid of a person: a logistic regression, weighted so that one
in USUAL_SIZE is of one person. It is then right where many are searched, and not where a coin would be as good.

Then it is asked whether a probability of 0.9 is right nine times in ten. The people are halved: one half calibrates,
the other is the event, less half of its people, who are strangers to it. Everybody has one selfie.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.datasets import DatasetError
from benchmarks.labelled import LabelledEvent
from benchmarks.report import Figure
from faces.engine import Calibration
from faces.engine.calibration import FIRST_DECADE
from faces.thresholds import USUAL_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from benchmarks.datasets import Dataset

STRANGERS: Final = {"group": 0.1, "join": 0.2, "sure": 0.01, "maybe": 0.4}
"""How many faces of strangers are expected within each distance, among USUAL_SIZE.

LFW, by groups of two and more: 0.1 for both gives a pairwise precision of 0.9992 and a B³ F of 0.988; with 0.2 for weak
groups that join strong ones 0.9986 and 0.989, and a tenth more of the pairs of small faces."""

FEWEST = 5
"""An entry of the tail stands on at least so many pairs."""

BINS = 20_000
BLOCK_ROWS = 256
CONVERGED = 1e-9
TRIALS = 10
SEED = 1
STEPS = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0)
"""Between these, probabilities are compared with how often they were right."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Histograms, over BINS from -1 to 1, of the similarities of pairs of one person and of strangers."""

    same: NDArray[np.int64]
    strangers: NDArray[np.int64]


def measure(dataset: Dataset, engines: Iterable[str], log: Callable[[str], object]) -> list[Figure]:
    """Measure each engine, and log its calibration as it is written in `faces.engine.calibration`.

    Raises:
        DatasetError: the people are too few.
        EngineError: an engine cannot be used.
    """
    return [figure for name in dict.fromkeys(engines) for figure in _measure_engine(dataset, name, log)]


def _measure_engine(dataset: Dataset, name: str, log: Callable[[str], object]) -> Iterator[Figure]:
    log(f"{name}: {len(dataset.photos)} photos …")
    faces = LabelledEvent(dataset, name, Random(SEED)).faces  # noqa: S311
    known = faces.only(faces.known)
    found = calibrate(known.persons, known.embeddings)
    log(f'"{name}": {found},')
    probabilities, right = trials(known.persons, known.embeddings)
    for line in reliability(probabilities, right):
        log(line)
    values = _values(found) | {
        "brier_score": float(((probabilities - right) ** 2).mean()),
        "calibration_error": calibration_error(probabilities, right),
    }
    for metric, value in values.items():
        yield Figure("calibration", dataset.name, name, metric, value, "similarity" if "tail" in metric else "")


def _values(found: Calibration) -> dict[str, float]:
    tail = {f"tail_1e-{decade}": similarity for decade, similarity in enumerate(found.tail, FIRST_DECADE)}
    names = "group", "join", "sure", "maybe", "slope", "midpoint"
    return tail | {name: getattr(found, name) for name in names}


def calibrate(persons: NDArray[np.int64], embeddings: NDArray[np.float32]) -> Calibration:
    """Return what these faces show; DatasetError where they are too few or too easily told apart."""
    tail = tuple(_tail(count_pairs(persons, embeddings).strangers))
    matches = count_matches(persons, embeddings)
    if len(tail) < 3 or not _overlap(matches):
        raise DatasetError("The people are too few, or too easily told apart: some 500 faces are needed.")
    slope, midpoint = _fit(matches)
    draft = Calibration(0, 0, 0, 0, tail, slope, midpoint)
    limits = {name: round(1 - draft.similarity_at(n / USUAL_SIZE), 3) for name, n in STRANGERS.items()}
    return Calibration(tail=tail, slope=round(slope, 2), midpoint=round(midpoint, 4), **limits)


def count_pairs(persons: NDArray[np.int64], embeddings: NDArray[np.float32]) -> Pairs:
    """Return the histograms of all pairs of these faces."""
    pairs = Pairs(np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))
    for start in range(0, len(persons), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        similar, own = embeddings[rows] @ embeddings[start:].T, persons[rows, None] == persons[start:]
        once = np.triu(np.ones_like(own), 1)
        pairs.same[:] += _histogram(similar[once & own])
        pairs.strangers[:] += _histogram(similar[once & ~own])
    return pairs


def count_matches(persons: NDArray[np.int64], embeddings: NDArray[np.float32]) -> Pairs:
    """Return the histograms of each face with the centroid of each person; it is not in that of its own."""
    people, rows, sizes = np.unique(persons, return_inverse=True, return_counts=True)
    sums = _sums(rows, embeddings)
    own = sizes[rows] > 1
    to_own = (embeddings[own] * _unit(sums[rows[own]] - embeddings[own])).sum(axis=1)
    strangers = np.zeros(BINS, np.int64)
    for start in range(0, len(persons), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        similar = embeddings[block] @ _unit(sums).T
        strangers += _histogram(similar[persons[block, None] != people])
    return Pairs(_histogram(to_own), strangers)


def _histogram(similarities: NDArray[np.float32]) -> NDArray[np.int64]:
    places = np.clip((similarities + 1) * (BINS / 2), 0, BINS - 1).astype(np.int64)
    return np.bincount(places, minlength=BINS)


def _sums(rows: NDArray[np.intp], embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of the embeddings of each person, who `rows` says: of the direction of the centroid."""
    sums = np.zeros((int(rows.max()) + 1, embeddings.shape[1]), np.float32)
    np.add.at(sums, rows, embeddings)
    return sums


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _tail(strangers: NDArray[np.int64]) -> Iterator[float]:
    """Yield the similarity that one pair in 100, in 1000 … exceeds, as long as pairs are left; each larger."""
    above, total, before = np.cumsum(strangers[::-1])[::-1], int(strangers.sum()), -1.0
    decade = FIRST_DECADE
    while total * 10.0**-decade >= FEWEST:
        similarity = round(2 * int(np.searchsorted(-above, -total * 10.0**-decade)) / BINS - 1, 4)
        if similarity <= before:
            return
        yield similarity
        before, decade = similarity, decade + 1


def _overlap(pairs: Pairs) -> bool:
    """Say whether some strangers are more alike than some pair of one person; else every line between fits."""
    return bool(pairs.same.any() and np.flatnonzero(pairs.same)[0] < np.flatnonzero(pairs.strangers)[-1])


def _fit(pairs: Pairs) -> tuple[float, float]:
    """Return slope (in powers of ten) and midpoint of the evidence: Newton's method, with steps halved as needed."""
    used = np.flatnonzero(pairs.same + pairs.strangers)
    share = 1 / (1 + USUAL_SIZE)
    same = pairs.same[used] / pairs.same.sum() * share
    strangers = pairs.strangers[used] / pairs.strangers.sum() * (1 - share)
    columns = np.column_stack([(used + 0.5) * (2 / BINS) - 1, np.ones(len(used))])

    def loss(line: NDArray[np.float64]) -> float:
        odds = columns @ line
        return float(same @ np.logaddexp(0, -odds) + strangers @ np.logaddexp(0, odds))

    line = np.array([0.0, np.log(share / (1 - share))])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-columns @ line))
        gradient = columns.T @ (likely * (same + strangers) - same)
        weights = likely * (1 - likely) * (same + strangers)
        step = np.linalg.solve(columns.T @ (columns * weights[:, None]), gradient)
        while loss(line - step) > loss(line) and np.abs(step).max() > CONVERGED:
            step /= 2
        line = line - step
        if np.abs(step).max() < CONVERGED:
            break
    return float(line[0] / np.log(10)), float((np.log(share / (1 - share)) - line[1]) / line[0])


def trials(
    persons: NDArray[np.int64], embeddings: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return for many selfies the probability of the person they are most like, and whether it was that person."""
    chance = np.random.default_rng(SEED)
    both = [_trial(persons, embeddings, chance) for _ in range(TRIALS)]
    return np.concatenate([found for found, _ in both]), np.concatenate([right for _, right in both])


def _trial(
    persons: NDArray[np.int64], embeddings: NDArray[np.float32], chance: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    people = chance.permutation(np.unique(persons))
    training, present = people[: len(people) // 2], people[len(people) * 3 // 4 :]
    calibration = calibrate(persons[np.isin(persons, training)], embeddings[np.isin(persons, training)])
    tested = chance.permutation(np.flatnonzero(~np.isin(persons, training)))
    selfies = tested[np.unique(persons[tested], return_index=True)[1]]
    gallery = np.setdiff1d(tested[np.isin(persons[tested], present)], selfies)
    found_people, rows = np.unique(persons[gallery], return_inverse=True)
    scores = embeddings[selfies] @ _unit(_sums(rows, embeddings[gallery])).T
    best = scores.argmax(axis=1)
    found = [calibration.probability(score, len(found_people)) for score in scores.max(axis=1).tolist()]
    return np.array(found), found_people[best] == persons[selfies]


def calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return how far probabilities and shares are apart, in the mean over the selfies."""
    return sum(abs(mean - share) * count for mean, share, count in _steps(probabilities, right)) / len(right)


def reliability(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> Iterator[str]:
    """Yield a line for each range of probabilities: what was said, and what was so."""
    for mean, share, count in _steps(probabilities, right):
        yield f"probability {mean:.3f}: right in {share:.3f} of {count} selfies"


def _steps(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> Iterator[tuple[float, float, int]]:
    """Yield mean probability, share of right ones and count of each range that has any."""
    places = np.digitize(probabilities, STEPS[1:-1])
    for place in np.unique(places):
        here = places == place
        yield float(probabilities[here].mean()), float(right[here].mean()), int(here.sum())
