"""Takes a correction back, and leaves alone what was decided later."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from faces.ledger import CorrectionError, Member, lock, note, read_members, reassign, snapshot
from faces.models import Decision, DecisionFace, Embedding, Face, FaceAlias, ImageFace
from faces.persons import refresh
from faces.scrubbing import ERASED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from events.models import Event
    from faces.models import DecisionQuerySet

Moves = dict[Member, int | None]
"""Faces, and the person (primary key) that each goes to."""

Changes = dict[int, dict[str, str]]
"""What was changed of each person later, and the summary of the decision that did."""

COLUMNS = {"name": ("name",), "hidden": ("hidden",), "chosen_cover": ("cover", "cover_chosen")}
"""What is written for each field of a snapshot."""

TOGETHER = DecisionFace.Side.TOGETHER


@transaction.atomic
def undo(decision: Decision, by: User) -> bool:
    """Take a correction back; False when somebody did that already.

    Each face that is still where the correction put it goes back to the person that it had, who comes back with the old
    grab_id after having vanished. Name, hiding and chosen cover are again what they were, unless changed since.

    What groupings gave to a person while it was made of two finds its person anew: it may be of the one who leaves.

    What united these faces with others later, because they were there, does not hold them any more. But nothing that
    was decided later about a person that would vanish is lost, nor is a later “not the same person” disobeyed: that
    raises CorrectionError `later_decision`. `gone` says that the person is part of another one by now, `erased` that
    it was about somebody who has been erased for good; what was hidden or shown with them is undone without them.
    """
    event = lock(decision.event_id)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.undone_at is not None:
        return False
    _refuse_erased(decision)
    later = event.decisions.live().filter(pk__gt=decision.pk)
    moves = _moves(event, decision, later)
    changes = _changes(later, [*map(int, decision.before["changed"]), *_sources(moves)])
    _refuse_loss(moves, changes)
    _take_out(decision, later, moves)
    _refuse_contradiction(later, moves)
    restored = _restore(event, decision, changes)
    _revive(event, decision, moves, changes)
    reassign(event, moves | _joined_since(event, decision, moves))
    refresh(event, restored)
    decision.undone_by, decision.undone_at = by, timezone.now()
    decision.save(update_fields=("undone_by", "undone_at"))
    note(decision, by, undone="Undone: ")
    return True


def _refuse_erased(decision: Decision) -> None:
    """Bring nobody back who has been erased."""
    hiding = decision.kind in (Decision.Kind.HIDE, Decision.Kind.SHOW)
    if decision.before.get(ERASED) and not (hiding and decision.before["changed"]):
        raise CorrectionError(
            "erased", "A person whom this was about has been erased since, for good: it cannot be undone."
        )


def _moves(event: Event, decision: Decision, later: DecisionQuerySet) -> Moves:
    """Return the faces that go back, with the persons they had."""
    homes = {face: person for person, faces in decision.before["moved"] for face in faces}
    present = _present(event, decision, set(homes.values()) - {None})
    members = read_members(ImageFace.objects.filter(pk__in=homes))
    moves = {
        member: present.get(homes[member.pk], homes[member.pk])
        for member in _still_there(event, decision, later, members)
    }
    comparable = set(_comparable(event, homes).values_list("pk", flat=True))
    # Of faces without a vector of the event's engine alone no person could be made.
    possible = {person for member, person in moves.items() if member.pk in comparable}
    possible |= set(event.faces.filter(pk__in=set(moves.values()) - {None}).values_list("pk", flat=True))
    return {member: person for member, person in moves.items() if member.person != person and person in possible}


def _comparable(event: Event, faces: Iterable[int]) -> QuerySet[Embedding]:
    return Embedding.objects.filter(image_face__in=list(faces), engine=event.engine)


def _still_there(
    event: Event, decision: Decision, later: DecisionQuerySet, members: Iterable[Member]
) -> Iterable[Member]:
    """Return the faces that nobody has given to other persons since."""
    to = decision.before["to"]
    if to is not None:
        person = event.faces.with_grab_id(to).first()
        members = [member for member in members if person and member.person == person.pk]
        if person and str(person.grab_id) == to:
            return members
    # A grouping may have found them another person, which is no reason to leave them there.
    moving = later.filter(kind__in=(*Decision.UNITING, Decision.Kind.REMOVE))
    moved = set(_sides(moving, members).filter(side=TOGETHER).values_list("image_face", flat=True))
    return [member for member in members if member.pk not in moved]


def _present(event: Event, decision: Decision, persons: set[int]) -> dict[int, int]:
    """Return who took over from each of these persons that a later decision or a grouping made vanish."""
    known = decision.before["persons"]
    missing = persons - set(event.faces.filter(pk__in=persons).values_list("pk", flat=True))
    grab_ids = {known[str(pk)]["grab_id"]: pk for pk in missing if str(pk) not in decision.before["vanished"]}
    aliases = FaceAlias.objects.filter(grab_id__in=grab_ids, face__event=event)
    return {grab_ids[str(alias.grab_id)]: alias.face_id for alias in aliases}


def _sides(decisions: DecisionQuerySet, members: Iterable[Member]) -> QuerySet[DecisionFace]:
    return DecisionFace.objects.filter(decision__in=decisions, image_face__in=[member.pk for member in members])


def _sources(moves: Moves) -> set[int]:
    return {member.person for member in moves if member.person is not None}


def _changes(later: DecisionQuerySet, persons: list[int]) -> Changes:
    changes: Changes = defaultdict(dict)
    concerned = later.filter(before__changed__has_any_keys=[str(pk) for pk in persons])
    for changed, summary in concerned.values_list("before__changed", "summary"):
        for pk, fields in changed.items():
            changes[int(pk)] |= dict.fromkeys(fields, summary)
    return changes


def _refuse_loss(moves: Moves, changes: Changes) -> None:
    """Keep a person that would vanish, and what was decided about it."""
    leaving = Counter(member.person for member in moves)
    for person in Face.objects.filter(pk__in=_sources(moves) & set(changes)):
        for field in ("name", "hidden"):
            if field in changes[person.pk] and person.image_faces.count() == leaving[person.pk]:
                raise _later(changes[person.pk][field])


def _take_out(decision: Decision, later: DecisionQuerySet, moves: Moves) -> None:
    """Let later unions that these faces came into, because they were where they were, not hold them."""
    goes = {member.pk: person for member, person in moves.items()}
    uniting = later.filter(kind__in=Decision.UNITING)
    concerned = set(_sides(uniting, moves).filter(side=TOGETHER).values_list("decision", flat=True))
    rows = DecisionFace.objects.filter(decision__in=concerned, side=TOGETHER)
    parts: dict[tuple[str, int, int | None], list[tuple[int, int]]] = defaultdict(list)
    fields = ("pk", "image_face", "decision__summary", "decision", "image_face__face")
    for pk, face, *part in rows.values_list(*fields):
        parts[tuple(part)].append((pk, face))
    for (summary, _, person), united in parts.items():
        if len({goes.get(face, person) for _, face in united}) > 1:
            if decision.kind == Decision.Kind.SPLIT:
                # Others were added to the person that would be dissolved.
                raise _later(summary)
            DecisionFace.objects.filter(pk__in=[pk for pk, face in united if face in goes]).delete()


def _refuse_contradiction(later: DecisionQuerySet, moves: Moves) -> None:
    """Keep apart whom a later decision keeps apart."""
    goes = {member.pk: person for member, person in moves.items()}
    for decision in later.filter(pk__in=_sides(later, moves).values("decision")).defer("before"):
        now: tuple[set[int | None], set[int | None]] = (set(), set())
        then: tuple[set[int | None], set[int | None]] = (set(), set())
        for side, face, person in decision.faces.values_list("side", "image_face", "image_face__face"):
            now[side].add(person)
            then[side].add(goes.get(face, person))
        if (then[0] & then[1]) - (now[0] & now[1]) - {None}:
            raise _later(decision.summary)


def _joined_since(event: Event, decision: Decision, moves: Moves) -> Moves:
    """Return the faces that groupings gave to the person that comes apart; without a person they go to the next one.

    None of a hidden person: what is hidden stays so.
    """
    if decision.kind not in (Decision.Kind.MERGE, Decision.Kind.MOVE):
        return {}
    united = event.decisions.live().filter(kind__in=Decision.UNITING)
    decided = DecisionFace.objects.filter(decision__in=united, side=TOGETHER).values("image_face")
    person = event.faces.visible().filter(pk__in=_sources(moves), grab_id=decision.before["to"])
    staying = ImageFace.objects.filter(face__in=person).exclude(pk__in=[member.pk for member in moves])
    if not staying.filter(pk__in=decided, embedding__engine=event.engine).exists():
        # Nobody would be left to join.
        return {}
    joined = staying.filter(embedding__engine=event.engine).exclude(pk__in=decided)
    return dict.fromkeys(read_members(joined), None)


def _restore(event: Event, decision: Decision, changes: Changes) -> list[int]:
    """Set back what the decision changed of persons, unless somebody changed it since; return the persons."""
    changed = {int(pk): fields for pk, fields in decision.before["changed"].items()}
    persons = list(event.faces.filter(pk__in=changed))
    if changed and not persons and not decision.before["moved"]:
        raise CorrectionError("gone", "This person is part of another one by now. Change that one instead.")
    for person in persons:
        present = snapshot(person)
        for field, (old, new) in changed[person.pk].items():
            if field not in changes[person.pk] and present[field] == new:
                _set(person, field, old)
                person.save(update_fields=COLUMNS[field])
    return [person.pk for person in persons]


def _set(person: Face, field: str, value: Any) -> None:
    if field != "chosen_cover":
        setattr(person, field, value)
    elif (cover := read_members(ImageFace.objects.filter(pk=value))) or person.cover_chosen:
        # Without one, since its photo has been deleted, or there was none: the clearest face it will be.
        person.cover_id, person.cover_chosen = (cover[0].pk, True) if cover else (None, False)


def _revive(event: Event, decision: Decision, moves: Moves, changes: Changes) -> None:
    """Bring back the persons that faces return to, with their grab_ids and aliases."""
    returning: dict[int, list[Member]] = defaultdict(list)
    for member, home in moves.items():
        if home is not None:
            returning[home].append(member)
    for pk in set(returning) - set(event.faces.filter(pk__in=returning).values_list("pk", flat=True)):
        members, known = returning[pk], decision.before["persons"][str(pk)]
        # Staff may have hidden the whole since: then no part of it comes to light.
        hidden = known["hidden"] or _is_hidden_since({member.person for member in members}, changes)
        person = Face(pk=pk, grab_id=known["grab_id"], event=event, engine=event.engine, hidden=hidden)
        person.name = known["name"]
        # Until it follows from the faces.
        person.embedding = _comparable(event, [member.pk for member in members])[0].vector
        _set(person, "chosen_cover", known["chosen_cover"])
        person.save(force_insert=True)
        FaceAlias.objects.filter(grab_id=known["grab_id"]).delete()
        FaceAlias.objects.filter(grab_id__in=decision.before["vanished"].get(str(pk), [])).update(face=person)


def _is_hidden_since(persons: set[int | None], changes: Changes) -> bool:
    concerned = [person for person in persons if person is not None and "hidden" in changes.get(person, {})]
    return Face.objects.filter(pk__in=concerned, hidden=True).exists()


def _later(summary: str) -> CorrectionError:
    return CorrectionError("later_decision", f"“{summary}” was decided later and builds on this. Undo that first.")
