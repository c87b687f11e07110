"""Photos that leave by the proxy or by the bucket, and what is known already: always after the check of who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import urllib3
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from conftest import RED, new_key
from events.models import Event, Image, Scope
from events.serving import etag
from faces import pipeline
from faces.models import ImageFace
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from pytest_django.fixtures import Settings

    Add = Callable[..., Image]

RENDITIONS = ("original", "preview", "thumbnail")


@pytest.fixture
def red(event: Event, add: Add) -> Image:
    """A photo of red, indexed; its name needs quoting."""
    image = add("Zieleinlauf % 日 1.png", RED)
    pipeline.ingest(event)
    return image


@pytest.fixture
def nginx(settings: Settings) -> None:
    settings.ACCEL_REDIRECT = "/protected/"


@pytest.fixture
def bucket(s3: str, settings: Settings) -> str:
    settings.S3_SIGNED_URLS = True
    return s3


@pytest.fixture
def visitor(client: Client, event: Event, red: Image) -> Client:
    open_gallery(client, event, [ImageFace.objects.get(image=red).pk])
    return client


def page(image: Image, rendition: str = "preview") -> str:
    return f"/photos/{image.image_id}/{rendition}/"


def call(image: Image, rendition: str = "preview") -> str:
    return f"/api/v1/storage/{image.key_of(rendition)}"


def assert_strangers_get_nothing(client: Client, event: Event, other_event: Event, member: User, image: Image) -> None:
    """Ask as everybody who may not see the photo, knowing its address and its ETags."""
    known = {"If-None-Match": ", ".join([*(etag(image, rendition) for rendition in RENDITIONS), "*"])}
    key = new_key("elsewhere", Scope.READ, events=[other_event])
    stranger = User.objects.create_user("elsewhere", is_staff=True)
    other_event.staff.add(stranger)

    def refused(headers: dict[str, str] | None = None) -> None:
        for rendition in RENDITIONS:
            for address in (page(image, rendition), call(image, rendition)):
                for method in (client.get, client.head):
                    answer = method(address, headers={**known, **(headers or {})})
                    assert answer.status_code in {401, 403, 404}
                    assert not {"X-Accel-Redirect", "Location", "ETag"} & set(answer.headers)

    refused()
    refused({"Authorization": f"Api-Key {key}"})
    refused({"Authorization": "Bearer forged"})
    for user in (member, stranger):
        client.force_login(user)
        refused()
    client.logout()
    open_gallery(client, other_event)
    refused()
    open_gallery(client, event)
    refused()


class TestProxy:
    pytestmark = pytest.mark.usefixtures("nginx")

    @pytest.mark.parametrize("rendition", RENDITIONS)
    def test_is_told_where_the_file_is(self, visitor: Client, red: Image, rendition: str) -> None:
        answer = visitor.get(page(red, rendition))
        assert (answer.status_code, answer.content) == (200, b"")
        address = answer["X-Accel-Redirect"]
        assert address.isascii()
        assert unquote(address) == f"/protected/{red.key_of(rendition)}"
        assert answer["Content-Type"] == ("image/png" if rendition == "original" else "image/jpeg")
        assert answer["Cache-Control"] == "private, max-age=3600"

    def test_is_told_the_name_of_what_is_kept(self, visitor: Client, red: Image) -> None:
        assert visitor.get(page(red, "original") + "?download")["Content-Disposition"].startswith("attachment; ")

    def test_gets_no_preview_that_needs_a_watermark(self, visitor: Client, event: Event, red: Image) -> None:
        Event.objects.update(watermark="City Run")
        preview = visitor.get(page(red))
        assert "X-Accel-Redirect" not in preview
        assert preview.getvalue()[:2] == b"\xff\xd8"
        assert "X-Accel-Redirect" in visitor.get(page(red, "thumbnail"))

    def test_is_led_to_no_file_that_is_missing(self, visitor: Client, red: Image) -> None:
        default_storage.delete(red.key_of("preview"))
        assert visitor.get(page(red)).status_code == 404

    def test_is_told_nothing_for_strangers(
        self, client: Client, event: Event, other_event: Event, member: User, red: Image
    ) -> None:
        assert_strangers_get_nothing(client, event, other_event, member, red)


class TestBucket:
    pytestmark = pytest.mark.usefixtures("bucket")

    @pytest.mark.parametrize("rendition", RENDITIONS)
    def test_gives_the_file_at_the_signed_address(self, visitor: Client, red: Image, rendition: str) -> None:
        answer = visitor.get(page(red, rendition))
        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        query = parse_qs(urlsplit(answer["Location"]).query)
        assert query["X-Amz-Expires"] == ["60"]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        there = urllib3.request("GET", answer["Location"])
        with default_storage.open(red.key_of(rendition)) as file:
            assert there.data == file.read()
        assert there.headers["Content-Type"] == ("image/png" if rendition == "original" else "image/jpeg")
        assert there.headers["Content-Disposition"].startswith("inline; ")
        assert there.headers["Cache-Control"] == "private, no-store"

    def test_answers_clients_of_the_api_so_too(self, client: Client, red: Image) -> None:
        headers = {"Authorization": f"Api-Key {new_key()}"}
        assert client.get(call(red, "original"), headers=headers).status_code == 302

    def test_gives_no_preview_that_needs_a_watermark(self, visitor: Client, red: Image) -> None:
        Event.objects.update(watermark="City Run")
        assert visitor.get(page(red)).status_code == 200
        assert visitor.get(page(red, "thumbnail")).status_code == 302

    def test_is_no_place_for_scripts_of_a_page(self, visitor: Client, red: Image) -> None:
        """They would need the bucket's leave to read what it answers."""
        answer = visitor.get(page(red), headers={"Sec-Fetch-Mode": "cors"})
        assert answer.status_code == 200
        assert visitor.head(page(red)).status_code == 200

    def test_may_show_its_pictures_on_every_page(self, client: Client, red: Image, settings: Settings) -> None:
        storage = settings.STORAGES["default"]["OPTIONS"]["endpoint_url"]
        images = [part for part in client.get("/")["Content-Security-Policy"].split("; ") if part.startswith("img-src")]
        assert images == [f"img-src 'self' blob: {storage}"]

    def test_is_told_to_no_stranger(
        self, client: Client, event: Event, other_event: Event, member: User, red: Image
    ) -> None:
        assert_strangers_get_nothing(client, event, other_event, member, red)


class TestKnown:
    def test_an_original_is_known_by_its_content(self, visitor: Client, red: Image) -> None:
        first = visitor.get(page(red, "original"))
        assert first["ETag"] == f'"{red.sha256}"'
        again = visitor.get(page(red, "original"), headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
        assert again["Cache-Control"] == "private, max-age=3600"

    def test_a_preview_is_another_when_it_is_turned_or_written_across(self, visitor: Client, red: Image) -> None:
        tags = [visitor.get(page(red))["ETag"], visitor.get(page(red, "thumbnail"))["ETag"]]
        Image.objects.update(turns=1)
        tags.append(visitor.get(page(red))["ETag"])
        for words in ("City Run", "Town Run"):
            Event.objects.update(watermark=words)
            answer = visitor.get(page(red), headers={"If-None-Match": ", ".join(tags)})
            assert answer.status_code == 200
            tags.append(answer["ETag"])
        assert len(set(tags)) == 5
        assert not any(tag.startswith("W/") for tag in tags)

    def test_a_watermark_is_not_drawn_for_who_has_it(
        self, visitor: Client, red: Image, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Event.objects.update(watermark="City Run")
        tag = visitor.get(page(red))["ETag"]
        monkeypatch.setattr("events.lettering.write_across", None)
        assert visitor.get(page(red), headers={"If-None-Match": tag}).status_code == 304

    def test_a_head_has_the_headers_alone(self, visitor: Client, red: Image) -> None:
        got, head = visitor.get(page(red)), visitor.head(page(red))
        assert (head.status_code, b"".join(head)) == (200, b"")
        for name in ("ETag", "Content-Type", "Content-Length", "Content-Disposition"):
            assert head[name] == got[name]

    def test_nothing_is_known_to_strangers(
        self, client: Client, event: Event, other_event: Event, member: User, red: Image
    ) -> None:
        assert_strangers_get_nothing(client, event, other_event, member, red)


def test_a_photo_that_calls_itself_a_page_is_kept_as_a_picture(visitor: Client, red: Image) -> None:
    Image.objects.update(file_name="a.html")
    assert visitor.get(page(red, "original"))["Content-Disposition"] == 'inline; filename="a.html.png"'


@pytest.mark.parametrize(
    "name", ["a\r\nb: c.png", "a\n", "a.png\n", '";x="y.png', "\u202egpj.png", "\0.png", "x" * 255]
)
def test_no_name_in_the_database_writes_a_header(visitor: Client, red: Image, name: str) -> None:
    # PostgreSQL itself refuses a NUL.
    Image.objects.update(file_name=name.replace("\0", "\x01"))
    said = visitor.get(page(red, "original"))["Content-Disposition"]
    assert said.isprintable()
    assert said.count('"') in {0, 2}
    assert "%E2%80%AE" not in said
