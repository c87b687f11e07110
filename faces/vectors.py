"""An event's faces with their vectors, read into arrays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import BinaryField, F, Func
from pgvector import HalfVector

from faces.models import Embedding
from faces.quality import clarity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from events.models import Event
    from faces.engine import Embeddings

CHUNK = 1000
"""So many rows come from the database at a time."""


class Sent(Func):
    """A half-precision vector in pgvector's binary format: its text would cost a Python number for each dimension."""

    function = "halfvec_send"
    output_field = BinaryField()


def received(sent: bytes) -> NDArray[np.float16]:
    """Return the vector that `Sent` gave."""
    return HalfVector.from_binary(sent).to_numpy()


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces row by row, in the order of their keys (`ids`, those of ImageFace).

    `persons` holds the key of each face's person, 0 for none. Each row of `embeddings` is as long as its clarity.
    """

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    persons: NDArray[np.int64]
    qualities: NDArray[np.float64]
    embeddings: Embeddings

    def only(self, rows: NDArray[np.bool_], persons: NDArray[np.int64]) -> Faces:
        """Return some of the faces, with these persons in place of theirs."""
        return Faces(self.ids[rows], self.images[rows], persons, self.qualities[rows], self.embeddings[rows])


def embeddings_of(event: Event) -> QuerySet[Embedding]:
    """Return the event's vectors that can be compared: those of its present engine."""
    return Embedding.objects.filter(event=event, engine=event.engine)


def load(embeddings: QuerySet[Embedding], most: int | None = None) -> Faces:
    """Read faces with their vectors, all of one engine; only so many of the first ones, where that is given."""
    columns = [("id", "i8"), ("image", "i8"), ("person", "i8"), ("quality", "f8"), ("width", "f8"), ("height", "f8")]
    rows = _rows(embeddings.order_by("pk")[:most])
    first = next(rows, None)
    dtype = np.dtype([*columns, ("vector", "f4", len(first[-1]) if first else 0)])
    # Without a count made before, since workers add faces meanwhile.
    table = np.fromiter(chain([first] if first else [], rows), dtype)
    table["vector"] *= clarity(table["width"], table["height"])[:, None]
    return Faces(table["id"], table["image"], table["person"], table["quality"], table["vector"])


def _rows(embeddings: QuerySet[Embedding]) -> Iterator[tuple[Any, ...]]:
    fields = (f"image_face__{field}" for field in ("image", "face", "quality", "width", "height"))
    found = embeddings.values_list("pk", *fields, Sent(F("vector")))
    for pk, image, person, *sizes, sent in found.iterator(chunk_size=CHUNK):
        yield pk, image, person or 0, *sizes, received(sent)
