"""From pending photos to faces with embeddings: take a batch in hand, look, embed, write down."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.utils import timezone

from events import queue
from events.models import Event, Image
from faces import erased, grouping, steps, telling
from faces.claims import BACK_OFF, MAX_ATTEMPTS, begin_attempt, claim
from faces.engine import Detection, EngineError, get_engine
from faces.engine_lock import stays_engine
from faces.looking import Failed, Postponed, Seen, engine_trouble, look, scaled
from faces.models import Embedding, ImageFace
from faces.quality import quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from events.webhooks import Audience
    from faces.engine import Embeddings, FaceEngine

NOT_KEPT = Failed(
    "faces_not_kept", "The event keeps no faces any more. Choose a later day in admin, then “Look for the faces again”."
)
CRASHED = Failed(
    "crashed", "The photo stopped its worker each time. Save it again as a plain JPEG, and upload that instead."
)


@dataclass(frozen=True, slots=True)
class Described:
    """What goes into the rows of a photo: detections in pixels of the upright photo, and one embedding for each."""

    turns: int
    detections: list[Detection]
    embeddings: Embeddings


Outcome = Described | Failed | Postponed


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


def never() -> bool:
    return False


def ingest(event: Event) -> Counts:
    """Index the event's pending photos, here and now, and give every new face its person.

    Photos that others have in hand, or that are due later only, are left to them.

    Raises:
        EngineError: the event's engine cannot be used; the photos stay pending.
    """
    check_engine(event)
    done: list[Image] = []
    while batch := index_batch(event):
        done += ended(batch)
    new = grouping.settle(event)
    faces = ImageFace.objects.filter(image__in=[image.pk for image in done]).count()
    return Counts(len(done), faces, new, event.faces.count())


def counts_since(event: Event, start: datetime, end: datetime | None = None) -> Counts:
    """Return what all workers together did for the event since then, and before `end` where that is given."""
    end = end or datetime.max.replace(tzinfo=UTC)
    done = event.images.filter(processed_at__gte=start, processed_at__lt=end)
    return Counts(
        images_processed=done.count(),
        faces_detected=ImageFace.objects.filter(image__in=done).count(),
        new_faces_found=event.faces.filter(created_at__gte=start, created_at__lt=end).count(),
        total_faces_known=event.faces.count(),
    )


def check_engine(event: Event) -> None:
    """Raise EngineError where somebody waits for photos whose engine cannot be used; they stay pending."""
    if event.images.pending().exists():
        get_engine(event.engine)


def ended(images: Iterable[Image]) -> list[Image]:
    """Return those that are not pending any more."""
    return [image for image in images if image.state != Image.State.PENDING]


def index_batch(event: Event, stop: Callable[[], bool] = never) -> list[Image]:
    """Make an attempt at up to a batch of the event's pending photos, and return them: `ended`, or postponed.

    Empty where none is pending, due and free. `stop` is asked before each photo: those that were looked at are written
    down, the others stay as they are. Where the event's engine cannot be used, the photos fail after three attempts.
    """
    while True:
        with steps.batch(), claim(event) as images:
            done = list(_index(event, images, stop))
        if done or not images or stop():
            return done


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


def _index(event: Event, images: Sequence[Image], stop: Callable[[], bool]) -> Iterator[Image]:
    """Yield each of these photos that was looked at, and written down by nobody else."""
    # Read anew: somebody may have changed it (`manage.py reembed`) since this process first heard of the event.
    present = Event.objects.filter(pk=event.pk).first()
    if present is None:
        return
    audience = telling.audience_of_photos(present)
    if not present.takes_faces:
        yield from (image for image in images if _write(image, present.engine, NOT_KEPT, audience))
        return
    engine_name = present.engine
    fresh = [image for image in images if not image.attempts]
    # A photo that may have killed a worker must not take others with it again.
    suspects = [[image] for image in images if image.attempts]
    for batch in filter(None, [fresh, *suspects]):
        for image, outcome in _outcomes(engine_name, batch, stop):
            if _write(image, engine_name, outcome, audience):
                yield image


def _outcomes(engine_name: str, batch: Sequence[Image], stop: Callable[[], bool]) -> Iterable[tuple[Image, Outcome]]:
    try:
        engine = get_engine(engine_name)
    except EngineError as error:
        return [_unusable(image, error) for image in batch]
    return _described(engine, list(_looked_at(engine, batch, stop)))


def _unusable(image: Image, error: EngineError) -> tuple[Image, Outcome]:
    begin_attempt(image, after=None)
    # Even if it is permanent here: another machine may have what is missing.
    return image, Postponed("engine_failed", str(error)[:300])


def _looked_at(
    engine: FaceEngine, batch: Sequence[Image], stop: Callable[[], bool]
) -> Iterator[tuple[Image, Seen | Failed | Postponed]]:
    came_through = None
    for image in batch:
        if stop():
            return
        if image.attempts >= MAX_ATTEMPTS:
            yield image, CRASHED
            continue
        begin_attempt(image, after=came_through)
        outcome = look(engine, image)
        came_through = image if isinstance(outcome, Seen) else None
        yield image, outcome


def _described(
    engine: FaceEngine, looked: Sequence[tuple[Image, Seen | Failed | Postponed]]
) -> Iterator[tuple[Image, Outcome]]:
    """Embed the faces of all these photos in one go."""
    described = iter(_embed(engine, [outcome for _, outcome in looked if isinstance(outcome, Seen)]))
    for image, outcome in looked:
        yield image, next(described) if isinstance(outcome, Seen) else outcome


def _embed(engine: FaceEngine, photos: Sequence[Seen]) -> list[Outcome]:
    if not photos:
        return []
    counts = [len(photo.detections) for photo in photos]
    try:
        with steps.timed("embed", len(photos)):
            embeddings = engine.embed_many([(photo.pixels, photo.detections) for photo in photos])
        check_embeddings(embeddings, sum(counts), engine.dimension)
    except EngineError as error:
        # One by one, to find the photo that it is about.
        return [engine_trouble(error)] if len(photos) == 1 else [_embed(engine, [photo])[0] for photo in photos]
    rows = np.split(embeddings, np.cumsum(counts, dtype=int)[:-1])
    return [_describe(photo, embedded) for photo, embedded in zip(photos, rows, strict=True)]


def _describe(photo: Seen, embeddings: Embeddings) -> Described:
    return Described(photo.turns, [scaled(found, 1 / photo.scale) for found in photo.detections], embeddings)


def _write(image: Image, engine_name: str, outcome: Outcome, audience: Audience) -> bool:
    """Write what became of a photo, unless another run already did; tell whether it was this one."""
    with steps.timed("write"):
        return _write_outcome(image, engine_name, outcome, audience)


def _write_outcome(image: Image, engine_name: str, outcome: Outcome, audience: Audience) -> bool:
    if isinstance(outcome, Postponed) and image.attempts < MAX_ATTEMPTS:
        return _postpone(image)
    with transaction.atomic():
        if isinstance(outcome, Described):
            written = _write_described(image, engine_name, outcome)
        else:
            written = _end(image, Image.State.FAILED, failure_code=outcome.code, failure_reason=outcome.reason)
        if written and ended([image]):
            telling.photo_ended(audience, image)
    if not written and not Image.objects.filter(pk=image.pk).exists():
        # Deleted meanwhile; its renditions were written after its files were removed.
        image.delete_files()
    return written


@transaction.atomic
def _postpone(image: Image) -> bool:
    """Leave the photo for its next attempt, unless it is not pending any more; tell whether it was."""
    queue.announce(image.event_id, at=image.retry_at)
    # Once more, since a photo that came through the first look was not to blame for what could have happened after it.
    pending = Image.objects.pending().filter(pk=image.pk)
    return bool(pending.update(attempts=image.attempts, retry_at=image.retry_at))


def _write_described(image: Image, engine_name: str, outcome: Described) -> bool:
    if not stays_engine(image.event_id, engine_name):
        return _leave_to_next_engine(image)
    if not Event.objects.get(pk=image.event_id).takes_faces:
        # They were deleted, or their day was over, while the photo was looked at.
        return _end(image, Image.State.FAILED, failure_code=NOT_KEPT.code, failure_reason=NOT_KEPT.reason)
    # What it was turned by before, should it have been looked at, counts, too.
    sides = image.width, image.height
    width, height = sides[::-1] if (outcome.turns + image.turns) % 2 else sides
    outcome = _without_erased(image, (width, height), outcome)
    state = Image.State.INDEXED if outcome.detections else Image.State.NO_FACE
    written = _end(image, state, attempts=0, width=width, height=height, turns=outcome.turns)
    if written:
        _write_faces(image, engine_name, outcome)
    return written


def _without_erased(image: Image, size: erased.Size, described: Described) -> Described:
    """Leave out the faces that somebody wanted to be forgotten."""
    gone = erased.found_again(image, [found.box for found in described.detections], size, described.turns)
    left = [place for place in range(len(described.detections)) if place not in gone]
    detections = [described.detections[place] for place in left]
    return replace(described, detections=detections, embeddings=described.embeddings[left]) if gone else described


def _leave_to_next_engine(image: Image) -> bool:
    """Leave a photo to be described by the engine that its event has or gets now; the attempt does not count."""
    image.attempts -= 1
    image.retry_at = timezone.now() + BACK_OFF
    return _postpone(image)


def _end(image: Image, state: Image.State, **values: object) -> bool:
    """Write a photo's final state, if it is still pending; tell whether it was."""
    values |= {"state": state, "retry_at": None, "processed_at": timezone.now()}
    for name, value in values.items():
        setattr(image, name, value)
    return bool(Image.objects.pending().filter(pk=image.pk).update(**values))


def _write_faces(image: Image, engine_name: str, described: Described) -> None:
    faces = ImageFace.objects.bulk_create(_image_face(image, found) for found in described.detections)
    Embedding.objects.bulk_create(
        Embedding(image_face=face, event_id=image.event_id, engine=engine_name, vector=vector)
        for face, vector in zip(faces, described.embeddings, strict=True)
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
        quality=quality(found),
    )
