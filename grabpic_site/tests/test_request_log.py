"""What is logged of a request, and what never is."""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection

from conftest import BLUE, RED, new_key, paint_photo
from events.models import ApiKey, Event
from faces import consent
from faces.engine.fake import FakeEngine
from faces.tests.galleries import open_gallery
from faces.tests.selfies import YELLOW, selfie_of, upload
from grabpic_site.logs import OURS, JsonLines, TextLines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

API = "/api/v1/auth/selfie"


class Written(logging.Handler):
    """Keeps the lines that would be written, each as both formatters write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[dict[str, Any]] = []
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = JsonLines().format(record)
        self.lines.append(json.loads(line))
        self.text += f"{line}\n{TextLines().format(record)}\n"

    def access(self) -> dict[str, Any]:
        """Return the line of the last request."""
        return [line for line in self.lines if line["logger"] == "access"][-1]


@pytest.fixture
def log() -> Iterator[Written]:
    handler = Written()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_one_line_for_a_request(client: Client, log: Written, event: Event) -> None:
    response = client.get("/events/city-run/?code=open-sesame")
    [line] = log.lines
    assert {name: line[name] for name in ("level", "method", "route", "status", "actor", "request_id")} == {
        "level": "INFO",
        "method": "GET",
        "route": "events/<slug:slug>/",
        "status": 200,
        "actor": "anonymous",
        "request_id": response["X-Request-Id"],
    }
    assert isinstance(line["ms"], int)
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("address", "route"),
    [("/events/x/my/3f2504e0-4f89-11d3-9a0c-0305e82c3301/", "events/<slug:slug>/my/<uuid:key>/"), ("/secret", "-")],
)
def test_no_address_is_written(client: Client, log: Written, address: str, route: str) -> None:
    assert client.get(address).status_code == 404
    assert log.access()["route"] == route
    assert not {"secret", "3f2504e0"} & set(log.text.replace("/", " ").split())


def test_who_asked_is_a_kind(client: Client, log: Written, run: Event, staff: User, member: User) -> None:
    def actor(address: str = "/", **headers: str) -> str:
        client.get(address, headers=headers)
        return str(log.access()["actor"])

    key = new_key("kiosk")
    assert actor("/api/v1/events/city-run/progress", Authorization=f"Api-Key {key}") == (
        f"key {ApiKey.objects.get().prefix}"
    )
    token = client.post(API, {"file": upload(selfie_of(RED))}).json()["token"]
    assert actor(f"/api/v1/users/{uuid.uuid4()}/images", Authorization=f"Bearer {token}") == "visitor"
    open_gallery(client, run)
    assert actor("/events/city-run/gallery/") == "visitor"
    for user, kind in ((staff, "staff"), (member, "member")):
        client.force_login(user)
        assert actor() == kind
    assert not {"kiosk", key, token, "staff-name"} & set(log.text.split())


def test_the_line_costs_no_query(
    client: Client, run: Event, log: Written, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(0):
        client.get("/api/v1/health")
        client.get("/static/site.css").close()
    assert log.access()["route"] == "static/<path>"


def test_a_bug_is_in_the_log_with_its_number(
    client: Client, log: Written, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("events.gate.may_enter", fail)
    client.raise_request_exception = False
    number = client.get("/events/city-run/")["X-Request-Id"]
    bug, access = log.lines
    assert bug["traceback"].endswith("RuntimeError: a bug")
    assert bug["message"] == "Internal Server Error: events/<slug:slug>/"
    assert (bug["request_id"], access["request_id"], access["status"]) == (number, number, 500)


def test_a_row_that_the_database_refuses_is_not_quoted(log: Written, event: Event) -> None:
    statement = "INSERT INTO events_event (name) VALUES ('Jane Doe')"
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError as error:
        logging.getLogger("events").exception("This went wrong")
        logging.getLogger("events").error("This, too: %s", error)  # noqa: TRY400  # as some do
    assert "null value in column" in log.text
    assert "Jane Doe" not in log.text
    assert log.text.count("DETAIL: (left out)") >= 4


def test_the_servers_own_lines_name_no_client(log: Written) -> None:
    server = logging.getLogger("gunicorn.error")
    server.propagate = True
    server.warning("Invalid request from ip=192.0.2.7: no method")
    server.error("Error handling request %s %s", "GET", "/events/x/my/3f2504e0/")
    assert [line["message"] for line in log.lines] == [
        "Invalid request from ip=- no method",
        "Error handling request GET -",
    ]


VECTOR = (0.12345, 0.98765)


def test_nobody_can_forge_a_line_of_text(log: Written) -> None:
    logging.getLogger("events").warning("Not taken: %s", "a.jpg\n2026-11-23 03:00:00,000 INFO events: all is well")
    assert len(log.lines) == 1
    assert "\n2026-11-23 03:00:00,000 INFO" not in log.text


SECRETS = ("Jane", "runner.png", "0.12345", "0.98765", "PNG", "127.0.0.1", "[128")


def test_nothing_of_a_persons_is_logged(
    client: Client, log: Written, run: Event, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OURS:
        caplog.set_level(logging.DEBUG, name)
    key = new_key("kiosk")
    run.faces.update(name="Jane")
    photo = paint_photo(BLUE, shade=99)
    photo.name = "runner.png"
    secrets = [key, key.partition(".")[2], *SECRETS]
    client.raise_request_exception = False

    client.post("/api/v1/upload", {"files": photo}, headers={"Authorization": f"Api-Key {key}"})
    found = client.post(API, {"file": upload(selfie_of(RED), name="runner.png")}).json()
    secrets += [found["token"], found["grab_id"]]
    client.get(f"/api/v1/users/{found['grab_id']}/images", headers={"Authorization": f"Bearer {found['token']}"})
    form = {"consent": consent.VERSION, "file": upload(selfie_of(RED), name="runner.png")}
    client.post("/events/city-run/selfie/", form)
    secrets += [str(visitor_key) for visitor_key in client.session["visitors"].values()]
    assert client.post(API, {"file": upload(selfie_of(YELLOW), name="runner.png")}).status_code == 404
    monkeypatch.setattr(FakeEngine, "embed", broken_embed)
    assert client.post(API, {"file": upload(selfie_of(RED), name="runner.png")}).status_code == 500
    assert "a bug at 2 numbers" in log.text
    assert [secret for secret in secrets if secret in log.text] == []


@pytest.mark.parametrize("address", [API, "/events/city-run/selfie/"])
def test_a_bugs_page_shows_no_values(
    client: Client, run: Event, settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(FakeEngine, "embed", broken_embed)
    client.raise_request_exception = False
    form = {"consent": consent.VERSION, "file": upload(selfie_of(RED), name="runner.png"), "meant": ["0:0.5,0.5"]}
    page = client.post(address, form, headers={"Authorization": "Api-Key-like x.abc"})
    assert page.status_code == 500
    text = page.content.decode()
    assert "a bug at 2 numbers" in text
    assert [secret for secret in (*SECRETS, consent.VERSION, "0:0.5", "x.abc") if secret in text] == ["127.0.0.1"]


def test_nothing_is_mailed(mailoutbox: list[object], settings: Settings, client: Client, monkeypatch: Any) -> None:
    settings.ADMINS = [("Admin", "admin@example.org")]
    monkeypatch.setattr("events.models.EventQuerySet.listed_for", broken_embed)
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
    assert not mailoutbox


def broken_embed(self: object, image: object, faces: object) -> None:
    vector = VECTOR
    raise RuntimeError(f"a bug at {len(vector)} numbers")
