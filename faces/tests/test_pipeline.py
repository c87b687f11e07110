"""From pending photos to faces."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from PIL import Image as Picture
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import GREEN, RED
from events import ingest
from events.models import Event, Image
from faces import pipeline
from faces.engine import Detection, EngineError, FaceEngine, RGBArray, get_engine
from faces.looking import Postponed, look
from faces.models import Embedding, Face, ImageFace
from faces.pipeline import Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django.fixtures import Settings

    Add = Callable[..., Image]
    Stumbling = Callable[..., None]


class Killed(BaseException):
    """Stands for the end of a process, which no `except` outlives."""


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> Stumbling:
    """Return a function that makes the engine fail on photos with two faces."""

    def make_stumble(*, permanent: bool) -> None:
        def embed_many(pictures: list[tuple[object, list[object]]]) -> object:
            if any(len(faces) == 2 for _, faces in pictures):
                raise EngineError("no vector for this face", permanent=permanent)
            return embed(pictures)  # type: ignore[arg-type]

        embed = get_engine("fake").embed_many
        monkeypatch.setattr(get_engine("fake"), "embed_many", embed_many)

    return make_stumble


def test_faces_are_found_described_and_grouped(event: Event, add: Add) -> None:
    add("one.png", RED)
    add("two.png", RED, GREEN)
    add("none.png")
    assert pipeline.ingest(event) == Counts(
        images_processed=3, faces_detected=3, new_faces_found=2, total_faces_known=2
    )
    states = dict(Image.objects.values_list("file_name", "state"))
    assert states == {"one.png": "indexed", "two.png": "indexed", "none.png": "no_face"}
    assert set(Embedding.objects.values_list("engine", "event")) == {("fake", event.pk)}


def test_a_second_run_changes_nothing(event: Event, add: Add) -> None:
    add("one.png", RED)
    pipeline.ingest(event)
    before = list(ImageFace.objects.values())
    assert pipeline.ingest(event) == Counts(0, 0, 0, 1)
    assert list(ImageFace.objects.values()) == before


def test_boxes_are_in_pixels_of_the_original(event: Event, paint: Callable[..., io.BytesIO]) -> None:
    small = Picture.open(paint(RED))
    file = io.BytesIO()
    small.resize((small.width * 20, small.height * 20), Picture.Resampling.NEAREST).save(file, "JPEG", quality=95)
    ingest.add(event, file, "large.jpg")
    pipeline.ingest(event)
    face = ImageFace.objects.get()
    assert (face.x, face.y) == pytest.approx((20 * 20, 100 * 20), abs=80)
    assert (face.width, face.height) == pytest.approx((70 * 20, 70 * 20), abs=80)
    assert 0 < face.quality <= 1


def test_preview_and_thumbnail_are_made(event: Event, add: Add) -> None:
    image = add("one.png", RED)
    pipeline.ingest(event)
    for rendition in ("preview", "thumbnail"):
        with default_storage.open(image.key_of(rendition)) as file:
            assert max(Picture.open(file).size) == 400


def test_a_broken_photo_fails_with_its_reason_and_stops_nothing(event: Event, add: Add) -> None:
    noise = io.BytesIO()
    Picture.effect_noise((300, 300), 60).save(noise, "PNG")
    content = noise.getvalue()
    ingest.add(event, io.BytesIO(content[:5000] + bytes(500) + content[5500:]), "hole.png")
    add("one.png", RED)
    assert pipeline.ingest(event) == Counts(2, 1, 1, 1)
    broken = Image.objects.get(file_name="hole.png")
    assert (broken.state, broken.failure_code) == ("failed", "broken")
    assert broken.failure_reason


def test_a_photo_whose_file_is_gone_fails(event: Event, add: Add) -> None:
    default_storage.delete(add("one.png", RED).storage_key)
    pipeline.ingest(event)
    assert Image.objects.get().failure_code == "file_missing"


def test_a_photo_that_the_engine_stumbles_over_stops_nothing(event: Event, add: Add, stumbling: Stumbling) -> None:
    stumbling(permanent=True)
    add("two.png", RED, GREEN)
    add("one.png", RED)
    assert pipeline.ingest(event) == Counts(2, 1, 1, 1)
    failed = Image.objects.get(file_name="two.png")
    assert (failed.failure_code, failed.failure_reason) == ("engine_failed", "no vector for this face")


def test_what_may_pass_is_tried_three_times_later_and_later(event: Event, add: Add, stumbling: Stumbling) -> None:
    stumbling(permanent=False)
    image = add("two.png", RED, GREEN)
    waits = []
    for attempt in (1, 2):
        assert pipeline.ingest(event) == Counts(0, 0, 0, 0)
        image.refresh_from_db()
        assert (image.state, image.attempts) == ("pending", attempt)
        assert image.retry_at is not None
        waits.append((image.retry_at - timezone.now()).total_seconds())
        assert pipeline.ingest(event) == Counts(0, 0, 0, 0), "not before its time"
        assert Image.objects.get().attempts == attempt
        Image.objects.update(retry_at=timezone.now())
    assert waits == pytest.approx([10, 40], abs=2)
    assert pipeline.ingest(event) == Counts(1, 0, 0, 0)
    assert Image.objects.get().failure_code == "engine_failed"


def test_the_attempt_counts_also_where_others_of_the_batch_came_after(
    event: Event, add: Add, stumbling: Stumbling
) -> None:
    stumbling(permanent=False)
    image = add("two.png", RED, GREEN)
    add("one.png", RED)
    for attempt in (1, 2):
        pipeline.ingest(event)
        image.refresh_from_db()
        assert (image.state, image.attempts) == ("pending", attempt)
        assert image.retry_at is not None
        Image.objects.update(retry_at=None)
    pipeline.ingest(event)
    assert Image.objects.get(pk=image.pk).failure_code == "engine_failed"
    assert Image.objects.get(file_name="one.png").attempts == 0


def test_each_postponed_photo_is_announced_for_its_time(event: Event, add: Add, stumbling: Stumbling) -> None:
    stumbling(permanent=False)
    image = add("two.png", RED, GREEN)
    pipeline.ingest(event)
    image.refresh_from_db()
    scheduled = ProcrastinateJob.objects.filter(scheduled_at__isnull=False).values_list("args", "scheduled_at")
    assert list(scheduled) == [({"event_id": event.pk}, image.retry_at)]


def test_a_storage_that_is_away_is_no_fault_of_the_photo(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise ConnectionError("no route to the bucket")

    image = add("one.png", RED)
    monkeypatch.setattr(default_storage, "open", away)
    pipeline.ingest(event)
    image.refresh_from_db()
    assert (image.state, image.attempts) == ("pending", 1)
    monkeypatch.undo()
    Image.objects.update(retry_at=None)
    assert pipeline.ingest(event) == Counts(1, 1, 1, 1)


def test_a_photo_that_kills_its_worker_fails_after_three_attempts(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(engine: object, image: Image) -> object:
        if image.file_name == "killer.png":
            raise Killed
        return look(engine, image)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "look", die)
    names = ["one.png", "killer.png", "two.png"]
    for name in names:
        add(name, RED)
    for attempt in (1, 2, 3):
        with pytest.raises(Killed):
            pipeline.ingest(event)
        killer = Image.objects.get(file_name="killer.png")
        assert killer.attempts == attempt
        assert killer.retry_at is not None, "not at once: it would take one worker after the other with it"
        Image.objects.update(retry_at=None)
    pipeline.ingest(event)
    assert list(Image.objects.order_by("pk").values_list("state", "failure_code", "attempts")) == [
        ("indexed", "", 0),
        ("failed", "crashed", 3),
        ("indexed", "", 0),
    ]


def test_what_was_looked_at_before_a_stop_is_finished_and_the_rest_waits(event: Event, add: Add) -> None:
    for number in range(4):
        add(f"{number}.png", RED)
    answers = iter([False, False, True, True])
    done = pipeline.index_batch(event, lambda: next(answers))
    assert [image.file_name for image in done] == ["0.png", "1.png"]
    assert event.images.pending().count() == 2


def test_a_photo_on_its_side_is_turned_for_its_faces(event: Event, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    def only_upright(pixels: RGBArray) -> list[Detection]:
        return detect(pixels) if pixels.shape[0] > pixels.shape[1] else []

    detect = get_engine("fake").detect
    monkeypatch.setattr(get_engine("fake"), "detect", only_upright)
    image = add("side.png", RED)
    assert pipeline.ingest(event) == Counts(1, 1, 1, 1)
    image.refresh_from_db()
    assert (image.width, image.height) == (300, 400)
    face = ImageFace.objects.get()
    # A quarter turn counter-clockwise takes (x, y) to (y, 400 - x - width): from the square at (20, 100) of 70 pixels.
    assert (face.x, face.y) == pytest.approx((100, 310), abs=3)
    with default_storage.open(image.key_of("preview")) as file:
        assert Picture.open(file).size == (300, 400)


def test_failed_photos_can_be_tried_again(event: Event, add: Add) -> None:
    image = add("one.png", RED)
    Image.objects.update(state="failed", failure_code="engine_failed", failure_reason="so it was")
    assert Image.objects.all().retry() == 1
    assert pipeline.ingest(event) == Counts(1, 1, 1, 1)
    image.refresh_from_db()
    assert (image.state, image.failure_code, image.failure_reason) == ("indexed", "", "")
    assert Image.objects.all().retry() == 0, "only what failed"


def test_a_photo_deleted_meanwhile_leaves_no_files(
    event: Event, add: Add, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deleted_first(image: Image, *args: object) -> bool:
        Image.objects.filter(pk=image.pk).delete()
        return write(image, *args)  # type: ignore[arg-type]

    write = pipeline._write
    monkeypatch.setattr(pipeline, "_write", deleted_first)
    add("one.png", RED)
    assert pipeline.ingest(event) == Counts(0, 0, 0, 0)
    image_files = [path for path in settings.STORAGE_PATH.rglob("*.jpg") if path.is_file()]
    assert image_files == []


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_double_nothing(event: Event, add: Add, settings: Settings) -> None:
    for number in range(12):
        add(f"{number}.png", RED, GREEN)

    def run(_: int) -> Counts:
        try:
            return pipeline.ingest(event)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first.images_processed + second.images_processed == 12
    assert (ImageFace.objects.count(), Face.objects.count()) == (24, 2)
    assert sum(path.is_file() for path in (settings.STORAGE_PATH / ".grabpic").rglob("*")) == 3 * 12


def test_a_photo_that_another_run_wrote_meanwhile_is_left_alone(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("one.png", RED)

    def other_run_is_faster(*args: object) -> bool:
        monkeypatch.undo()
        Image.objects.update(retry_at=None)
        pipeline.ingest(event)
        return write(*args)  # type: ignore[arg-type]

    write = pipeline._write
    monkeypatch.setattr(pipeline, "_write", other_run_is_faster)
    assert pipeline.ingest(event) == Counts(0, 0, 0, 1)
    assert ImageFace.objects.count() == 1


def test_when_faces_cannot_be_written_the_photo_stays_pending(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("one.png", RED)

    def fail(*args: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(pipeline, "_write_faces", fail)
    with pytest.raises(RuntimeError):
        pipeline.ingest(event)
    assert Image.objects.get().state == "pending"
    monkeypatch.undo()
    Image.objects.update(retry_at=None)
    assert pipeline.ingest(event) == Counts(1, 1, 1, 1)


def test_faces_that_were_never_grouped_are_grouped_by_the_next_run(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("one.png", RED)
    monkeypatch.setattr("faces.grouping.settle", lambda event: 0)
    pipeline.ingest(event)
    assert not Face.objects.exists()
    monkeypatch.undo()
    assert pipeline.ingest(event) == Counts(0, 0, 1, 1)


def test_an_unknown_engine_leaves_the_photos_pending(event: Event, add: Add) -> None:
    add("one.png", RED)
    Event.objects.update(engine="crystal-ball")
    event.refresh_from_db()
    with pytest.raises(EngineError, match="crystal-ball"):
        pipeline.ingest(event)
    assert event.images.pending().count() == 1


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (np.zeros((1, 4)), "unit length"),
        (np.full((1, 4), np.nan), "unit length"),
        (np.full((1, 4), 0.6), "unit length"),
        (np.eye(4)[:2], "expected"),
        (np.eye(3)[:1], "expected"),
    ],
)
def test_bad_embeddings_are_refused(rows: object, problem: str) -> None:
    with pytest.raises(EngineError, match=problem):
        pipeline.check_embeddings(np.asarray(rows, np.float32), count=1, dimension=4)


def test_a_photo_that_was_looked_at_with_an_engine_of_yesterday_waits_for_the_next_look(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_meanwhile(engine: FaceEngine, image: Image) -> object:
        Event.objects.update(engine="sface")
        return look(engine, image)

    monkeypatch.setattr(pipeline, "look", changed_meanwhile)
    image = add("one.png", RED)
    [postponed] = pipeline.index_batch(event)
    assert postponed.state == "pending"
    image.refresh_from_db()
    assert (image.state, image.attempts) == ("pending", 0)
    assert image.retry_at is not None
    assert not ImageFace.objects.exists()


def test_a_batch_that_is_postponed_leaves_the_rest_to_the_next_job(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        add(f"{number}.png", RED)
    monkeypatch.setattr(pipeline, "look", lambda engine, image: Postponed("storage_unavailable", "It is away."))
    batch = pipeline.index_batch(event)
    assert [image.state for image in batch] == ["pending"] * 8
    assert event.images.filter(attempts=0).count() == 2, "other events' photos must not wait for all of these"


def test_photos_whose_engine_no_worker_can_use_fail_after_three_attempts(event: Event, add: Add) -> None:
    image = add("one.png", RED)
    Event.objects.update(engine="crystal-ball")
    event.refresh_from_db()
    for attempt in (1, 2):
        assert [each.state for each in pipeline.index_batch(event)] == ["pending"]
        image.refresh_from_db()
        assert image.attempts == attempt
        assert image.retry_at is not None
        Image.objects.update(retry_at=None)
    pipeline.index_batch(event)
    image.refresh_from_db()
    assert (image.state, image.failure_code) == ("failed", "engine_failed")
    assert "crystal-ball" in image.failure_reason
