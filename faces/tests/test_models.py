"""What the database itself guards."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import DataError, IntegrityError, connection, transaction

from conftest import RED
from events.models import Event, Image
from faces import grouping
from faces.models import Embedding, Face, ImageFace
from faces.tests.test_grouping import add_faces, direction

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("vector", [np.zeros(64), np.full(64, 1.0), np.full(64, np.nan), [np.inf] * 64])
def test_only_finite_unit_vectors_are_stored(event: Event, vector: object) -> None:
    face = add_faces(event, 0)[0]
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        Embedding.objects.filter(pk=face.pk).update(vector=vector)
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        Face.objects.create(event=event, engine="fake", embedding=vector)


def test_engines_of_different_dimensions_live_side_by_side(event: Event) -> None:
    faces = add_faces(event, 0, 90, 45)
    for face, dimension in zip(faces, (128, 512, 640), strict=True):
        Embedding.objects.filter(pk=face.pk).update(engine=f"deepface:{dimension}", vector=np.eye(dimension)[0])
        Face.objects.create(event=event, engine=f"deepface:{dimension}", embedding=np.eye(dimension)[0])
    assert sorted(len(list(face.embedding)) for face in Face.objects.all()) == [128, 512, 640]


@pytest.mark.django_db
def test_no_vector_has_an_index() -> None:
    """Each change of a person would have to bring it up to date, and every search scans one event, exactly."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexdef ~ 'hnsw|ivfflat'")
        assert cursor.fetchall() == []


def test_deleting_an_event_deletes_all_of_it_and_nothing_else(event: Event, other_event: Event) -> None:
    for one in (event, other_event):
        add_faces(one, 0, 90)
        grouping.group(one)
    event.delete()
    assert Embedding.objects.count() == Embedding.objects.filter(event=other_event).count() == 2
    assert Face.objects.count() == Face.objects.filter(event=other_event).count() == 2


def test_a_person_without_a_name_goes_by_the_grab_id(event: Event) -> None:
    face = Face(event=event, engine="fake", embedding=direction(0))
    assert str(face) == str(face.grab_id)
    face.name = "Ada"
    assert str(face) == "Ada"


@pytest.mark.parametrize("of", [lambda event: event, lambda event: event.images.get()])
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_writes_faces_meanwhile_stops_no_deletion(
    event: Event, add: Callable[..., Image], of: Callable[[Event], Event | Image]
) -> None:
    image, written = add("one.png", RED), threading.Event()

    def work() -> None:
        with transaction.atomic():
            Image.objects.filter(pk=image.pk).update(state="indexed")
            ImageFace.objects.create(image=image, x=0, y=0, width=9, height=9, score=1, quality=1)
            written.set()
            time.sleep(0.3)  # the deletion waits for the photo's row meanwhile
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        assert written.wait(10)
        of(event).delete()
        worker.result()
    assert not Image.objects.exists()
