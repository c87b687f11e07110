"""What staff correct: who is who, what they are called, and who is hidden.

Each correction takes effect at once, in one transaction, and is recorded as a `Decision`, which every grouping obeys
and `undo` takes back. None runs beside a grouping or another correction of the same event. The persons that are handed
in are read anew, and in place of one who vanished counts the one who took over; so the rows that the caller holds are
out of date afterwards. What cannot be done raises `CorrectionError`, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from faces.ledger import CorrectionError as CorrectionError
from faces.ledger import Ledger, count, enumerate_some, event_of, label, lock, read_persons
from faces.models import Decision, Face
from faces.undo import undo as undo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.access import Actor
    from events.models import Event
    from faces.ledger import Member
    from faces.models import ImageFace

Kind = Decision.Kind

NAME_LENGTH = 120
"""Characters, as many as the column holds."""

__all__ = (
    "CorrectionError",
    "choose_cover",
    "confirm",
    "hide",
    "merge",
    "move",
    "not_same",
    "remove",
    "rename",
    "show",
    "split",
    "undo",
)


@transaction.atomic
def merge(event: Event, persons: Sequence[Face], by: Actor | str) -> Decision:
    """Make several persons one: the one with most faces, who keeps grab_id, name and chosen cover.

    What it lacks of name and chosen cover it takes from the largest of the others that has it. It is hidden if one of
    them was: nobody is shown to visitors by accident. The grab_ids of the others lead to it.
    """
    ledger = Ledger.of_persons(lock(event.pk), persons)
    if len(ledger.persons) < 2:
        raise CorrectionError("same_person", "Choose at least two persons: this is one already.")
    keeper, *others = sorted(ledger.persons.values(), key=lambda person: (-len(ledger.of(person)), person.pk))
    summary = f"Merged {ledger.list_persons([keeper, *others])}"
    _absorb(ledger, keeper, others)
    moved = ledger.transfer(ledger.of(*others), keeper)
    return ledger.record(Kind.MERGE, summary, by, together=ledger.members, **moved)


@transaction.atomic
def split(faces: Sequence[ImageFace], by: Actor | str) -> Decision:
    """Make a new person of these faces; the name stays with the rest. Who comes off a hidden person is hidden."""
    ledger = Ledger.of_faces(lock(event_of(faces)), faces)
    _refuse_ungrouped(ledger, faces)
    chosen, rest = _divide(ledger, faces)
    _refuse_to_empty(ledger, rest)
    sources = list(ledger.persons.values())
    founded = Face.objects.create(
        event=ledger.event,
        engine=ledger.event.engine,
        # Until it follows from the faces.
        embedding=sources[0].embedding,
        hidden=any(person.hidden for person in sources),
    )
    moved = ledger.transfer(chosen, founded)
    summary = f"Split {count(len(chosen), 'face')} off {_names(sources)}"
    return ledger.record(Kind.SPLIT, summary, by, together=chosen, apart=rest, **moved)


@transaction.atomic
def move(faces: Sequence[ImageFace], to: Face, by: Actor | str) -> Decision:
    """Give these faces to another person; a person who has none left becomes part of that one, as in `merge`.

    Faces that have no person yet may be among them.
    """
    event = lock(to.event_id)
    target = next(iter(read_persons(event, [to]).values()))
    ledger = Ledger.of_faces(event, faces, target)
    chosen, rest = _divide(ledger, faces, target)
    if not chosen:
        raise CorrectionError("same_person", "These faces are this person's already.")
    sources = [person for person in ledger.persons.values() if person.pk in {member.person for member in chosen}]
    summary = f"Moved {count(len(chosen), 'face')} from {_names(sources) or 'nobody'} to {label(target)}"
    _absorb(ledger, target, [person for person in sources if person.pk not in {member.person for member in rest}])
    moved = ledger.transfer(chosen, target)
    together = [*chosen, *ledger.of(target)]
    return ledger.record(Kind.MOVE, summary, by, together=together, apart=rest, **moved)


@transaction.atomic
def remove(faces: Sequence[ImageFace], by: Actor | str) -> Decision:
    """Take these faces from their person. The next grouping finds them another one, or makes new ones of them.

    It comes within seconds (`tasks.sweep` sees to faces without a person), or at once where the caller asks for it
    (`tasks.request_grouping`).
    """
    ledger = Ledger.of_faces(lock(event_of(faces)), faces)
    _refuse_ungrouped(ledger, faces)
    chosen, rest = _divide(ledger, faces)
    if len(ledger.persons) > 1:
        raise CorrectionError("several_persons", "Choose faces of one person only.")
    _refuse_to_empty(ledger, rest)
    summary = f"Removed {count(len(chosen), 'face')} from {_names(list(ledger.persons.values()))}"
    moved = ledger.transfer(chosen, None)
    return ledger.record(Kind.REMOVE, summary, by, together=chosen, apart=rest, **moved)


@transaction.atomic
def confirm(person: Face, by: Actor | str) -> Decision:
    """Keep all faces that a person has now together for ever: somebody has looked at them."""
    ledger = Ledger.of_persons(lock(person.event_id), [person])
    summary = f"Confirmed that {ledger.list_persons(ledger.persons.values())} is one person"
    return ledger.record(Kind.CONFIRM, summary, by, together=ledger.members)


@transaction.atomic
def not_same(left: Face, right: Face, by: Actor | str) -> Decision:
    """Keep two persons apart for ever."""
    ledger = Ledger.of_persons(lock(left.event_id), [left, right])
    if len(ledger.persons) < 2:
        raise CorrectionError("same_person", "This is one person. Split off the faces that are somebody else's.")
    one, other = ledger.persons.values()
    summary = f"{label(one)} and {label(other)} are not the same person"
    return ledger.record(Kind.NOT_SAME, summary, by, together=ledger.of(one), apart=ledger.of(other))


@transaction.atomic
def hide(persons: Sequence[Face], by: Actor | str) -> Decision:
    """Let no visitor find these persons any more."""
    return _set_hidden(persons, by, hidden=True)


@transaction.atomic
def show(persons: Sequence[Face], by: Actor | str) -> Decision:
    """Let visitors find these persons again."""
    return _set_hidden(persons, by, hidden=False)


@transaction.atomic
def rename(person: Face, name: str, by: Actor | str) -> Decision:
    """Call a person so; an empty name takes the present one away."""
    # PostgreSQL keeps no null characters.
    name = " ".join(name.replace("\0", " ").split())
    if len(name) > NAME_LENGTH:
        raise CorrectionError("name_too_long", f"Choose a name of at most {NAME_LENGTH} characters.")
    ledger = Ledger.of_rows(lock(person.event_id), [person])
    (person,) = ledger.persons.values()
    if name == person.name:
        raise CorrectionError("unchanged", "This person is called so already.")
    old, person.name = label(person), name
    person.save(update_fields=("name",))
    summary = f"Named {old} {label(person)}" if name else f"Took the name from {old}"
    return ledger.record(Kind.NAME, summary, by)


@transaction.atomic
def choose_cover(face: ImageFace, by: Actor | str) -> Decision:
    """Let this face stand for its person, whichever is the clearest."""
    ledger = Ledger.of_faces(lock(event_of([face])), [face])
    _refuse_ungrouped(ledger, [face])
    (person,) = ledger.persons.values()
    if person.cover_chosen and person.cover_id == face.pk:
        raise CorrectionError("unchanged", "This is the cover already.")
    person.cover_id, person.cover_chosen = face.pk, True
    person.save(update_fields=("cover", "cover_chosen"))
    return ledger.record(Kind.COVER, f"Chose the cover of {label(person)}", by)


def _set_hidden(persons: Sequence[Face], by: Actor | str, *, hidden: bool) -> Decision:
    ledger = Ledger.of_rows(lock(_event_of(persons)), persons)
    changed = [person for person in ledger.persons.values() if person.hidden != hidden]
    if not changed:
        raise CorrectionError("unchanged", "Hidden already." if hidden else "Visible already.")
    ledger.event.faces.filter(pk__in=[person.pk for person in changed]).update(hidden=hidden)
    summary = f"Hid {_names(changed)}" if hidden else f"Showed {_names(changed)} again"
    return ledger.record(Kind.HIDE if hidden else Kind.SHOW, summary, by)


def _event_of(persons: Sequence[Face]) -> int:
    if not persons:
        raise CorrectionError("nothing_chosen", "Choose a person first.")
    return persons[0].event_id


def _divide(
    ledger: Ledger, faces: Sequence[ImageFace], target: Face | None = None
) -> tuple[list[Member], list[Member]]:
    """Return the chosen faces, and the other faces of their persons; without those of the target."""
    keys = {face.pk for face in faces}
    chosen = [member for member in ledger.members if member.pk in keys and not (target and member.person == target.pk)]
    sources = {member.person for member in chosen}
    rest = [member for member in ledger.members if member.pk not in keys and member.person in sources]
    return chosen, rest


def _refuse_ungrouped(ledger: Ledger, faces: Sequence[ImageFace]) -> None:
    keys = {face.pk for face in faces}
    if any(member.person is None for member in ledger.members if member.pk in keys):
        raise CorrectionError("not_grouped", "A chosen face has no person yet. Try again in a few seconds.")


def _refuse_to_empty(ledger: Ledger, rest: Sequence[Member]) -> None:
    if set(ledger.persons) - {member.person for member in rest}:
        raise CorrectionError(
            "nothing_left", "All faces of a person are chosen. Leave some, or move them to another person."
        )


def _absorb(ledger: Ledger, keeper: Face, others: Sequence[Face]) -> None:
    """Pass on to a person what it lacks of what was decided about others; the first of them who has it counts."""
    keeper.name = keeper.name or next((person.name for person in others if person.name), "")
    keeper.hidden = any(person.hidden for person in (keeper, *others))
    keeper.save(update_fields=("name", "hidden"))
    present = {member.pk for member in ledger.members}
    chosen = [person.cover_id for person in (keeper, *others) if person.cover_chosen and person.cover_id in present]
    if chosen:
        keeper.cover_id, keeper.cover_chosen = chosen[0], True
        keeper.save(update_fields=("cover", "cover_chosen"))


def _names(persons: Sequence[Face]) -> str:
    return enumerate_some([label(person) for person in persons])
