"""What all corrections have in common: they read persons under a lock, move faces, and write down what was before."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils.text import Truncator

from events.models import Event
from faces import audit_log
from faces.models import Decision, DecisionFace, Face, FaceAlias, ImageFace
from faces.persons import refresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet

    from events.access import Actor

NAMED = 2
"""So many persons a summary names; the others it counts."""

LABEL = 60
"""Characters of a name in a summary."""

CHUNK = 5000
"""So many rows are written at a time."""


class CorrectionError(Exception):
    """This cannot be done; `code` is stable, `sentence` tells staff what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Member(NamedTuple):
    """A face, its person and its photo (primary keys)."""

    pk: int
    person: int | None
    image: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The persons that a correction is about, as they were (`before`) and as they are (`persons`), by primary key.

    `members` are all their faces, and the chosen ones that have no person yet. Nobody else changes any of it until the
    transaction ends: the row of the event is locked.
    """

    event: Event
    persons: dict[int, Face]
    before: dict[int, dict[str, Any]]
    members: list[Member]

    @classmethod
    def of_persons(cls, event: Event, persons: Sequence[Face]) -> Ledger:
        """Look at these persons, or at those who took over from them meanwhile."""
        present = read_persons(event, persons)
        return cls._open(event, present, read_members(ImageFace.objects.filter(face__in=list(present))))

    @classmethod
    def of_rows(cls, event: Event, persons: Sequence[Face]) -> Ledger:
        """The same without their faces."""
        return cls._open(event, read_persons(event, persons), [])

    @classmethod
    def of_faces(cls, event: Event, faces: Sequence[ImageFace], *others: Face) -> Ledger:
        """Look at the persons that have these faces, and at others."""
        chosen = {face.pk for face in faces}
        sources = event.faces.filter(pk__in=_persons_of(event, chosen))
        persons = {person.pk: person for person in (*sources, *others)}
        members = read_members(ImageFace.objects.filter(Q(face__in=list(persons)) | Q(pk__in=chosen)))
        if not chosen <= {member.pk for member in members}:
            raise _gone()
        return cls._open(event, persons, members)

    @classmethod
    def _open(cls, event: Event, persons: dict[int, Face], members: list[Member]) -> Ledger:
        return cls(event, persons, {pk: snapshot(person) for pk, person in persons.items()}, members)

    def of(self, *persons: Face) -> list[Member]:
        """Return the faces that these persons had before."""
        keys = {person.pk for person in persons}
        return [member for member in self.members if member.person in keys]

    def record(
        self,
        kind: Decision.Kind,
        summary: str,
        by: Actor | str,
        *,
        together: Iterable[Member] = (),
        apart: Iterable[Member] = (),
        **before: object,
    ) -> Decision:
        """Write the decision down; what has changed in the persons is found here."""
        after = {person.pk: snapshot(person) for person in self.event.faces.filter(pk__in=list(self.persons))}
        changed = {pk: _changes(self.before[pk], after[pk]) for pk in after if after[pk] != self.before[pk]}
        known: dict[str, object] = {"persons": self.before, "changed": changed, "moved": [], "to": None, "vanished": {}}
        decision = Decision.objects.create(
            event=self.event, kind=kind, summary=summary, before={**known, **before}, **_maker(by)
        )
        sides = ((together, DecisionFace.Side.TOGETHER), (apart, DecisionFace.Side.APART))
        rows = [
            DecisionFace(decision=decision, image_face_id=member.pk, side=side)
            for members, side in sides
            for member in members
        ]
        DecisionFace.objects.bulk_create(rows, batch_size=CHUNK)
        note(decision, by)
        return decision

    def transfer(self, members: Iterable[Member], to: Face | None) -> dict[str, Any]:
        """Give these faces to a person, and return what the decision must keep for its undo."""
        moves = dict.fromkeys(members, to.pk if to else None)
        moved: dict[int | None, list[int]] = defaultdict(list)
        for member in moves:
            moved[member.person].append(member.pk)
        vanished = reassign(self.event, moves)
        return {"moved": list(moved.items()), "to": str(to.grab_id) if to else None, "vanished": vanished}

    def list_persons(self, persons: Iterable[Face]) -> str:
        """Return “Ada (12 photos) and 3f2a91c0 (2 photos)”."""
        photos: dict[int | None, set[int]] = defaultdict(set)
        for member in self.members:
            photos[member.person].add(member.image)
        return enumerate_some([f"{label(person)} ({count(len(photos[person.pk]), 'photo')})" for person in persons])


def _maker(by: Actor | str) -> dict[str, Any]:
    return {"made_with": by} if isinstance(by, str) else {"made_by": by}


def note(decision: Decision, by: Actor | str, undone: str = "") -> None:
    """Write a decision, or its undoing, into the audit log: whom it was about, without the names."""
    about = [UUID(person["grab_id"]) for person in decision.before["persons"].values()]
    for grab_id in about or (None,):
        detail = undone + decision.get_kind_display()
        audit_log.record(audit_log.Action.CHANGED, decision.event, by, grab_id=grab_id, detail=detail)


def lock(event_id: int) -> Event:
    """Keep other corrections, groupings and deletions of the event's photos waiting until the transaction ends."""
    event = Event.objects.select_for_update(no_key=True).filter(pk=event_id).first()
    if event is None:
        raise CorrectionError("gone", "This event has been deleted.")
    return event


def event_of(faces: Sequence[ImageFace]) -> int:
    """Return the primary key of the event that the first face is of."""
    if not faces:
        raise CorrectionError("nothing_chosen", "Choose a face first.")
    event_id = ImageFace.objects.filter(pk=faces[0].pk).values_list("image__event", flat=True).first()
    if event_id is None:
        raise _gone()
    return event_id


def read_members(faces: QuerySet[ImageFace]) -> list[Member]:
    """Return these faces, in the order of their keys."""
    return [Member(*row) for row in faces.order_by("pk").values_list("pk", "face", "image__pk")]


def read_persons(event: Event, persons: Sequence[Face]) -> dict[int, Face]:
    """Read persons anew, by primary key; in place of one who vanished, the person that took over."""
    if not persons:
        raise CorrectionError("nothing_chosen", "Choose a person first.")
    if any(person.event_id != event.pk for person in persons):
        raise _foreign()
    asked = {person.pk: person.grab_id for person in persons}
    found = {person.pk: person for person in event.faces.filter(pk__in=asked)}
    missing = {grab_id for pk, grab_id in asked.items() if pk not in found}
    if missing:
        aliases = FaceAlias.objects.filter(grab_id__in=missing, face__event=event).select_related("face")
        if len(aliases) < len(missing):
            raise _gone()
        found |= {alias.face.pk: alias.face for alias in aliases}
    return found


def snapshot(person: Face) -> dict[str, Any]:
    """Return what people decide about a person."""
    return {
        "grab_id": str(person.grab_id),
        "name": person.name,
        "hidden": person.hidden,
        "chosen_cover": person.cover_id if person.cover_chosen else None,
    }


def reassign(event: Event, moves: Mapping[Member, int | None]) -> dict[int, list[str]]:
    """Give each face its new person, and see to what follows for the persons.

    Return the persons who have vanished, since they have no faces left, and what aliases they had: these and the
    person's own grab_id now lead to the person that most of the faces went to.
    """
    by_target: dict[int | None, list[int]] = defaultdict(list)
    for member, target in moves.items():
        by_target[target].append(member.pk)
    for target, keys in by_target.items():
        ImageFace.objects.filter(pk__in=keys).update(face=target)
    sources = {member.person for member in moves if member.person is not None}
    targets = {target for target in by_target if target is not None}
    emptied = event.faces.filter(pk__in=sources, image_faces=None)
    vanished = {person.pk: _pass_on(person, moves) for person in emptied}
    refresh(event, sources | targets)
    return vanished


def label(person: Face) -> str:
    """Return what a summary calls a person."""
    return Truncator(person.name).chars(LABEL) if person.name else str(person.grab_id)[:8]


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def enumerate_some(items: Sequence[str]) -> str:
    """Return “a”, “a and b” or “a, b and 3 others”."""
    if len(items) > NAMED:
        items = [*items[:NAMED], count(len(items) - NAMED, "other")]
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _gone() -> CorrectionError:
    return CorrectionError("gone", "This has changed meanwhile. Reload the page.")


def _foreign() -> CorrectionError:
    return CorrectionError("other_event", "All must be of the same event.")


def _persons_of(event: Event, faces: set[int]) -> set[int]:
    if not faces:
        raise CorrectionError("nothing_chosen", "Choose a face first.")
    rows = ImageFace.objects.filter(pk__in=faces).values_list("image__event", "face", "embedding__engine")
    if any(event_id != event.pk for event_id, _, _ in rows):
        raise _foreign()
    # A face without a vector of the event's engine could be nobody.
    if len(rows) < len(faces) or any(engine != event.engine for _, _, engine in rows):
        raise _gone()
    return {person for _, person, _ in rows if person is not None}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    return {field: [before[field], after[field]] for field in before if before[field] != after[field]}


def _pass_on(person: Face, moves: Mapping[Member, int | None]) -> list[str]:
    """Let the grab_id of a person without faces, and its aliases, lead to where the faces went; return the aliases."""
    heirs = Counter(target for member, target in moves.items() if member.person == person.pk and target is not None)
    aliases = [str(grab_id) for grab_id in person.aliases.values_list("grab_id", flat=True)]
    if heirs:
        heir = heirs.most_common(1)[0][0]
        person.aliases.update(face=heir)
        FaceAlias.objects.create(grab_id=person.grab_id, face_id=heir)
    return aliases
