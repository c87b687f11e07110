"""Staff of one event see and change nothing of another: every page of admin, and every action."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import GREEN, RED
from events.models import Event, Image
from faces import corrections, pipeline
from faces.models import AuditEntry, Decision, Evidence, Face, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client


@pytest.fixture
def foreigner(other_event: Event) -> User:
    """Staff of another event, with every permission that organisers can have."""
    user = User.objects.create_user("foreigner", password="foreigner", is_staff=True)
    permissions = Permission.objects.filter(content_type__app_label__in=("events", "faces"))
    user.user_permissions.add(*permissions.exclude(codename="manage_every_event"))
    other_event.staff.add(user)
    return user


@pytest.fixture
def known(run: Event, staff: User) -> dict[str, Any]:
    """Primary keys of everything that an event has."""
    red, green = (Face.objects.get(image_faces__image__file_name=f"{name}") for name in ("red.png", "blue.png"))
    Face.objects.filter(pk=red.pk).update(name="Ada Secret")
    corrections.hide([red], staff)
    corrections.show([red], staff)
    witnesses = {"asked": green.cover, "known": red.cover}
    Evidence.objects.create(event=run, is_me=True, **witnesses)
    return {
        "event": run.pk,
        "image": run.images.get(file_name="red.png").pk,
        "face": red.pk,
        "other": green.pk,
        "decision": Decision.objects.latest("pk").pk,
        "image_face": red.cover_id,
    }


@pytest.fixture
def run(event: Event, add: Callable[..., Image]) -> Event:
    event.name = "Secret Run"
    event.save()
    add("red.png", RED)
    add("blue.png", GREEN)
    pipeline.ingest(event)
    return event


def pages(known: dict[str, Any], slug: str) -> list[str]:
    """Return the addresses of all that admin shows of an event."""
    return [
        *(reverse(f"admin:{name}_changelist") for name in ("events_event", "events_image", "faces_face")),
        reverse("admin:faces_decision_changelist"),
        *(
            reverse(f"admin:{model}_{view}", args=[known[key]])
            for model, key in (("events_event", "event"), ("events_image", "image"), ("faces_face", "face"))
            for view in ("change", "history", "delete")
        ),
        reverse("admin:faces_decision_change", args=[known["decision"]]),
        reverse("admin:faces_event_distances", args=[known["event"]]),
        reverse("admin:faces_crop", args=[known["image_face"]]),
        reverse("admin:faces_candidates", args=[known["face"]]),
        reverse("admin:faces_erase", args=[known["face"]]),
        reverse("admin:faces_auditentry_changelist"),
        f"{reverse('admin:faces_merge')}?person={known['face']}&person={known['other']}",
        *(
            f"{reverse(f'admin:faces_review_{queue}')}{query}"
            for queue in ("merges", "visitors", "suspicious")
            for query in ("", f"?event={slug}", f"?event={known['event']}")
        ),
        f"/events/{slug}/upload/",
        f"/events/{slug}/poster/",
        f"/api/v1/events/{slug}/progress",
        f"/photos/{Image.objects.get(pk=known['image']).image_id}/original/",
        f"/api/v1/storage/{Image.objects.get(pk=known['image']).storage_key}",
        f"/api/v1/users/{Face.objects.get(pk=known['face']).grab_id}/images",
    ]


def test_nothing_of_another_event_is_shown(client: Client, foreigner: User, run: Event, known: dict[str, Any]) -> None:
    client.force_login(foreigner)
    for page in pages(known, run.slug):
        response = client.get(page, follow=True)
        assert response.status_code in {200, 403, 404}, page
        assert b"Secret" not in response.getvalue(), page
        assert response.get("Content-Type", "").startswith(("text/html", "application/json")), page


def test_everything_of_ones_own_is_shown(client: Client, foreigner: User, run: Event, known: dict[str, Any]) -> None:
    """Else the test above would hold for a site that shows nothing."""
    run.staff.add(foreigner)
    client.force_login(foreigner)
    for page in pages(known, run.slug):
        response = client.get(page, follow=True)
        # People and decisions are never deleted by hand.
        kept = re.search(r"/faces/(face|decision)/\d+/delete/", page)
        assert response.status_code == (403 if kept else 200), page


def test_a_group_makes_its_members_staff_of_the_event(
    client: Client, foreigner: User, run: Event, known: dict[str, Any]
) -> None:
    group = Group.objects.create(name="Timing crew")
    foreigner.groups.add(group)
    client.force_login(foreigner)
    page = reverse("admin:faces_face_change", args=[known["face"]])
    assert "Secret" not in client.get(page, follow=True).content.decode()
    run.groups.add(group)
    assert "Secret" in client.get(page).content.decode()


def state() -> Any:
    """Return all that a request of the tests below could change."""
    faces = Face.objects.order_by("pk").values_list("pk", "name", "hidden", "cover")
    assigned = ImageFace.objects.order_by("pk").values_list("pk", "face")
    photos = Image.objects.order_by("pk").values_list("pk", "state")
    events = Event.objects.order_by("pk").values_list("pk", "name", "cover", "access", "faces_deleted_at")
    undone = Decision.objects.order_by("pk").values_list("pk", "undone_at")
    jobs = ProcrastinateJob.objects.order_by("pk").values_list("pk")
    return [list(rows) for rows in (faces, assigned, photos, events, undone, jobs)]


def forged(run: Event, known: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return requests that change something of the event, by what they do."""
    person = reverse("admin:faces_face_change", args=[known["face"]])
    both = [known["face"], known["other"]]
    form = {"name": "Mine", "slug": run.slug, "date": "2026-05-01", "access": "selfie", "engine": "fake"}
    key = f"{known['image_face']}-{Face.objects.get(pk=known['other']).cover_id}"
    chosen = {"face": both, "decision": [known["decision"]], "image": [known["image"]], "event": [known["event"]]}
    actions = {
        "faces_face": ("face", ("not_same", "hide")),
        "faces_decision": ("decision", ("undo",)),
        "events_image": ("image", ("retry", "use_as_cover", "delete_selected")),
        "events_event": ("event", ("regroup", "look_again", "delete_selected")),
    }
    return {
        "rename": (person, {"action": "rename", "name": "Mallory"}),
        "hide": (person, {"action": "hide"}),
        "merge": (reverse("admin:faces_merge"), {"person": both}),
        "undo": (reverse("admin:faces_undo", args=[known["decision"]]), {}),
        "undo in the list": (reverse("admin:faces_decision_changelist"), {"undo": known["decision"]}),
        "erase": (reverse("admin:faces_erase", args=[known["face"]]), {"erase": "yes"}),
        "change event": (
            reverse("admin:events_event_change", args=[known["event"]]),
            form | {"keep_faces_until": "2100-01-01"},
        ),
        "delete event": (reverse("admin:events_event_delete", args=[known["event"]]), {"post": "yes"}),
        "delete photo": (reverse("admin:events_image_delete", args=[known["image"]]), {"post": "yes"}),
        "retry": (f"/events/{run.slug}/retry/", {}),
        "retry by API": (f"/api/v1/events/{run.slug}/retry", {}),
        "answer merges": (f"{reverse('admin:faces_review_merges')}?event={run.slug}", {"key": key, "answer": "same"}),
        "answer visitors": (f"{reverse('admin:faces_review_visitors')}?event={run.pk}", {"key": key, "answer": "same"}),
        **{
            f"{model}: {action}": (
                reverse(f"admin:{model}_changelist"),
                {"action": action, "_selected_action": chosen[kind], "post": "yes"},
            )
            for model, (kind, names) in actions.items()
            for action in names
        },
    }


REQUESTS = (
    *("rename", "hide", "merge", "undo", "undo in the list", "erase", "change event", "delete event", "delete photo"),
    *("retry", "retry by API", "answer merges", "answer visitors", "faces_face: not_same", "faces_face: hide"),
    *("faces_decision: undo", "events_image: retry", "events_image: use_as_cover", "events_image: delete_selected"),
    *("events_event: regroup", "events_event: look_again", "events_event: delete_selected"),
)


@pytest.mark.parametrize("name", REQUESTS)
def test_nothing_of_another_event_is_changed(
    client: Client, foreigner: User, run: Event, known: dict[str, Any], name: str, empty_queue: None
) -> None:
    """And what staff of the event change by the same request, else nothing would be shown by this."""
    Image.objects.filter(pk=known["image"]).update(state=Image.State.FAILED, failure_code="broken")
    Event.objects.update(faces_deleted_at=timezone.now())
    requests = forged(run, known)
    assert set(REQUESTS) == set(requests)
    client.force_login(foreigner)
    before = state()
    client.post(*requests[name])
    assert state() == before
    run.staff.add(foreigner)
    client.post(*requests[name])
    assert state() != before


def test_nobody_of_another_event_is_exported(
    client: Client, foreigner: User, run: Event, known: dict[str, Any]
) -> None:
    client.force_login(foreigner)
    export = reverse("admin:faces_export", args=[known["face"]])
    assert client.post(export).status_code == 404
    run.staff.add(foreigner)
    assert client.post(export).status_code == 200


@pytest.mark.parametrize("address", ["/api/v1/upload", "/api/v1/ingest"])
def test_nothing_comes_into_another_event(client: Client, foreigner: User, run: Event, address: str) -> None:
    client.force_login(foreigner)
    assert client.post(f"{address}?event={run.slug}").json()["code"] == "unknown_event"
    run.staff.add(foreigner)
    assert client.post(f"{address}?event={run.slug}").json().get("code") in {"missing_file", None}


def test_a_cover_of_another_event_is_not_named(client: Client, foreigner: User, run: Event, other_event: Event) -> None:
    client.force_login(foreigner)
    page = reverse("admin:events_event_change", args=[other_event.pk])
    form: dict[str, Any] = {"name": "Mine", "slug": "other-run", "date": "2026-05-01", "access": "selfie"}
    form |= {"engine": "fake", "keep_faces_until": "2100-01-01"}
    answers = [
        client.post(page, form | {"cover": pk}).content.decode()
        for pk in (run.images.get(file_name="red.png").pk, 10**9)
    ]
    for answer in answers:
        assert "red.png" not in answer
        assert "Select a valid choice" in answer


def test_every_page_of_admin_is_among_those_above(run: Event, known: dict[str, Any]) -> None:
    """A page that is added later is not forgotten."""
    asked = {resolve(page.split("?")[0]).url_name for page in pages(known, run.slug)}
    asked |= {resolve(address.split("?")[0]).url_name for address, _ in forged(run, known).values()}
    ours = {
        pattern.name
        for model in (Event, Image, Face, Decision, AuditEntry)
        for pattern in admin.site.get_model_admin(model).get_urls()
        if getattr(pattern, "name", None)
    }
    # Nobody adds photos, people, decisions and entries by hand.
    assert ours - asked == {f"{name}_add" for name in ("events_event", "events_image", "faces_face")} | {
        *("faces_decision_add", "faces_auditentry_add", "faces_auditentry_change", "faces_auditentry_delete"),
        *("faces_auditentry_history", "faces_decision_delete", "faces_decision_history", "faces_export"),
    }


def test_filters_offer_ones_own_events(client: Client, foreigner: User, run: Event, known: dict[str, Any]) -> None:
    client.force_login(foreigner)
    for name in ("events_image", "faces_face", "faces_decision"):
        page = client.get(reverse(f"admin:{name}_changelist"), {"event__id__exact": known["event"]}).content.decode()
        assert "Secret" not in page
        assert "red.png" not in page


def test_who_adds_an_event_manages_it(client: Client, foreigner: User) -> None:
    client.force_login(foreigner)
    form: dict[str, Any] = {"slug": "new", "name": "New", "date": "2026-05-01", "access": "draft", "engine": "fake"}
    form |= {"keep_faces_until": "2100-01-01", "staff": [], "groups": []}
    client.post(reverse("admin:events_event_add"), form)
    event = Event.objects.get(slug="new")
    assert list(event.staff.all()) == [foreigner]
    assert client.get(reverse("admin:events_event_change", args=[event.pk])).status_code == 200


def test_who_manages_one_event_invites_nobody(client: Client, organiser: User, event: Event, member: User) -> None:
    organiser.user_permissions.add(*Permission.objects.filter(codename__in=("change_event", "view_event")))
    client.force_login(organiser)
    form: dict[str, Any] = {
        "slug": "city-run",
        "name": "Renamed",
        "date": "2026-05-01",
        "access": "selfie",
        "engine": "fake",
    }
    form |= {"keep_faces_until": "2100-01-01", "staff": [member.pk], "groups": []}
    client.post(reverse("admin:events_event_change", args=[event.pk]), form)
    event.refresh_from_db()
    assert event.name == "Renamed"
    assert list(event.staff.all()) == [organiser]


def test_a_photo_becomes_the_cover(client: Client, organiser: User, run: Event) -> None:
    organiser.user_permissions.add(*Permission.objects.filter(codename__in=("change_image", "view_image")))
    client.force_login(organiser)
    photo = run.images.get(file_name="red.png")
    listing = reverse("admin:events_image_changelist")
    client.post(listing, {"action": "use_as_cover", "_selected_action": [image.pk for image in run.images.all()]})
    run.refresh_from_db()
    assert run.cover is None
    client.post(listing, {"action": "use_as_cover", "_selected_action": [photo.pk]})
    run.refresh_from_db()
    assert run.cover == photo


def test_lists_need_no_more_queries_for_more_events(client: Client, foreigner: User, run: Event) -> None:
    client.force_login(foreigner)
    listing = reverse("admin:events_event_changelist")
    counts = []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(listing)
        counts.append(len(queries))
        for name in "abc":
            event = Event.objects.create(slug=f"{name}-{number}", name=name)
            event.staff.add(foreigner)
    assert counts[0] == counts[1]
