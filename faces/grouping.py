"""Which faces of an event are the same person: gives every face its `Face`.

New faces join the persons that are there, or found new ones: `group`, within seconds, however large the event is. Now
and then all faces are clustered anew: `consolidate`, so that the result does not depend on the order of arrival. Both
obey what staff decided (`constraints`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from events.models import Event
from faces import telling
from faces.joining import join
from faces.models import ImageFace
from faces.partition import partition
from faces.persons import assign, groups_of, refresh, shrunk, store, succeed
from faces.steps import counted
from faces.succession import heirs, keepers
from faces.vectors import embeddings_of, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faces.clustering import Rows
    from faces.vectors import Faces

    Stamp = tuple[object, ...]

FEW = 2000
"""An event of at most so many faces is always grouped as a whole: that takes less than a second."""

ENOUGH = 0.2
"""A consolidation is due when the faces have changed by this share since the last one."""

ATTEMPTS = 2
"""So often a consolidation is done anew since somebody decided something meanwhile; then they have to wait for it."""


def group(event: Event) -> int:
    """Give every new face of the event a person, and return how many persons are new.

    One grouping at a time per event: the event's row is locked, in a large event for one batch after the other.
    """
    event.catch_up()
    if embeddings_of(event).count() <= FEW:
        return consolidate(event) if _has_changed(event) else 0
    with transaction.atomic():
        _lock(event)
        refresh(event, shrunk(event))
    new = 0
    while (founded := _join(event)) is not None:
        new += founded
    return new


@counted("group")
def settle(event: Event) -> int:
    """Group the new faces, consolidate where that is due, tell webhooks, and return how many persons are new."""
    new = group(event)
    if is_consolidation_due(event):
        new += consolidate(event)
    telling.all_indexed(event)
    return new


def is_consolidation_due(event: Event) -> bool:
    """Tell whether so much has changed since all faces were clustered that they should be again."""
    before = Event.objects.values_list("faces_consolidated", flat=True).get(pk=event.pk)
    # Once nothing more is coming in, a little is enough.
    enough = ENOUGH if event.images.due().exists() else ENOUGH / 10
    return abs(embeddings_of(event).count() - before) > enough * before


def consolidate(event: Event) -> int:
    """Cluster all faces of the event anew, and return how many persons are new.

    A person keeps its `grab_id` as long as most of its faces stay together; that of one who became part of another
    leads there. What takes long is done before the event's row is locked; then all of it is written, or nothing.
    """
    for _ in range(ATTEMPTS):
        stamp, faces, labels = _plan(event)
        with transaction.atomic():
            _lock(event)
            if stamp == _stamp(event):
                return _apply(event, faces, labels)
    with transaction.atomic():
        _lock(event)
        return _apply(event, *_plan(event)[1:])


def _lock(event: Event) -> None:
    Event.objects.select_for_update(no_key=True).get(pk=event.pk)
    event.catch_up()


@transaction.atomic
def _join(event: Event) -> int | None:
    _lock(event)
    return join(event)


def _has_changed(event: Event) -> bool:
    return embeddings_of(event).filter(image_face__face=None).exists() or bool(shrunk(event))


def _stamp(event: Event) -> Stamp:
    """Return what changes whenever somebody decides something, or is erased."""
    return (
        event.decisions.values_list("pk", flat=True).first(),
        event.decisions.exclude(undone_at=None).count(),
        event.erased.count(),
        event.engine,
    )


def _plan(event: Event) -> tuple[Stamp, Faces, Rows]:
    """Return the stamp of what the plan is based on, the faces, and a label for each."""
    event.catch_up()
    stamp = _stamp(event)
    faces = load(embeddings_of(event))
    return stamp, faces, partition(event, faces)


def _apply(event: Event, faces: Faces, labels: Rows) -> int:
    """Write the labels down, as far as nothing else has happened to the faces since they were read."""
    now = {pk: person or 0 for pk, person in embeddings_of(event).values_list("pk", "image_face__face")}
    persons = np.array([now.get(pk, -1) for pk in faces.ids.tolist()], np.int64)
    valid = (persons == faces.persons) | _have_joined(event, faces, labels, persons)
    labels = np.unique(labels[valid], return_inverse=True)[1]
    faces = faces.only(valid, persons[valid])
    kept, gone = keepers(faces.persons, labels), heirs(faces.persons, labels)
    numbers = np.array(store(event, groups_of(event, faces, labels, kept)), np.int64)
    moved = numbers[labels] != faces.persons
    assign(faces.ids[moved], numbers[labels[moved]])
    takers = {person: int(numbers[label]) for person, label in gone.items()}
    # Faces that came while the plan was made, or have no vector, of a person who is now somebody else's part.
    left = dict(ImageFace.objects.filter(face__in=takers).values_list("pk", "face"))
    assign(left, [takers[person] for person in left.values()])
    succeed(event, takers)
    refresh(event, shrunk(event))
    Event.objects.filter(pk=event.pk).update(faces_consolidated=len(faces.ids))
    return kept.count(0)


def _have_joined(event: Event, faces: Faces, labels: Rows, persons: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which faces were new and have a person by now, as hidden or visible as the plan makes them."""
    hidden = list(event.faces.filter(hidden=True).values_list("pk", flat=True))
    becomes_hidden = np.isin(labels, labels[np.isin(faces.persons, hidden)])
    return np.asarray((faces.persons == 0) & (persons > 0) & (np.isin(persons, hidden) == becomes_hidden))
