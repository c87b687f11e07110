"""An event that is deleted is gone at once; the photos of a large one go by the workers, and nothing stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import new_key
from events import ending, queue
from events.models import Event, Image
from events.storage import LocalStorage
from faces import tasks
from faces.models import Face, ImageFace
from faces.tests.galleries import open_gallery
from faces.tests.test_tasks import Context, forget_all_jobs, jobs

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AT_ONCE", 0)
    monkeypatch.setattr(ending, "BATCH", 1)
    monkeypatch.setattr(tasks, "END_BATCHES", 3)


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "storage" / ".grabpic").rglob("*") if path.is_file()]


def work(event: Event, *, stopping: bool = False) -> None:
    tasks.end(Context(stopping=stopping), event_id=event.pk)  # type: ignore[arg-type]


def test_nobody_finds_it_any_more(client: Client, run: Event, staff: User, admin: Client) -> None:
    image = run.images.filter(state="indexed")[0]
    visitor, key = type(client)(), {"Authorization": f"Api-Key {new_key()}"}
    open_gallery(visitor, run, sure=[face.pk for face in ImageFace.objects.all()])
    photo, api = f"/photos/{image.image_id}/thumbnail/", f"/api/v1/images/{image.image_id}"
    addresses = {
        visitor: [f"/events/{run.slug}/", f"/events/{run.slug}/gallery/", photo],
        admin: [
            f"/events/{run.slug}/upload/",
            photo,
            api,
            f"/api/v1/events/{run.slug}",
            f"/api/v1/storage/{image.storage_key}",
        ],
    }

    def statuses() -> set[int]:
        return {who.get(address).status_code for who, asked in addresses.items() for address in asked}

    assert statuses() == {200}
    ending.end(run)
    assert statuses() == {404}
    assert client.get(api, headers=key).status_code == 404
    for page in ("events_event", "events_image", "faces_face"):
        assert admin.get(f"/admin/{page.replace('_', '/')}/").context["cl"].result_count == 0, page
    assert client.get("/api/v1/events", headers=key).json()["results"] == []
    assert Event.objects.default() is None
    assert Event.objects.create(slug=run.slug, name="Next year")


def test_the_workers_delete_it_piece_by_piece(run: Event, tmp_path: Path) -> None:
    assert len(files(tmp_path)) == 12
    ending.end(run)
    assert jobs(queue.END) == [{"event_id": run.pk}]
    work(run)
    assert (Image.objects.count(), len(files(tmp_path))) == (1, 3)
    assert jobs(queue.END) == [{"event_id": run.pk}]
    work(run)
    assert not Event.objects.exists()
    assert not Face.objects.exists()
    assert files(tmp_path) == []


def test_a_worker_that_is_stopped_leaves_the_rest_to_another(run: Event) -> None:
    ending.end(run)
    forget_all_jobs()
    work(run, stopping=True)
    assert run.images.count() == 4
    assert jobs(queue.END) == [{"event_id": run.pk}]


def test_a_job_that_was_lost_is_made_again(run: Event) -> None:
    ending.end(run)
    forget_all_jobs()
    tasks.announce_forgotten()
    assert jobs(queue.END) == [{"event_id": run.pk}]
    assert jobs("group") == jobs("index") == []


def test_a_storage_that_fails_is_asked_again(run: Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(self: object, name: str) -> None:
        raise OSError("down")

    ending.end(run)
    forget_all_jobs()
    with monkeypatch.context() as broken:
        broken.setattr(LocalStorage, "delete", fail)
        work(run)
    assert run.images.count() == 4
    assert ProcrastinateJob.objects.get(task_name=queue.END).scheduled_at is not None
    work(run)
    work(run)
    assert files(tmp_path) == []


def test_the_workers_look_for_no_faces_in_it(event: Event, run: Event) -> None:
    run.images.update(state="pending")
    ending.end(run)
    tasks.index(Context(), event_id=run.pk)  # type: ignore[arg-type]
    assert run.images.pending().count() == 4


def test_admin_says_how_much_goes_and_deletes_it(admin: Client, run: Event) -> None:
    address = f"/admin/events/event/{run.pk}/delete/"
    page = admin.get(address).content.decode()
    assert "photos: 4" in page.lower()
    assert "red-green.png" not in page
    assert admin.post(address, {"post": "yes"}).status_code == 302
    assert Event.objects.ended().get() == run


def test_admin_deletes_several(admin: Client, run: Event, other_event: Event) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [run.pk, other_event.pk], "post": "yes"}
    admin.post("/admin/events/event/", chosen)
    assert list(Event.objects.all()) == [run]
    assert not Event.objects.lasting().exists()


def test_the_api_answers_at_once(client: Client, run: Event) -> None:
    headers = {"Authorization": f"Api-Key {new_key()}"}
    address = f"/api/v1/events/{run.slug}?confirm=City+Run"
    assert client.delete(address, headers=headers).status_code == 204
    assert run.images.count() == 4
    assert client.delete(address, headers=headers).status_code == 404
