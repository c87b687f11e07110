"""From pending photos to faces with embeddings: load, detect, embed, write down."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from events import pictures
from events.models import Event, Image
from faces import grouping
from faces.engine import Detection, EngineError, get_engine
from faces.models import Embedding, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faces.engine import Embeddings, FaceEngine

WORKING_SIDE = 2048
"""Faces are found and cut out of a picture whose long side has at least this many pixels, where the photo has them."""

RENDITION_SIDES = {Image.Rendition.PREVIEW: 1600, Image.Rendition.THUMBNAIL: 400}
"""Long sides in pixels, the largest first."""

BATCH_SIZE = 32
"""Photos between two looks at what is still pending; the threads wait for each other at the end of each batch."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one run of `ingest` did, in the classic words."""

    images_processed: int
    faces_detected: int
    new_faces_found: int
    total_faces_known: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"Photos processed: {self.images_processed}. Faces found: {self.faces_detected}. "
            f"New people: {self.new_faces_found}. People in all: {self.total_faces_known}."
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """What a photo shows: detections in pixels of the upright photo, and one embedding for each."""

    detections: list[Detection]
    embeddings: Embeddings


@dataclass(frozen=True, slots=True)
class Failed:
    """The photo cannot be looked at."""

    code: str
    reason: str


def ingest(event: Event, *, on_image: Callable[[Image], None] | None = None, at_most: int | None = None) -> Counts:
    """Index the event's pending photos, at most so many, and give every new face its person.

    `on_image` is called with each photo when its new state is written. A run that stops early, with photos still
    pending, leaves the grouping to a later one, else a run in small steps would group at each.

    Raises:
        EngineError: the event's engine cannot be used; the photos stay pending.
    """
    processed = faces = 0
    for image, found in _indexed(event, at_most):
        processed += 1
        faces += found
        if on_image:
            on_image(image)
    stopped_early = at_most is not None and event.images.pending().exists()
    new = 0 if stopped_early else grouping.group(event)
    return Counts(processed, faces, new, event.faces.count())


def look(engine: FaceEngine, image: Image) -> Looked | Failed:
    """Decode a photo once: write its preview and thumbnail, find and embed its faces. Touches no database."""
    try:
        with default_storage.open(image.storage_key) as file:
            picture = pictures.load(file, WORKING_SIDE)
    except pictures.PictureError as error:
        return Failed(error.code, str(error))
    except FileNotFoundError:
        return Failed("file_missing", "The stored file is gone. Upload the photo again.")
    _write_renditions(image, picture)
    try:
        detections = engine.detect(picture.pixels)
        embeddings = engine.embed(picture.pixels, detections)
        check_embeddings(embeddings, len(detections), engine.dimension)
    except EngineError as error:
        # One photo that the networks stumble over must not stop those behind it, in this run and every later one;
        # staff can try it again.
        return Failed("engine_failed", str(error)[:300])
    return Looked([_at_full_size(found, picture.scale) for found in detections], embeddings)


def check_embeddings(embeddings: Embeddings, count: int, dimension: int) -> None:
    """Refuse vectors that must never be stored.

    Raises:
        EngineError: unless there are `count` rows of `dimension` finite numbers, each row of unit length.
    """
    if embeddings.shape != (count, dimension):
        raise EngineError(f"expected {(count, dimension)} embeddings, got {embeddings.shape}", permanent=True)
    # A NaN anywhere makes its row's length NaN, and the comparison false.
    if not np.all(np.abs(np.linalg.norm(embeddings, axis=1) - 1) < 1e-3):
        raise EngineError("an embedding is not finite or not of unit length", permanent=True)


def _indexed(event: Event, at_most: int | None) -> Iterator[tuple[Image, int]]:
    """Yield each photo that this run indexed, with the number of its faces."""
    pending = list(event.images.pending().values_list("pk", flat=True)[:at_most])
    if not pending:
        return
    engine = get_engine(event.engine)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pending), BATCH_SIZE):
            batch = event.images.pending().filter(pk__in=pending[start : start + BATCH_SIZE])
            for image, outcome in zip(batch, pool.map(partial(look, engine), batch), strict=True):
                if _write(image, engine.name, outcome):
                    yield image, len(outcome.detections) if isinstance(outcome, Looked) else 0
                elif not Image.objects.filter(pk=image.pk).exists():
                    # Deleted meanwhile; its renditions were written after its files were removed.
                    image.delete_files()


def _write_renditions(image: Image, picture: pictures.Picture) -> None:
    files = pictures.to_jpegs(picture.pixels, list(RENDITION_SIDES.values()))
    for rendition, content in zip(RENDITION_SIDES, files, strict=True):
        # Overwrites: a run that died before it wrote its rows may have left the file.
        default_storage.save(image.key_of(rendition), ContentFile(content))


def _at_full_size(found: Detection, scale: float) -> Detection:
    box = found.box
    return Detection(
        type(box)(box.x / scale, box.y / scale, box.width / scale, box.height / scale),
        tuple((x / scale, y / scale) for x, y in found.landmarks),
        found.score,
    )


@transaction.atomic
def _write(image: Image, engine_name: str, outcome: Looked | Failed) -> bool:
    """Write the photo's state and faces, unless another run already did; tell whether this one did."""
    if isinstance(outcome, Failed):
        image.state = Image.State.FAILED
        image.failure_code, image.failure_reason = outcome.code, outcome.reason
    else:
        image.state = Image.State.INDEXED if outcome.detections else Image.State.NO_FACE
    changed = (
        Image.objects.pending()
        .filter(pk=image.pk)
        .update(state=image.state, failure_code=image.failure_code, failure_reason=image.failure_reason)
    )
    if changed and isinstance(outcome, Looked):
        _write_faces(image, engine_name, outcome)
    return bool(changed)


def _write_faces(image: Image, engine_name: str, looked: Looked) -> None:
    faces = ImageFace.objects.bulk_create(_image_face(image, found) for found in looked.detections)
    Embedding.objects.bulk_create(
        Embedding(image_face=face, event_id=image.event_id, engine=engine_name, vector=vector)
        for face, vector in zip(faces, looked.embeddings, strict=True)
    )


def _image_face(image: Image, found: Detection) -> ImageFace:
    box = found.box
    return ImageFace(
        image=image,
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        landmarks=found.landmarks,
        score=found.score,
        quality=_quality(found),
    )


def _quality(found: Detection) -> float:
    """A sure detection of a face that fills the recogniser's 112 pixels is worth 1."""
    return min(found.score, 1.0) * min(1.0, min(found.box.width, found.box.height) / 112)
