"""Others who are at work on the same event while somebody is erased."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from faces import engine as engines
from faces import grouping, privacy
from faces.corrections import CorrectionError
from faces.models import Embedding, Erased, Face, ImageFace, NextEmbedding
from faces.partition import partition
from faces.privacy import Erasure
from faces.redescribing import describe
from faces.reembedding import Reembedding
from faces.tests.people import add_person
from faces.tests.test_privacy import person_at
from faces.tests.test_reembedding import WideEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from django.contrib.auth.models import User

    from events.models import Event


def meanwhile(*tasks: Callable[[], object]) -> list[object]:
    """Run all at once, each on a connection of its own; return what they returned, or why they were refused."""

    def run(task: Callable[[], object]) -> object:
        try:
            return task()
        except CorrectionError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def test_a_consolidation_that_was_planned_before_is_planned_anew(
    event: Event, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = add_person(event, 0, 1), add_person(event, 60, 61)
    plans = []

    def erased_meanwhile(*args: Any) -> Any:
        plans.append(len(args[1].ids))
        if len(plans) == 1:
            privacy.erase(event, [ada], staff)
        return partition(*args)

    monkeypatch.setattr("faces.grouping.partition", erased_meanwhile)
    grouping.consolidate(event)
    assert plans == [4, 2]
    assert Face.objects.get() == bob
    assert Embedding.objects.count() == ImageFace.objects.filter(face=bob).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_erase_the_same_person_at_once(event: Event, staff: User) -> None:
    person = add_person(event, 0, 1)
    outcomes = meanwhile(*[lambda: privacy.erase(event, [person], staff)] * 2)
    assert sorted(map(str, outcomes)) == ["2 faces in 2 photos, 0 galleries", "gone"]
    assert Erased.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_the_deletion_of_a_photo(event: Event, staff: User) -> None:
    person = add_person(event, 0, 1)
    image, deleted = person.image_faces.all()[0].image, threading.Event()

    def delete() -> None:
        with transaction.atomic():
            image.delete()
            deleted.set()
            time.sleep(0.3)  # the erasure waits for the event's row meanwhile

    def erase() -> Erasure:
        assert deleted.wait(10)
        return privacy.erase(event, [person], staff)

    _, erasure = meanwhile(delete, erase)
    assert erasure == Erasure(persons=1, faces=1, photos=1)
    assert not Face.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_the_erasure_of_a_person(event: Event, staff: User) -> None:
    person = add_person(event, 0, 1)
    image, erased = person.image_faces.all()[0].image, threading.Event()

    def erase() -> None:
        with transaction.atomic():
            privacy.erase(event, [person], staff)
            erased.set()
            time.sleep(0.3)

    def delete() -> None:
        assert erased.wait(10)
        image.delete()

    meanwhile(erase, delete)
    assert event.images.count() == 1
    assert Erased.objects.filter(sha256=image.sha256).exists(), "for when it is uploaded again"


@pytest.mark.django_db(transaction=True)
def test_a_reembedding_that_has_the_faces_in_hand_writes_the_others(
    run: Event, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engines._engines, "wide", WideEngine())
    described, erased = threading.Event(), threading.Event()

    def describe_slowly(*args: Any) -> Iterator[Any]:
        answers = list(describe(*args))
        described.set()
        assert erased.wait(10)
        yield from answers

    monkeypatch.setattr("faces.reembedding.describe", describe_slowly)

    def erase() -> None:
        assert described.wait(10)
        with transaction.atomic():
            privacy.erase(run, [person_at("red.png", 0)], staff)
            erased.set()
            time.sleep(0.3)  # the reembedding waits for the photos' rows meanwhile

    def reembed() -> object:
        work = Reembedding(run, "wide")
        for _ in work.beside():
            pass
        next_vectors = NextEmbedding.objects.count()
        return next_vectors, work.switch()

    _, outcome = meanwhile(erase, reembed)
    assert isinstance(outcome, tuple)
    assert outcome[0] == 3
    assert (outcome[1].faces, outcome[1].people) == (3, 2)
