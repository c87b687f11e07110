"""Photos of known people, arriving again and in other orders."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from benchmarks.arrival import BATCHES, Recording, groups, in_batches, join
from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from faces import grouping, pipeline
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event


def test_batches_hold_everything_once_in_another_order() -> None:
    batches = in_batches(range(500), Random(1))
    order = [number for batch in batches for number in batch]
    assert BATCHES[0] <= len(batches) <= BATCHES[1]
    assert all(batches)
    assert len({len(batch) for batch in batches}) > 1
    assert sorted(order) == list(range(500)) != order
    assert batches != in_batches(range(500), Random(2))


def test_a_few_photos_are_as_many_batches() -> None:
    assert sorted(in_batches("abc", Random(1))) == [["a"], ["b"], ["c"]]
    assert in_batches("", Random(1)) == [[]]


def _indexed(event: Event) -> list[int]:
    """Red, then Red with Green, then Blue; return the keys of the photos."""
    for number, colours in enumerate([[RED], [RED, GREEN], [BLUE]]):
        assert isinstance(ingest.add(event, paint_photo(*colours), f"{number}.png"), ingest.Added)
    pipeline.ingest(event)
    return list(event.images.values_list("pk", flat=True))


@pytest.mark.parametrize("group", [join, grouping.group])
def test_photos_arrive_again(event: Event, group: Callable[[Event], object]) -> None:
    def spy(another: Event) -> None:
        arrived_at_grouping.append(another.images.count())
        group(another)

    first, second, third = _indexed(event)
    arrived_at_grouping: list[int] = []
    arrived = Recording(event).arrive([[third, first], [second]], spy)
    assert arrived_at_grouping == [2, 3]
    assert list(arrived.event.images.values_list("file_name", flat=True)) == ["2.png", "0.png", "1.png"]
    assert arrived.event.engine == event.engine
    recorded = list(ImageFace.objects.filter(image__event=event).values_list("pk", flat=True))
    red, red_again, green, blue = arrived.groups(recorded)
    assert red == red_again
    assert len({red, green, blue}) == 3
    copies = ImageFace.objects.filter(image__event=arrived.event)
    assert not set(recorded) & {face.pk for face in copies}
    assert sorted(arrived.recorded(face.pk for face in copies)) == recorded
    vectors = [ImageFace.objects.get(pk=pk).embedding.vector for pk in (copies.get(face=blue).pk, recorded[-1])]
    assert vectors[0] == vectors[1]


def test_the_event_itself_stays_as_it_is(event: Event) -> None:
    photos = _indexed(event)
    before = list(ImageFace.objects.values_list("pk", "image", "face"))
    Recording(event).arrive([photos], join)
    assert list(ImageFace.objects.filter(image__event=event).values_list("pk", "image", "face")) == before


def test_a_face_without_a_person_is_a_group_of_its_own(event: Event) -> None:
    _indexed(event)
    ImageFace.objects.update(face=None)
    faces = list(ImageFace.objects.values_list("pk", flat=True))
    assert len(set(groups(event, faces))) == len(faces)
