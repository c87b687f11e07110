"""Selfies over HTTP: what scripts are answered, who has agreed, what is written down, and what no report may show."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.signals import got_request_exception
from django.test import Client
from django.views.debug import get_exception_reporter_class

from conftest import BLUE, GREEN, RED, paint_photo
from events.models import Event
from faces import consent
from faces.engine.fake import FakeEngine
from faces.models import AuditEntry, Consent, Evidence, Visitor
from faces.reasons import REASONS
from faces.tests.selfies import DARK_BLUE, YELLOW, selfie_of, upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.http import HttpRequest
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django.fixtures import Settings

EVENT, SELFIE, API = "/events/city-run/", "/events/city-run/selfie/", "/api/v1/auth/selfie"
GALLERY = EVENT + "gallery/"
JSON = {"Accept": "application/json"}


def send(client: Client, *selfies: io.BytesIO, **fields: Any) -> Response:
    """Send a form with selfies as a script does."""
    form = {"consent": consent.VERSION, "file": upload(*selfies), **fields}
    return client.post(SELFIE, form, headers=JSON)


def visitor() -> Client:
    """Return a client whose forms are checked as those of a browser that has opened the page."""
    client = Client(enforce_csrf_checks=True)
    client.get(EVENT)
    return client


class TestJson:
    def test_leads_to_the_gallery_and_counts_its_photos(self, client: Client, run: Event) -> None:
        answer = send(client, selfie_of(RED))
        assert answer.status_code == 200
        assert answer.json() == {"gallery": GALLERY, "sure": 3, "maybe": 0, "left_out": []}
        assert client.get(GALLERY).status_code == 200

    def test_counts_guesses_apart(self, client: Client, run: Event) -> None:
        Event.objects.update(max_distance=0.0001, maybe_distance=0.6)
        answer = send(client, selfie_of((230, 20, 60))).json()
        assert (answer["sure"], answer["maybe"]) == (0, 3)

    def test_several_selfies_are_one_search(self, client: Client, run: Event) -> None:
        answer = send(client, selfie_of(BLUE), paint_photo(), selfie_of(BLUE, side=80)).json()
        assert (answer["sure"], Visitor.objects.count()) == (1, 1)
        [left_out] = answer["left_out"]
        assert (left_out["selfie"], left_out["code"]) == (1, "no_face")
        assert left_out["title"] == REASONS["no_face"].title

    @pytest.mark.parametrize(
        ("selfies", "status", "code", "index"),
        [
            ([selfie_of(YELLOW)], 404, "no_match", None),
            ([selfie_of(YELLOW, side=30)], 400, "too_small", 0),
            ([paint_photo(), io.BytesIO(b"none")], 400, "no_face", 0),
            ([selfie_of(RED), selfie_of(GREEN)], 400, "different_people", None),
            ([selfie_of(RED)] * 4, 400, "too_many_files", None),
            ([], 400, "missing_file", None),
        ],
    )
    def test_says_what_is_wrong(
        self, client: Client, run: Event, selfies: list[io.BytesIO], status: int, code: str, index: int | None
    ) -> None:
        response = send(client, *selfies)
        reason = REASONS[code]
        assert response.status_code == status
        assert response.json() == {
            "code": code,
            "title": str(reason.title),
            "advice": str(reason.advice),
            "selfie": index,
            "faces": [],
        }
        assert client.get(GALLERY).status_code == 302

    def test_asks_which_of_several_faces_is_meant(self, client: Client, run: Event) -> None:
        selfies = selfie_of(GREEN), paint_photo(RED, GREEN)
        alone = send(client, selfies[1]).json()
        assert (alone["code"], alone["selfie"]) == ("several_faces", 0)
        x, y, width, height = alone["faces"][0]
        assert (x, y, width, height) == pytest.approx((110 / 400, 100 / 300, 70 / 400, 70 / 300))
        chosen = send(client, selfies[1], meant=[f"0:{x + width / 2},{y + height / 2}"]).json()
        assert chosen["sure"] == 2
        assert send(client, *selfies, meant=[f"1:{x + width / 2},{y + height / 2}"]).json()["left_out"] == []

    def test_asks_so_without_scripts_too(self, client: Client, run: Event) -> None:
        form = {"consent": consent.VERSION}
        asked = client.post(SELFIE, form | {"file": upload(paint_photo(RED, GREEN))}).content.decode()
        left, right = re.findall(r'name="meant" value="([^"]+)"', asked)
        assert float(left.split(":")[1].split(",")[0]) < float(right.split(":")[1].split(",")[0])
        for point, photos in ((left, 3), (right, 2)):
            picture = upload(paint_photo(RED, GREEN))
            page = client.post(SELFIE, form | {"file": picture, "meant": point}, follow=True)
            assert f"You are in {photos} photos" in page.content.decode()
        assert 'name="meant"' not in client.get(EVENT).content.decode()

    @pytest.mark.parametrize("point", ["0:0.1", "nonsense", "9:0.3,0.4"])
    def test_asks_again_after_a_point_that_is_none(self, client: Client, run: Event, point: str) -> None:
        assert send(client, paint_photo(RED, GREEN), meant=[point]).json()["code"] == "several_faces"

    def test_is_for_who_prefers_it(self, client: Client, run: Event) -> None:
        form = {"consent": consent.VERSION, "file": upload(selfie_of(YELLOW))}
        for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*"):
            assert client.post(SELFIE, form, headers={"Accept": accept})["Content-Type"].startswith("text/html")

    def test_says_so_when_the_engine_fails(self, client: Client, run: Event) -> None:
        Event.objects.update(engine="unknown")
        response = send(client, selfie_of(RED))
        assert (response.status_code, response.json()["code"]) == (503, "engine_unavailable")

    def test_says_so_when_the_faces_are_gone(self, client: Client, run: Event) -> None:
        Event.objects.update(keep_faces_until="2026-05-02")
        assert send(client, selfie_of(RED)).json()["code"] == "faces_deleted"

    def test_says_so_when_too_much_is_sent(self, run: Event, settings: Settings) -> None:
        settings.MAX_SELFIE_MB = 1
        response = send(visitor(), io.BytesIO(bytes(2_100_000)))
        assert (response.status_code, response.json()["code"]) == (413, "file_too_large")

    def test_says_so_when_hundreds_of_files_are_sent(self, run: Event, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_NUMBER_FILES = 4
        response = send(visitor(), *[selfie_of(RED)] * 5)
        assert (response.status_code, response.json()["code"]) == (400, "too_many_files")

    def test_says_so_when_the_form_does_not_arrive_whole(self, run: Event) -> None:
        body, kind = b'--edge\r\nContent-Disposition: form-data; name="file"', "multipart/form-data; boundary=edge"
        for accept, is_in in (("text/html", "Part of this picture is missing"), ("application/json", "truncated")):
            response = visitor().post(SELFIE, body, content_type=kind, headers={"Accept": accept})
            assert (response.status_code, is_in in response.content.decode()) == (400, True)

    def test_of_a_draft_is_for_staff(self, client: Client, run: Event, member: User) -> None:
        Event.objects.update(access=Event.Access.DRAFT)
        assert send(client, selfie_of(RED)).status_code == 404
        client.force_login(member)
        assert send(client, selfie_of(RED)).status_code == 404


def test_another_sites_form_is_refused(run: Event) -> None:
    client = visitor()
    assert send(client, selfie_of(RED)).status_code == 403
    token = client.cookies["csrftoken"].value
    assert send(client, selfie_of(RED), csrfmiddlewaretoken=token).status_code == 200


class TestConsent:
    @pytest.mark.parametrize("agreed", ["", "1999-01", "on"])
    def test_comes_before_the_selfie_is_read(
        self, client: Client, run: Event, agreed: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("faces.search.find", None)
        response = send(client, selfie_of(RED), consent=agreed)
        assert (response.status_code, response.json()["code"]) == (400, "consent_required")
        assert not Consent.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_of_a_visitors_tries_is_one(self, client: Client, run: Event) -> None:
        for selfie in (selfie_of(YELLOW), paint_photo(), selfie_of(RED)):
            send(client, selfie)
        given = Consent.objects.get()
        assert (given.event, given.version, given.language) == (run, consent.VERSION, "en")
        assert Visitor.objects.get().consent == given

    def test_of_two_visitors_are_two(self, run: Event) -> None:
        for client in (Client(), Client()):
            send(client, selfie_of(RED))
        assert Consent.objects.count() == Visitor.objects.count() == 2

    def test_of_two_events_are_two(self, client: Client, run: Event, other_event: Event) -> None:
        send(client, selfie_of(RED))
        client.post("/events/other-run/selfie/", {"consent": consent.VERSION, "file": upload(selfie_of(RED))})
        assert [given.event for given in Consent.objects.all()] == [other_event, run]

    def test_that_was_taken_back_is_given_anew(self, client: Client, run: Event) -> None:
        send(client, selfie_of(RED))
        consent.withdraw(Consent.objects.get())
        send(client, selfie_of(RED))
        assert [given.withdrawn_at is None for given in Consent.objects.all()] == [True, False]

    def test_to_other_words_is_given_anew(self, client: Client, run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
        send(client, selfie_of(RED))
        monkeypatch.setattr(consent, "VERSION", "2027-01")
        send(client, selfie_of(RED), consent="2027-01")
        assert {given.version for given in Consent.objects.all()} == {"2026-11", "2027-01"}


class TestLaterSelfie:
    def test_takes_the_place_of_an_earlier_one(self, client: Client, run: Event) -> None:
        send(client, selfie_of(RED))
        earlier = Visitor.objects.get()
        Evidence.objects.create(event=run, visitor=earlier, asked_id=earlier.sure[0], is_me=True)
        send(client, selfie_of(BLUE))
        assert Visitor.objects.get().key != earlier.key
        assert Evidence.objects.get().visitor is None

    def test_that_finds_nothing_leaves_the_gallery_open(self, client: Client, run: Event) -> None:
        send(client, selfie_of(RED))
        send(client, selfie_of(YELLOW))
        assert client.get(GALLERY).status_code == 200

    def test_leaves_the_galleries_of_others(self, client: Client, run: Event) -> None:
        send(Client(), selfie_of(RED))
        send(client, selfie_of(BLUE))
        assert Visitor.objects.count() == 2


class TestAudit:
    def test_says_how_it_ended_and_not_who_it_was(self, client: Client, run: Event) -> None:
        for selfie in (selfie_of(RED), selfie_of(YELLOW), paint_photo()):
            send(client, selfie)
        entries = AuditEntry.objects.filter(action=AuditEntry.Action.SEARCHED, event=run)
        assert [entry.detail for entry in entries] == ["no_face", "no_match", "matched"]
        assert {(entry.actor, entry.grab_id) for entry in entries} == {("visitor", None)}

    def test_names_staff(self, staff_client: Client, run: Event) -> None:
        send(staff_client, selfie_of(RED))
        assert AuditEntry.objects.get().actor == "staff"


VECTOR = np.array([0.123456789, 0.987654321])
FILE_NAME = "somebodys-portrait.png"


@pytest.mark.usefixtures("run")
class TestErrorReport:
    """What Django would mail to the administrators, or write, of a bug in the engine."""

    @pytest.fixture
    def reports(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[list[str]]:
        def embed(self: object, image: np.ndarray[Any, Any], faces: object) -> None:
            vector = VECTOR
            raise RuntimeError(f"a bug at {len(vector)} numbers")

        written: list[str] = []

        def report(sender: object, request: HttpRequest, **named: object) -> None:
            reporter = get_exception_reporter_class(request)(request, *sys.exc_info())  # type: ignore[operator]
            written.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

        monkeypatch.setattr(FakeEngine, "embed", embed)
        got_request_exception.connect(report)
        yield written
        got_request_exception.disconnect(report)

    @pytest.mark.parametrize("address", [SELFIE, API])
    def test_has_nothing_of_the_selfie(self, client: Client, reports: list[str], address: str) -> None:
        client.raise_request_exception = False
        form = {
            "consent": consent.VERSION,
            "file": upload(selfie_of(DARK_BLUE), name=FILE_NAME),
            "meant": ["0:0.5,0.5"],
        }
        assert client.post(address, form).status_code == 500
        page, text = reports
        assert "a bug at 2 numbers" in page
        assert "faces/probe.py" in page, "the report goes down to where the selfie is in hand"
        for secret in ("0.12345", "0.98765", FILE_NAME, "PNG\\r\\n", "[128", "array("):
            assert secret not in page
            assert secret not in text

    @pytest.mark.parametrize(
        ("address", "step"), [(SELFIE, "faces.views.selfie._selfie"), (API, "faces.api.selfie.entered_event")]
    )
    def test_names_no_selfie_that_is_still_in_the_request(
        self, client: Client, reports: list[str], monkeypatch: pytest.MonkeyPatch, address: str, step: str
    ) -> None:
        def crash(request: Any, *_: object) -> None:
            assert request.FILES
            raise RuntimeError("a bug before the selfies are taken out")

        monkeypatch.setattr(step, crash)
        client.raise_request_exception = False
        assert client.post(address, {"file": upload(selfie_of(RED), name=FILE_NAME)}).status_code == 500
        page, text = reports
        assert "a bug before" in page
        assert FILE_NAME not in page
        assert FILE_NAME not in text

    def test_is_the_same_for_the_log(
        self, client: Client, reports: list[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        client.raise_request_exception = False
        client.post(SELFIE, {"consent": consent.VERSION, "file": upload(selfie_of(RED), name=FILE_NAME)})
        assert "a bug at 2 numbers" in caplog.text
        assert FILE_NAME not in caplog.text
