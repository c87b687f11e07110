"""What visitors said about who they are, as questions for staff."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F

from faces.reviews import decided_apart

if TYPE_CHECKING:
    from events.models import Event


@dataclass(frozen=True, slots=True)
class Claim:
    """Two persons (keys of Face, the lower first, and of ImageFace for their covers), and how many visitors said what.

    `same` visitors have said that both are them, `different` that only one of them is.
    """

    persons: tuple[int, int]
    covers: tuple[int, int]
    same: int
    different: int


def claims(event: Event) -> list[Claim]:
    """Return the pairs of visible persons that visitors have spoken about and staff have not decided, most votes first.

    Who was not surely found and confirmed one person alone says nothing about two.
    """
    votes, covers = _votes(event)
    apart = decided_apart(event)
    found = [
        Claim(pair, (covers[pair[0]], covers[pair[1]]), votes[pair, True], votes[pair, False])
        for pair in dict.fromkeys(pair for pair, _ in votes)
        if pair not in apart
    ]
    return sorted(found, key=lambda claim: (claim.different - claim.same, claim.persons))


def _votes(event: Event) -> tuple[Counter[tuple[tuple[int, int], bool]], dict[int, int]]:
    """Return how often each pair of persons was called the same (True) or not, and the persons' covers."""
    said = (
        event.evidence.filter(known__face__hidden=False, asked__face__hidden=False)
        .exclude(asked__face=F("known__face"))
        .exclude(asked__face__cover=None)
        .exclude(known__face__cover=None)
        .values_list("known__face", "known__face__cover", "asked__face", "asked__face__cover", "is_me")
    )
    votes: Counter[tuple[tuple[int, int], bool]] = Counter()
    covers: dict[int, int] = {}
    for known, known_cover, asked, asked_cover, is_me in said.order_by("pk"):
        votes[(min(known, asked), max(known, asked)), is_me] += 1
        covers |= {known: known_cover, asked: asked_cover}
    return votes, covers
