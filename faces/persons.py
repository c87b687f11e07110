"""The rows of persons follow from their faces: centroid, representative embedding and cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faces.models import Centroid
from faces.thresholds import clarity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from events.models import Event


def refresh(event: Event, persons: Iterable[int]) -> None:
    """Write anew what follows from the faces of these persons (primary keys), and delete those who have none left.

    To be called inside the transaction that moved the faces, under the lock of the event's row.
    """
    for person in event.faces.filter(pk__in=list(persons)):
        faces = list(
            person.image_faces.filter(embedding__engine=event.engine).order_by("pk").select_related("embedding")
        )
        if not faces:
            person.delete()
            continue
        vectors = np.array([face.embedding.vector for face in faces], np.float32)
        mean = (vectors * clarity([f.width for f in faces], [f.height for f in faces])[:, None]).mean(axis=0)
        person.embedding = mean / np.linalg.norm(mean)
        if not person.cover_chosen or person.cover_id not in {face.pk for face in faces}:
            person.cover, person.cover_chosen = max(faces, key=lambda face: face.quality), False
        person.save(update_fields=("embedding", "cover", "cover_chosen"))
        Centroid.objects.update_or_create(face=person, defaults={"mean": mean, "size": len(faces)})
