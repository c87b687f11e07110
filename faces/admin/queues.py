"""What staff are asked about the persons of an event, and what becomes of the answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from faces import corrections
from faces.admin.places import place_of
from faces.evidence import claims
from faces.models import ImageFace
from faces.reviews import likely_merges
from faces.samples import portraits
from faces.suspicions import examine, suspicious
from faces.tasks import request_grouping
from faces.thresholds import thresholds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from django.contrib.auth.models import User

    from events.models import Event
    from faces.models import Decision, Face
    from faces.suspicions import Suspicion

LATER = "later"

MOST_PHOTOS = 2
"""So many photos that show a person twice are shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`key` says to which question, `faces` are those that were chosen (keys of ImageFace)."""

    key: str
    answer: str
    faces: tuple[int, ...] = ()


class Queue(ABC):
    """Questions of one kind.

    A question's key consists of faces (keys of ImageFace, with hyphens between them) that stand for their persons. So
    it stays a question when one of them is united with a third person before the answer.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    card: ClassVar[str]
    answers: ClassVar[tuple[str, ...]]

    @abstractmethod
    def keys(self, event: Event) -> list[str]:
        """Return the questions that are worth most, the best first."""

    @abstractmethod
    def cards(self, event: Event, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return what the template `card` shows; without what is not a question any more."""

    @abstractmethod
    def decide(self, event: Event, answer: Answer, by: User) -> Decision:
        """Do what the answer says.

        Raises:
            CorrectionError: it cannot be done.
        """


class Merges(Queue):
    """Are these two the same person?"""

    name = "merges"
    title = "Likely merges"
    card = "admin/faces/review_merge.html"
    answers = ("same", "different")

    def keys(self, event: Event) -> list[str]:
        return ["-".join(map(str, pair.covers)) for pair in likely_merges(event)]

    def cards(self, event: Event, keys: Sequence[str]) -> list[dict[str, Any]]:
        asked = {key: persons for key, persons in _persons(event, keys).items() if len(persons) == 2}
        shown = portraits(event, {person.pk for persons in asked.values() for person in persons})
        return [
            {"key": key, "sides": [shown[person.pk] for person in persons]}
            for key, persons in asked.items()
            if all(person.pk in shown for person in persons)
        ]

    def decide(self, event: Event, answer: Answer, by: User) -> Decision:
        persons = _persons(event, [answer.key])[answer.key]
        if len(persons) == 1 and answer.answer == "same" and _has_all(persons[0], answer.key):
            # Three people in three questions: the first two answers say the third.
            raise corrections.CorrectionError("one_already", "They are one person already.")
        if len(persons) != 2:
            raise _gone()
        if answer.answer == "same":
            return corrections.merge(event, persons, by)
        left, right = persons
        return corrections.not_same(left, right, by)


class Visitors(Merges):
    """The same question, where visitors have answered it: for themselves."""

    name = "visitors"
    title = "What visitors say"
    card = "admin/faces/review_visitors.html"

    def keys(self, event: Event) -> list[str]:
        return ["-".join(map(str, claim.covers)) for claim in claims(event)]

    def cards(self, event: Event, keys: Sequence[str]) -> list[dict[str, Any]]:
        found = {claim.persons: claim for claim in claims(event)}
        cards = super().cards(event, keys)
        for card in cards:
            card["claim"] = found.get(tuple(sorted(side.person.pk for side in card["sides"])))
        return [card for card in cards if card["claim"]]


class Suspicious(Queue):
    """Are all these faces one person?"""

    name = "suspicious"
    title = "Suspicious groups"
    card = "admin/faces/review_suspicion.html"
    answers = ("split", "remove", "right")

    def keys(self, event: Event) -> list[str]:
        return [str(suspicion.typical[0]) for suspicion in suspicious(event)]

    def cards(self, event: Event, keys: Sequence[str]) -> list[dict[str, Any]]:
        asked = {key: person.pk for key, persons in _persons(event, keys).items() for person in persons}
        found = {one.person: one for one in examine(event, list(asked.values()), thresholds(event).group)}
        shown = portraits(event, found)
        seen = {pk for one in found.values() for pk in (*one.doubtful, *one.typical)}
        faces = ImageFace.objects.select_related("image").in_bulk(seen)
        photos = _photos(found.values())
        return [
            {
                "key": key,
                "portrait": shown[person],
                "reason": found[person].reason.value,
                "doubtful": [faces[pk] for pk in found[person].doubtful if pk in faces],
                "typical": [faces[pk] for pk in found[person].typical if pk in faces],
                "photos": photos.get(person, []),
            }
            for key, person in asked.items()
            if person in shown
        ]

    def decide(self, event: Event, answer: Answer, by: User) -> Decision:
        persons = _persons(event, [answer.key])[answer.key]
        if not persons:
            raise _gone()
        if answer.answer == "right":
            return corrections.confirm(persons[0], by)
        faces = list(persons[0].image_faces.filter(pk__in=answer.faces))
        if len(faces) < len(answer.faces):
            raise _gone()
        if answer.answer == "split":
            return corrections.split(faces, by)
        decision = corrections.remove(faces, by)
        request_grouping(event)
        return decision


def _gone() -> corrections.CorrectionError:
    return corrections.CorrectionError("gone", "This has changed meanwhile, and is not a question any more.")


def _has_all(person: Face, key: str) -> bool:
    faces = key.split("-")
    return person.image_faces.filter(pk__in=faces).count() == len(faces)


def _persons(event: Event, keys: Sequence[str]) -> dict[str, list[Face]]:
    """Return the different persons that the faces in each key belong to now."""
    parts = {key: [int(part) for part in key.split("-")] for key in keys}
    asked = {pk for pks in parts.values() for pk in pks}
    faces = ImageFace.objects.filter(pk__in=asked, face__event=event).select_related("face")
    persons = {face.pk: face.face for face in faces}
    return {
        key: list({person.pk: person for pk in pks if (person := persons.get(pk))}.values())
        for key, pks in parts.items()
    }


def _photos(suspicions: Collection[Suspicion]) -> dict[int, list[dict[str, Any]]]:
    """Return for each person some photos that show it twice, with the places of its faces."""
    wanted = {photo: one.person for one in suspicions for photo in one.photos[:MOST_PHOTOS]}
    faces = ImageFace.objects.filter(image__in=wanted).select_related("image").order_by("image", "x", "pk")
    photos: dict[int, dict[int, dict[str, Any]]] = {}
    for face in faces:
        if face.face_id == wanted[face.image_id]:
            of_person = photos.setdefault(face.face_id, {})
            photo = of_person.setdefault(face.image_id, {"image": face.image, "places": []})
            photo["places"].append(place_of(face))
    return {person: list(found.values()) for person, found in photos.items()}


QUEUES: tuple[Queue, ...] = (Merges(), Visitors(), Suspicious())
