"""The script in docs/: run as it is printed there, against a live site; and its check of signatures."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings

from conftest import GREEN, RED, new_key
from events import deliveries
from events.models import Delivery, Event, Scope
from events.models.webhooks import new_secret
from events.signatures import signed
from events.tests.receiver import new_webhook
from faces import pipeline

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

    Paint = Callable[..., io.BytesIO]

SCRIPT = django_settings.BASE_DIR / "docs" / "client.py"
PATIENCE = 30


def start(*arguments: object, **variables: str) -> subprocess.Popen[str]:
    # -I: nothing but Python itself, as on a machine that has no Grabpic.
    command = [sys.executable, "-I", "-u", str(SCRIPT), *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def folder(tmp_path: Path, paint: Paint) -> Path:
    """A folder with three photos, two of them of the same person."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photos = {"ä red.png": (RED,), '"both".png': (RED, GREEN), "green.png": (GREEN,)}
    for shade, (name, colours) in enumerate(photos.items()):
        (folder / name).write_bytes(paint(*colours, shade=100 + shade).getvalue())
    return folder


@pytest.mark.django_db(transaction=True)
def test_photos_go_in_and_a_selfie_brings_them_back(
    event: Event,
    folder: Path,
    paint: Paint,
    tmp_path: Path,
    live_server: LiveServer,
    start_worker: Callable[..., None],
    empty_queue: None,
) -> None:
    start_worker()
    (tmp_path / "selfie.png").write_bytes(paint(RED).getvalue())
    key = new_key("client", Scope.READ, Scope.UPLOAD, Scope.SEARCH, events=[event])
    found = tmp_path / "found"
    arguments = ("--site", live_server.url, "--event", event.slug, "--upload", folder)
    client = start(*arguments, "--find", tmp_path / "selfie.png", "--to", found, GRABPIC_KEY=key)
    deadline = time.monotonic() + PATIENCE
    while client.poll() is None and time.monotonic() < deadline:
        pipeline.ingest(event)  # what a worker would do
        time.sleep(0.05)
    said, _ = client.communicate(timeout=1)
    assert client.returncode == 0, said
    assert "3 photos, of which the event has 0" in said
    assert "is in 2 photos" in said
    assert set(event.images.values_list("file_name", flat=True)) >= {"ä red.png", "green.png"}
    originals = {path.read_bytes() for path in folder.iterdir() if "green" not in path.name}
    assert {path.read_bytes() for path in found.iterdir()} == originals
    again, _ = start(*arguments, GRABPIC_KEY=key).communicate(timeout=PATIENCE)
    assert "3 photos, of which the event has 3" in again


@pytest.mark.django_db(transaction=True)
def test_an_error_is_told_in_the_words_of_the_api(event: Event, folder: Path, live_server: LiveServer) -> None:
    client = subprocess.run(
        [sys.executable, "-I", SCRIPT, "--site", live_server.url, "--key", "wrong.key", "--upload", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert client.returncode == 1
    assert "invalid_api_key" in client.stderr


def test_webhooks_are_received(db: None, settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    webhook = new_webhook()
    client = start("--listen", free_port(), GRABPIC_SECRET=webhook.secret)
    try:
        assert client.stdout
        webhook.url = client.stdout.readline().split()[-1]
        wait_until_heard(webhook.url)
        assert deliveries.send_test(webhook).status == 204
        webhook.secret = new_secret()
        assert deliveries.send_test(webhook).status == 400
    finally:
        client.kill()
        said, _ = client.communicate()
    assert str(Delivery.objects.earliest("pk").delivery_id) in said
    assert "Refused" in said


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until_heard(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(url.split(":")[2].strip("/")))) == 0:
                return
        time.sleep(0.02)


@pytest.fixture
def client_module() -> Any:
    spec = importlib.util.spec_from_file_location("grabpic_client", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_signature_is_checked(client_module: Any) -> None:
    secret, body, now = new_secret(), b'{"type": "event.indexed"}', int(time.time())

    def holds(headers: dict[str, str], body: bytes = body, secret: str = secret) -> bool:
        return bool(client_module.verify(secret, headers, body))

    good = signed(secret, "one", now, body)
    assert holds(good)
    assert holds(good | {"webhook-signature": f"v1,other v1a,other {good['webhook-signature']}"}), "one of several"
    assert not holds(good, body=body + b" ")
    assert not holds(good, secret=new_secret())
    assert not holds(good | {"webhook-id": "two"})
    assert not holds(good | {"webhook-timestamp": str(now + 1)})
    assert not holds(good | {"webhook-signature": "v1,"})
    assert not holds(good | {"webhook-timestamp": "now"})
    assert not holds({})
    assert not holds(signed(secret, "one", now - 301, body)), "it is a copy of an old one"
    assert not holds(signed(secret, "one", now + 302, body))
