"""Takes persons who are erased out of what is on record about decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faces.ledger import LABEL, enumerate_some
from faces.models import Decision, FaceAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from events.models import Event
    from faces.models import Face

    Before = dict[str, Any]

ERASED = "erased"
"""In `Decision.before`: somebody whom it was about has been erased."""

SOMEBODY = "a person erased since"


@dataclass(frozen=True, slots=True)
class Traces:
    """By what erased persons are known: every grab_id that they ever had, and the keys of their faces."""

    grab_ids: set[str]
    faces: set[int]


def traces_of(event: Event, persons: Sequence[Face], faces: Collection[int]) -> Traces:
    """Return the traces of persons, to be asked while they are there.

    Somebody who vanished, in a merge for instance, was one of these persons if they have most of the faces now.
    """
    aliases = FaceAlias.objects.filter(face__in=persons).values_list("grab_id", flat=True)
    traces = Traces({str(grab_id) for grab_id in (*(person.grab_id for person in persons), *aliases)}, set(faces))
    present = set(event.faces.values_list("pk", flat=True))
    for _, before in _records(event):
        traces.grab_ids.update(_vanished_into(before, traces.faces, present))
    return traces


def scrub(event: Event, traces: Traces) -> int:
    """Take the persons out of every decision of the event, and return how many were about them.

    Such a decision cannot be undone any more, except for the hiding of others.
    """
    FaceAlias.objects.filter(face__event=event, grab_id__in=traces.grab_ids).delete()
    count = 0
    for decision, before in _records(event):
        names_them = bool(_persons(before, traces))
        about_them = names_them or before["to"] in traces.grab_ids
        scrubbed = _without(before, traces) | ({ERASED: True} if about_them else {})
        if scrubbed != before:
            summary = _summary(decision, scrubbed) if names_them else decision.summary
            Decision.objects.filter(pk=decision.pk).update(before=scrubbed, summary=summary)
        count += about_them
    return count


def _records(event: Event) -> Iterator[tuple[Decision, Before]]:
    for decision in event.decisions.order_by("pk").iterator(chunk_size=500):
        yield decision, decision.before


def _vanished_into(before: Before, faces: set[int], present: set[int]) -> Iterator[str]:
    for person, moved in before["moved"]:
        if person is not None and person not in present and 2 * len(faces.intersection(moved)) > len(moved):
            yield before["persons"][str(person)]["grab_id"]
            yield from before["vanished"].get(str(person), [])


def _persons(before: Before, traces: Traces) -> set[str]:
    """Return the keys that the erased persons have in this record."""
    return {key for key, known in before["persons"].items() if known["grab_id"] in traces.grab_ids}


def _without(before: Before, traces: Traces) -> Before:
    gone = _persons(before, traces)
    moved = [
        (person, left)
        for person, faces in before["moved"]
        if str(person) not in gone and (left := [face for face in faces if face not in traces.faces])
    ]
    return {
        **before,
        "persons": {key: _uncovered(known, traces) for key, known in before["persons"].items() if key not in gone},
        "changed": {key: _uncovered(known, traces) for key, known in before["changed"].items() if key not in gone},
        "moved": [list(pair) for pair in moved],
        "to": None if before["to"] in traces.grab_ids else before["to"],
        "vanished": {
            key: [grab_id for grab_id in grab_ids if grab_id not in traces.grab_ids]
            for key, grab_ids in before["vanished"].items()
            if key not in gone
        },
    }


def _uncovered(known: dict[str, Any], traces: Traces) -> dict[str, Any]:
    """Return what was known of a person who stays, without a cover that is one of the faces."""
    if "chosen_cover" not in known:
        return known
    cover = known["chosen_cover"]
    if isinstance(cover, list):
        return {**known, "chosen_cover": [None if face in traces.faces else face for face in cover]}
    return {**known, "chosen_cover": None if cover in traces.faces else cover}


def _summary(decision: Decision, scrubbed: Before) -> str:
    others = [(known["name"] or known["grab_id"][:8])[:LABEL] for known in scrubbed["persons"].values()]
    return f"{decision.get_kind_display()}: {enumerate_some([SOMEBODY, *others])}"
