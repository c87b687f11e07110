"""All that an event knows of one person, as a ZIP file: `export`. The format is in docs/export.md."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.files.storage import default_storage
from django.db.models import Q

from events.zipping import Archive
from faces import audit_log
from faces.gallery import Tier, images_with
from faces.ledger import count
from faces.models import AuditEntry, Centroid, Decision, Embedding, Evidence, Face, ImageFace, NextEmbedding
from faces.telling import messages_about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvector import HalfVector

    from events.access import Actor
    from events.models import Image

FORMAT = "grabpic-person-1"


def export(person: Face, by: Actor | str) -> Iterator[bytes]:
    """Write down who exports, and return the ZIP file in pieces, as the photos come from the storage.

    Raises, while it is read:
        OSError: the storage fails; what was given until then is no whole ZIP file. A photo whose file is gone is left
            out instead, and `person.json` says so.
    """
    images = list(images_with(person))
    known = described(person)
    detail = f"{count(len(known['faces']), 'face')} in {count(len(images), 'photo')}"
    audit_log.record(audit_log.Action.EXPORTED, person.event, by, grab_id=person.grab_id, detail=detail)
    return _zipped(known, images)


def file_name(person: Face) -> str:
    return f"person-{str(person.grab_id)[:8]}.zip"


def described(person: Face) -> dict[str, Any]:
    """Return what is known of a person, but for the photos, in types that JSON has."""
    event = person.event
    return {
        "format": FORMAT,
        "grab_id": str(person.grab_id),
        "aliases": [str(alias) for alias in person.aliases.order_by("pk").values_list("grab_id", flat=True)],
        "name": person.name,
        "hidden": person.hidden,
        "known_since": person.created_at.isoformat(),
        "cover": str(person.cover.image.image_id) if person.cover else None,
        "represented_by": _representation(person),
        "event": {"slug": event.slug, "name": event.name, "date": event.date.isoformat()},
        "faces_deleted_after": event.keep_faces_until.isoformat(),
        "faces": _faces(person),
        "decisions": _decisions(person),
        "answers_of_visitors": _answers(person),
        "galleries": _galleries(person),
        "log": _log(person),
        "told_to_programs": messages_about(person.event, _grab_ids(person)).count(),
    }


def _grab_ids(person: Face) -> list[str]:
    return [str(grab_id) for grab_id in (person.grab_id, *person.aliases.values_list("grab_id", flat=True))]


def _vector(vector: HalfVector) -> list[float]:
    numbers: list[float] = np.array(vector, float).tolist()
    return numbers


def _representation(person: Face) -> dict[str, Any]:
    centroid = Centroid.objects.filter(face=person).first()
    return {
        "engine": person.engine,
        "vector": _vector(person.embedding),
        "mean": _vector(centroid.mean) if centroid else None,
    }


def _faces(person: Face) -> list[dict[str, Any]]:
    faces = person.image_faces.select_related("image").order_by("pk")
    vectors = {vector.pk: vector for vector in Embedding.objects.filter(image_face__face=person)}
    following = {vector.pk: vector for vector in NextEmbedding.objects.filter(image_face__face=person)}
    return [_face(face, vectors.get(face.pk), following.get(face.pk)) for face in faces]


def _face(face: ImageFace, described: Embedding | None, following: NextEmbedding | None) -> dict[str, Any]:
    return {
        "photo": face.image.file_name,
        "image_id": str(face.image.image_id),
        "box": {"x": face.x, "y": face.y, "width": face.width, "height": face.height},
        "landmarks": face.landmarks,
        "score": face.score,
        "quality": face.quality,
        "engine": described.engine if described else None,
        "vector": _vector(described.vector) if described else None,
        "next_engine": following.engine if following else None,
        "next_vector": _vector(following.vector) if following else None,
    }


def _decisions(person: Face) -> list[dict[str, Any]]:
    """Return when staff decided what about the person. Not in their words, which name others, too."""
    made = Decision.objects.about(person).order_by("pk")
    return [
        {
            "kind": decision.kind,
            "made_at": decision.made_at.isoformat(),
            "undone_at": decision.undone_at.isoformat() if decision.undone_at else None,
        }
        for decision in made
    ]


def _answers(person: Face) -> dict[str, int]:
    answers = Evidence.objects.filter(asked__face=person)
    of_others = Evidence.objects.filter(known__face=person).exclude(asked__face=person)
    return {
        "it_is_me": answers.filter(is_me=True).count(),
        "not_me": answers.filter(is_me=False).count(),
        "about_others": of_others.count(),
    }


def _galleries(person: Face) -> list[dict[str, Any]]:
    """Return which galleries show the person, and nothing that opens one."""
    faces = set(person.image_faces.values_list("pk", flat=True))
    showing = Q(sure__overlap=list(faces)) | Q(maybe__overlap=list(faces))
    return [
        {
            "tier": Tier.SURE if faces.intersection(visitor.sure) else Tier.MAYBE,
            "opened_at": visitor.created_at.isoformat(),
            "expires_at": visitor.expires_at.isoformat(),
        }
        for visitor in person.event.visitors.filter(showing).order_by("pk")
    ]


def _log(person: Face) -> list[dict[str, str]]:
    """Return when what was done with the person. Not by whom: that is about others."""
    entries = AuditEntry.objects.filter(grab_id__in=_grab_ids(person)).order_by("pk")
    return [{"at": entry.at.isoformat(), "action": entry.action, "detail": entry.detail} for entry in entries]


def _zipped(known: dict[str, Any], images: list[Image]) -> Iterator[bytes]:
    archive = Archive()
    photos = []
    for image in images:
        # The name by which it is stored: harmless, and nobody else's.
        path = f"photos/{PurePosixPath(image.storage_key).name}"
        try:
            file = default_storage.open(image.storage_key)
        except FileNotFoundError:
            path = ""
        else:
            with file:
                yield from archive.add(path, image, file)
        photos.append({"image_id": str(image.image_id), "photo": image.file_name, "file": path or None})
    archive.write("person.json", json.dumps(known | {"photos": photos}, indent=1))
    yield archive.finish()
