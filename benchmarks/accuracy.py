"""How well are people found and told apart? The real pipeline, grouping and search, against photos with known people.

For each engine: every photo goes in, in random order and in batches, each of which is grouped; then all is
consolidated. Detection and grouping are measured. Then the photos arrive once more in an event that lacks each
person's clearest photo, for those who are in two or more: the photo left out is the selfie of a search. The photo of
every other person of those in one only is left out, too: a stranger to the event, who should be shown nothing.

In a folder per person the whole file is the selfie. With a `truth.csv` it is cut out around the person's box, half
as wide again on every side, so that mostly one face is in it. Faces nobody labelled take part in everything, but
count neither as right nor as wrong.

`sure_*` is about the photos of the search's sure tier, `all_*` about those of sure and maybe.

`*_3` and `*_1_of_3` are side by side: the photos arrive a third time, without the three clearest of each person in
three or more. These are shown together, and each alone; who is in no other photo is a stranger.

`bcubed_f_incremental` is B³ F where new faces only join those that are there, as in a large event until it is
consolidated; a small one is clustered anew with every batch. The spreads are the largest less the smallest B³ F, when
the same faces arrive like that in some further random orders: before and after the consolidation.

"classic" is the algorithm of `benchmarks.classic`, in the order of arrival, on the very faces and embeddings of one
of our engines (FaceNet: the family of models it used); its search shows the photos of the nearest identity, if that
is near enough. That is one tier, the only one it has, so it is set against our sure one, and there are no `all_*` of
it. Its own detector and its image-by-image work are measured by `benchmarks.ingest`.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import metrics, selfies
from benchmarks.arrival import Recording, groups, in_batches, join
from benchmarks.classic import ClassicIdentities
from benchmarks.labelled import LabelledEvent
from benchmarks.report import Figure
from faces import grouping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks.arrival import Arrived
    from benchmarks.datasets import Dataset
    from benchmarks.labelled import Faces
    from benchmarks.selfies import Selfie

SEED = 1

FALSE_ACCEPT_RATES = (1e-3, 1e-4, 1e-5)


def measure(
    dataset: Dataset, engines: Iterable[str], classic_engine: str, log: Callable[[str], object], *, orders: int = 0
) -> list[Figure]:
    """Measure each engine, then the classic algorithm on the embeddings of `classic_engine`, on one database.

    `orders` is how many further orders of arrival there are.

    Raises:
        DatasetError: no face was found, or nobody is in two photos.
        EngineError: an engine cannot be used.
    """
    figures: list[Figure] = []
    names = dict.fromkeys(engines)
    for name in dict.fromkeys((*names, classic_engine)):
        log(f"{name}: {len(dataset.photos)} photos …")
        run = LabelledEvent(dataset, name, Random(SEED))  # noqa: S311
        if name in names:
            figures += _as_figures(dataset, name, _measure_engine(dataset, run, orders))
        if name == classic_engine:
            classic = _measure_classic(run)
    return [*figures, *_as_figures(dataset, "classic", classic)]


def _as_figures(dataset: Dataset, subject: str, values: dict[str, float]) -> Iterator[Figure]:
    for metric, value in values.items():
        unit = "groups" if metric == "groups_per_person" else "share"
        yield Figure("accuracy", dataset.name, subject, metric, value, unit)


def _measure_engine(dataset: Dataset, run: LabelledEvent, orders: int) -> dict[str, float]:
    labels = sum(len(photo.labels) for photo in run.photos.values())
    known = run.faces.only(run.faces.known)
    rates = metrics.tar_at_far(known.persons, known.embeddings, FALSE_ACCEPT_RATES)
    values = {"detection_recall": metrics.share(run.labelled, labels)} if dataset.has_boxes else {}
    grouping.consolidate(run.event)
    values |= _grouping_values(known.persons, groups(run.event, known.ids))
    recording = Recording(run.event)
    values |= _order_values(recording, known, orders)
    values |= _search_values(run, recording) | _threes_values(run, recording)
    return values | {f"tar_at_far_{rate:.0e}".replace("e-0", "e-"): tar for rate, tar in rates.items()}


def _grouping_values(persons: NDArray[np.int64], found: NDArray[np.int64]) -> dict[str, float]:
    pairs, items = metrics.pairwise(persons, found), metrics.bcubed(persons, found)
    return {
        "pairwise_precision": pairs[0],
        "pairwise_recall": pairs[1],
        "bcubed_precision": items[0],
        "bcubed_recall": items[1],
        "bcubed_f": metrics.f_score(*items),
        "groups_per_person": metrics.groups_per_person(persons, found),
        "mixed_persons": metrics.mixed_persons(persons, found),
    }


def _order_values(recording: Recording, known: Faces, further: int) -> dict[str, float]:
    orders = [_arrive_again(recording, known, Random(SEED + number)) for number in range(further + 1)]  # noqa: S311
    before, after = zip(*orders, strict=True)
    values = {"bcubed_f_incremental": before[0]}
    if further:
        values |= {"bcubed_f_spread": _spread(after), "bcubed_f_spread_incremental": _spread(before)}
    return values


def _arrive_again(recording: Recording, known: Faces, random: Random) -> tuple[float, float]:
    """Return B³ F before and after the consolidation."""
    arrived = recording.arrive(in_batches(recording.photos, random), join)
    before = _bcubed_f(known.persons, arrived.groups(known.ids))
    grouping.consolidate(arrived.event)
    return before, _bcubed_f(known.persons, arrived.groups(known.ids))


def _bcubed_f(persons: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    return metrics.f_score(*metrics.bcubed(persons, found))


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _search_values(run: LabelledEvent, recording: Recording) -> dict[str, float]:
    chosen = selfies.choose(run)
    gallery = _gallery_without(recording, chosen)
    return _searched([(selfie,) for selfie in chosen], run, gallery)


def _threes_values(run: LabelledEvent, recording: Recording) -> dict[str, float]:
    """Return what three selfies bring together, and each of them alone; nothing where nobody is in more photos."""
    threes = selfies.choose_threes(run)
    if not any(three[0].photos for three in threes):
        return {}
    singles = [selfie for three in threes for selfie in three]
    gallery = _gallery_without(recording, singles)
    alone = _searched([(selfie,) for selfie in singles], run, gallery)
    together = _searched(threes, run, gallery)
    return {f"{name}_1_of_3": value for name, value in alone.items()} | {
        f"{name}_3": value for name, value in together.items()
    }


def _gallery_without(recording: Recording, chosen: Iterable[Selfie]) -> Arrived:
    """Have all photos arrive once more, apart from the selfies."""
    taken = {selfie.image for selfie in chosen}
    left = [photo for photo in recording.photos if photo not in taken]
    gallery = recording.arrive(in_batches(left, Random(SEED)), grouping.group)  # noqa: S311
    grouping.consolidate(gallery.event)
    return gallery


def _searched(groups: Sequence[tuple[Selfie, ...]], run: LabelledEvent, gallery: Arrived) -> dict[str, float]:
    """Return how right the photos are that each group of one person's selfies leads to."""
    answers = [selfies.search_with(group, run, gallery) for group in groups]
    sure, both = [answer for answer, _ in answers], [answer for _, answer in answers]
    firsts = [group[0] for group in groups]
    values = selfies.sure_values(firsts, sure) | selfies.all_values(firsts, both)
    return values | selfies.nothing_found(firsts, both)


def _measure_classic(run: LabelledEvent) -> dict[str, float]:
    chosen = selfies.choose(run)
    known = run.faces.known
    found = _classic_groups(run.faces)[0]
    left = run.faces.only(~np.isin(run.faces.images, [selfie.image for selfie in chosen]))
    left_groups, identities = _classic_groups(left)
    probes = run.faces.embeddings[[selfie.row for selfie in chosen]]
    shown = [identities.find(probe) for probe in probes]
    answers = [
        selfies.judge(left, np.isin(left_groups, [] if identity is None else identity), selfie)
        for identity, selfie in zip(shown, chosen, strict=True)
    ]
    values = _grouping_values(run.faces.persons[known], found[known])
    return values | selfies.sure_values(chosen, answers) | selfies.nothing_found(chosen, answers)


def _classic_groups(faces: Faces) -> tuple[NDArray[np.int64], ClassicIdentities]:
    identities = ClassicIdentities(faces.embeddings.shape[1])
    return np.array([identities.add(vector) for vector in faces.embeddings], np.int64), identities
