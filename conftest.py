"""Fixtures for every test: storage in a temporary folder, a fixed cast, painted photos."""

from __future__ import annotations

import functools
import gc
import io
import socket
import time
import uuid
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from botocore.loaders import create_loader
from django.contrib.auth.models import Group, Permission, User
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone, translation
from PIL import Image as Picture

from events.models import ApiKey, Event, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from botocore.loaders import Loader
    from django.test import Client
    from pytest_django import DjangoDbBlocker
    from pytest_django.fixtures import Settings

RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)
"""Three people, to the `fake` engine."""

ORGANISERS = (
    *(("events", "0009_organisers"), ("events", "0018_organisers_make_keys"), ("events", "0019_webhooks_rest")),
    ("faces", "0008_organisers"),
)
"""The migrations that say what organisers may do."""


def pytest_collection_finish() -> None:
    """Have the garbage collector look at what tests make, and not again and again at all that was imported."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Spare each commit the wait for the disk, also in other processes: a test's database outlives no crash."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        connection.close()  # it is said to new connections only


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A third of a second for each user is well spent in production only."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _quick_clients(settings: Settings) -> None:
    """Each test client has a WhiteNoise of its own, and that looks through all static files at once otherwise."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    """All tests come from one address."""
    settings.LIMITS = dict.fromkeys(settings.LIMITS, "")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What a request has chosen stays chosen in its thread, which here is that of every test."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _storage(tmp_path: Path, settings: Settings) -> None:
    settings.STORAGE_PATH = tmp_path / "storage"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "events.storage.LocalStorage",
            "OPTIONS": {"location": settings.STORAGE_PATH / ".grabpic"},
        },
    }
    settings.SIMILARITY_THRESHOLD = None


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a real S3 API on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep the photos in a new bucket of the S3 API on loopback; return its name."""
    use_s3(s3_endpoint, settings, monkeypatch)
    bucket = str(settings.STORAGES["default"]["OPTIONS"]["bucket_name"])
    storage: Any = storages["default"]
    storage.connection.create_bucket(Bucket=bucket)
    return bucket


@pytest.fixture
def dead_s3(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the photos in a bucket of a service that is down."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    use_s3(f"http://127.0.0.1:{port}", settings, monkeypatch)
    # Between attempts.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(time=time.time, sleep=lambda _: None))


@functools.cache
def _loader(path: str | None) -> Loader:
    return create_loader(path)


def use_s3(endpoint: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # The description of S3 is read for each client anew otherwise.
    monkeypatch.setattr("botocore.session.create_loader", _loader)
    options = {"bucket_name": f"photos-{uuid.uuid4().hex}", "endpoint_url": endpoint, "region_name": "us-east-1"}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "events.s3.S3Storage", "OPTIONS": options}}


@pytest.fixture
def event(db: None) -> Event:
    """A published event on the fake engine."""
    return Event.objects.create(
        slug="city-run", name="City Run", date="2026-05-01", access=Event.Access.SELFIE, engine="fake"
    )


@pytest.fixture
def other_event(db: None) -> Event:
    """Another published event, older than `event`."""
    return Event.objects.create(
        slug="other-run", name="Other Run", date="2025-05-01", access=Event.Access.SELFIE, engine="fake"
    )


def organisers() -> Group:
    """Return the group that the migrations made; made again where a test that empties all tables came before."""
    group, is_new = Group.objects.get_or_create(name="Organisers")
    for app, migration in ORGANISERS if is_new else ():
        names = import_module(f"{app}.migrations.{migration}").PERMISSIONS
        group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename__in=names))
    return group


def new_key(name: str = "client", *scopes: Scope, events: Iterable[Event] | None = None, **fields: Any) -> str:
    """Make an API key, of every scope and for every event unless said otherwise; return what the client shows."""
    fields = {"name": name, "scopes": list(scopes or Scope), "every_event": events is None, **fields}
    key, secret = cast("tuple[ApiKey, str]", ApiKey.objects.create_key(**fields))
    key.events.set(events or ())
    return str(secret)


@pytest.fixture
def empty_queue(db: None) -> None:
    """No jobs, not even those that earlier tests left behind: Django empties the tables of its own models only."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM procrastinate_workers")


@pytest.fixture
def start_worker(db: None) -> Callable[..., None]:
    """Return a function that lists a worker whose last sign of life was so long ago; it does no work."""

    def start(seconds_silent: float = 0) -> None:
        heartbeat = timezone.now() - timedelta(seconds=seconds_silent)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [heartbeat.isoformat()])

    return start


@pytest.fixture
def staff(db: None) -> User:
    """A member of staff who manages every event."""
    user = User.objects.create_user("staff", password="staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_every_event"))
    return user


@pytest.fixture
def organiser(event: Event) -> User:
    """A member of staff who manages `event` alone."""
    user = User.objects.create_user("organiser", password="organiser", is_staff=True)
    event.staff.add(user)
    return user


@pytest.fixture
def member(db: None) -> User:
    """A user with an account, but not staff."""
    return User.objects.create_user("member", password="member")


@pytest.fixture
def staff_client(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def paint() -> Callable[..., io.BytesIO]:
    """Return a painter of photos: grey, with one square face for each colour, as a file in memory."""
    return paint_photo


def paint_photo(
    *colours: tuple[int, int, int],
    size: tuple[int, int] = (400, 300),
    shade: int = 128,
    file_format: str = "PNG",
) -> io.BytesIO:
    """Paint a photo with one square face per colour, side by side; `shade` makes otherwise equal photos differ."""
    pixels = np.full((size[1], size[0], 3), shade, np.uint8)
    for place, colour in enumerate(colours):
        left = 20 + place * 90
        pixels[100:170, left : left + 70] = colour
    file = io.BytesIO()
    # Painted a thousand times and read but a few: quick is better than small.
    Picture.fromarray(pixels).save(file, file_format, compress_level=1)
    file.seek(0)
    return file
