"""Did two runs over the same photos come to the same? Photos are told by the hash of their content."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.storage import default_storage

from events import pictures
from events.models import Image
from faces.engine import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from events.models import Event

MIN_OVERLAP = 0.9
"""Intersection over union of two boxes that are the same face of the same photo."""

MIN_SIMILARITY = 0.99
"""Cosine of two embeddings of the same face: what a network answers depends a little on who shares its batch."""


@dataclass(frozen=True, slots=True)
class SeenFace:
    """`person` is the primary key of its person, or None where it has none; `vector` has unit length."""

    box: Box
    vector: NDArray[np.float32]
    person: int | None


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """What the database has of a photo, and whether its three files are there and whole."""

    state: str
    failure_code: str
    has_files: bool
    faces: tuple[SeenFace, ...] = ()


Recording = dict[str, list[SeenPhoto]]
"""All photos of an event, by the SHA-256 of their content; more than one is one too many."""


@dataclass(frozen=True, slots=True)
class Differences:
    """`photos`: the hashes of those that differ in their state or their faces, or are in one of the runs only.

    `pairs`: how many pairs of faces are one person in one of the runs, and two in the other.
    """

    photos: frozenset[str]
    pairs: int


def record(event: Event) -> Recording:
    """Take down what became of every photo of the event."""
    recording: Recording = defaultdict(list)
    for image in event.images.prefetch_related("faces__embedding"):
        recording[image.sha256].append(
            SeenPhoto(image.state, image.failure_code, _has_files(image), tuple(_faces(image)))
        )
    return dict(recording)


def lost(acknowledged: Iterable[str], recording: Recording) -> int:
    """Count the photos, by their hashes, that are not there, not at an end, or without their files."""
    return sum(not any(_is_whole(photo) for photo in recording.get(sha256, ())) for sha256 in set(acknowledged))


def doubled(recording: Recording) -> int:
    """Count the photos that are there once more, and the faces that cover another one of their photo."""
    photos = sum(len(same) - 1 for same in recording.values())
    faces = [photo.faces for same in recording.values() for photo in same]
    return photos + sum(a.box.overlap(b.box) >= MIN_OVERLAP for seen in faces for a, b in combinations(seen, 2))


def differences(expected: Recording, found: Recording) -> Differences:
    """Compare what became of the same photos in two events."""
    pairs = {sha256: _same_faces(expected[sha256][0], found[sha256][0]) for sha256 in expected.keys() & found.keys()}
    photos = {sha256 for sha256, same in pairs.items() if same is None} | expected.keys() ^ found.keys()
    return Differences(frozenset(photos), _pairs_apart([pair for same in pairs.values() for pair in same or ()]))


def _is_whole(photo: SeenPhoto) -> bool:
    return photo.state != Image.State.PENDING and photo.has_files


def _faces(image: Image) -> Iterator[SeenFace]:
    for face in image.faces.all():
        vector = np.asarray(face.embedding.vector, np.float32)
        yield SeenFace(Box(face.x, face.y, face.width, face.height), vector, face.face_id)


def _has_files(image: Image) -> bool:
    """Tell whether the original is what was sent, and the others, unless the photo failed, can be decoded."""
    try:
        with default_storage.open(image.storage_key) as file:
            whole = hashlib.sha256(file.read()).hexdigest() == image.sha256
        if image.state != Image.State.FAILED:
            for rendition in (Image.Rendition.PREVIEW, Image.Rendition.THUMBNAIL):
                with default_storage.open(image.key_of(rendition)) as file:
                    pictures.load(file, 1)
    except (FileNotFoundError, pictures.PictureError):
        return False
    return whole


def _same_faces(expected: SeenPhoto, found: SeenPhoto) -> list[tuple[SeenFace, SeenFace]] | None:
    """Return which face is which, or None where the photos differ."""
    if (expected.state, expected.failure_code) != (found.state, found.failure_code):
        return None
    if len(expected.faces) != len(found.faces):
        return None
    left = list(found.faces)
    pairs = []
    for face in expected.faces:
        twin = next((other for other in left if _is_same(face, other)), None)
        if twin is None:
            return None
        left.remove(twin)
        pairs.append((face, twin))
    return pairs


def _is_same(face: SeenFace, other: SeenFace) -> bool:
    return face.box.overlap(other.box) >= MIN_OVERLAP and float(face.vector @ other.vector) >= MIN_SIMILARITY


def _pairs_apart(faces: Sequence[tuple[SeenFace, SeenFace]]) -> int:
    """Count the pairs of faces that are one person in one of the runs only; a face without a person is alone."""
    labels = [(a.person or -number, b.person or -number) for number, (a, b) in enumerate(faces, start=1)]
    before, after = (_pairs(Counter(side)) for side in zip(*labels, strict=True)) if labels else (0, 0)
    return before + after - 2 * _pairs(Counter(labels))


def _pairs(sizes: Counter[int] | Counter[tuple[int, int]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
